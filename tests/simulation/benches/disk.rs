//! What the disk and the journal cost a history, in microseconds at the median: `cargo bench -p simulation`.

use domain::{CardNumber, Cents, Day, FailureCode, Generation, TerminalId, Timestamp, TopUpId};
use ledger::{Entry, Fact, Ledger, Subject};
use simulation::disk::{Disk, Image};
use std::error::Error;
use std::time::{Duration, Instant};
use store::{Journal, JournalKey, JournalOptions};

const HISTORIES: u64 = 2_000;
const TERMINAL: TerminalId = TerminalId(7);
const NOW: Timestamp = Timestamp(1_800_000_000_000);

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What one history took, part by part.
#[derive(Default)]
struct Times {
    reset: Vec<Duration>,
    open: Vec<Duration>,
    append: Vec<Duration>,
    close: Vec<Duration>,
    cut: Vec<Duration>,
    reopen: Vec<Duration>,
}

fn main() -> Outcome<()> {
    let key = JournalKey::random()?;
    println!("us:  reset   open  8 appends  close  power cut  reopen |  all | operations");
    for reserve_pages in [0, 16] {
        run("plain", None, reserve_pages)?;
        run("keyed", Some(&key), reserve_pages)?;
    }
    Ok(())
}

fn run(name: &str, key: Option<&JournalKey>, reserve_pages: u32) -> Outcome<()> {
    let disk = Disk::new(1)?;
    let template = template(&disk, key, reserve_pages)?;
    let (mut times, begun, mut operations) = (Times::default(), Instant::now(), 0);
    for number in 0..HISTORIES {
        history(&disk, &template, number, key, reserve_pages, &mut times)?;
        operations += disk.counts().operations;
    }
    let all = begun.elapsed().as_micros() / u128::from(HISTORIES);
    let [reset, open, append, close, cut, reopen] =
        [times.reset, times.open, times.append, times.close, times.cut, times.reopen].map(median);
    println!(
        "{reset:>10} {open:>6} {append:>10} {close:>6} {cut:>10} {reopen:>7} | {all:>4} | {} | {name}, reserve of \
         {reserve_pages} pages, {} bytes",
        operations / HISTORIES,
        template.files().map(|(_, bytes)| bytes.len()).sum::<usize>()
    );
    Ok(())
}

fn open(disk: &Disk, key: Option<&JournalKey>, reserve_pages: u32) -> Outcome<(Journal, Ledger)> {
    let files = disk.files();
    let options = JournalOptions { key, vfs: Some(disk.vfs()), files: &files, reserve_pages };
    let opened = Journal::open_on(disk.journal_path(), &options, TERMINAL, NOW)?;
    Ok((opened.journal, opened.ledger))
}

fn template(disk: &Disk, key: Option<&JournalKey>, reserve_pages: u32) -> Outcome<Image> {
    disk.reset(&Image::default(), 0);
    drop(open(disk, key, reserve_pages)?);
    Ok(disk.image())
}

fn timed<T>(into: &mut Vec<Duration>, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let begun = Instant::now();
    let value = work()?;
    into.push(begun.elapsed());
    Ok(value)
}

fn history(
    disk: &Disk,
    template: &Image,
    number: u64,
    key: Option<&JournalKey>,
    reserve_pages: u32,
    times: &mut Times,
) -> Outcome<()> {
    timed(&mut times.reset, || {
        disk.reset(template, number);
        Ok(())
    })?;
    let (mut journal, mut ledger) = timed(&mut times.open, || open(disk, key, reserve_pages))?;
    let entries = entries(&mut ledger, number)?;
    timed(&mut times.append, || {
        for entry in &entries {
            journal.append(std::slice::from_ref(entry))?;
        }
        Ok(())
    })?;
    timed(&mut times.close, || {
        drop(journal);
        Ok(())
    })?;
    timed(&mut times.cut, || {
        disk.power_cut(&mut simulation::Dice::new(number));
        Ok(())
    })?;
    let (journal, ledger) = timed(&mut times.reopen, || open(disk, key, reserve_pages))?;
    if ledger.chain().head != entries.last().map_or([0; 32], Entry::hash) {
        return Err("a synced commit was lost".into());
    }
    drop(journal);
    Ok(())
}

/// Four payments that were refused: eight commits.
fn entries(ledger: &mut Ledger, number: u64) -> Outcome<Vec<Entry>> {
    let mut entries = Vec::new();
    for round in 0..4_u8 {
        let mut id = [round; 16];
        id.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
        let top_up = TopUpId(id);
        let subject = Subject { top_up, card: CardNumber(33), generation: Generation(1), amount: Cents(10_00) };
        let intent = Fact::Intent {
            counter_seen: 4,
            purse_seen: Cents(50),
            receipt_before: 9,
            day: Day(20_000),
            order: domain::device::PaymentOrder::Vending,
            payment_terminal: None,
        };
        entries.push(ledger.intend(NOW, subject, intent)?);
        entries.push(ledger.record(NOW, top_up, Fact::Declined { code: FailureCode::PaymentRefused })?);
    }
    Ok(entries)
}

fn median(mut times: Vec<Duration>) -> u128 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0, Duration::as_micros)
}
