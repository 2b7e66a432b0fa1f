//! `show`: what is on a saved card, in words. No keys are needed, and none are shown.

use card_simulator::{AnyCard, ClassicCard, ClassicTopUp, VirtualCard};
use domain::card::{Movement, PinTries, TopUpRecord, Wishes};
use std::error::Error;
use std::io::Write;
use std::path::Path;

/// Prints what a saved card holds.
///
/// # Errors
/// When the card cannot be loaded, or standard output is closed.
pub(crate) fn show(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    match AnyCard::load(path)? {
        AnyCard::Desfire(card) => show_desfire(&card, &mut out)?,
        AnyCard::Classic(card) => show_classic(&card, &mut out)?,
    }
    Ok(())
}

fn show_desfire(card: &VirtualCard, out: &mut impl Write) -> std::io::Result<()> {
    let Some(purse) = card.purse() else { return writeln!(out, "no purse: blank, or of another layout") };
    writeln!(out, "purse      {} cents", purse.0)?;
    // The record 0 that each card is made with says nothing.
    for TopUpRecord { counter, day, top_up, amount, before, terminal } in
        card.top_ups().into_iter().filter(|record| record.counter != 0)
    {
        let (id, terminal) = (hex(&top_up.0), terminal.0);
        let moved = format!("{} cents added to {}", amount.0, before.0);
        writeln!(out, "top-up     no. {counter} on day {}: {moved}, at terminal {terminal}, id {id}", day.0)?;
    }
    for Movement { counter, minute, service, amount, balance } in
        card.movements().into_iter().filter(|record| record.counter != 0)
    {
        let moved = format!("{} cents paid for service {service}, {} left", amount.0, balance.0);
        writeln!(out, "movement   no. {counter} at minute {minute}: {moved}")?;
    }
    if let (Some(tries), Some(wishes)) = (card.tries(), card.wishes()) {
        writeln!(out, "tries      {}\nwishes     {}", tries_in_words(tries), wishes_in_words(&wishes))?;
    }
    if let Some((counter, _)) = card.transaction_mac() {
        writeln!(out, "commits    {counter}")?;
    }
    Ok(())
}

fn show_classic(card: &ClassicCard, out: &mut impl Write) -> std::io::Result<()> {
    let Some(seal) = card.seal() else { return writeln!(out, "no purse: blank") };
    for (name, block) in [("purse ", card.main_block()), ("backup", card.backup_block())] {
        match block {
            Some(block) => writeln!(out, "{name}     {} cents, address byte {}", block.value, block.address)?,
            None => writeln!(out, "{name}     no value block")?,
        }
    }
    writeln!(out, "seal       counter {}, day {}, {} cents", seal.counter, seal.day.0, seal.value_after.0)?;
    for ClassicTopUp { counter, top_up, amount, before, day } in card.top_ups() {
        let moved = format!("{} cents added to {}", amount.0, before.0);
        writeln!(out, "top-up     no. {counter} on day {}: {moved}, id {}", day.0, hex(&top_up))?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXUPPER.encode(bytes)
}

fn tries_in_words(tries: PinTries) -> String {
    let PinTries { attempt, failures, pin_version } = tries;
    let pin = if pin_version == 0 { "no PIN was set".to_owned() } else { format!("PIN version {pin_version}") };
    format!("{attempt} ever, {failures} wrong since the last right one; {pin}")
}

fn wishes_in_words(wishes: &Wishes) -> String {
    let letters = |code: [u8; 3]| code.iter().filter(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect();
    let language = wishes.language.map(letters).map(|code: String| format!("language {code}"));
    let flags = [
        (wishes.large_text, "large text"),
        (wishes.high_contrast, "high contrast"),
        (wishes.speech, "speech"),
        (wishes.more_time, "more time"),
        (wishes.simple_view, "simple view"),
    ];
    let named = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
    let all: Vec<String> = language.into_iter().chain(named).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}
