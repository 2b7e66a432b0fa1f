use crate::fixture::{City, NOW, TERMINAL};
use central::db::params;
use central::{books, quarantine, report, uploads};
use domain::device::PaymentApproval;
use domain::document::DocumentKind;
use domain::{CardNumber, Cents, DocumentCode, Generation, Timestamp, TopUpId};
use ledger::{Account, Entry, Fact, Ledger, Outcome, Subject};
use protocol::{DocumentIssued, IdempotencyKey, Problem, ProblemCode, Receipt, Upload, UploadBody, VolanteFacts};

const AMOUNT: Cents = Cents(2_000);

pub(crate) fn top_up(ledger: &mut Ledger, id: u8) -> Vec<Entry> {
    let top_up = TopUpId([id; 16]);
    let subject = Subject { top_up, card: CardNumber(3_300_000_017), generation: Generation(1), amount: AMOUNT };
    let (before, after) = (Cents(150), Cents(2_150));
    let intent = Fact::Intent {
        counter_seen: 1,
        purse_seen: before,
        receipt_before: 4,
        day: NOW.day(),
        order: domain::device::PaymentOrder::Vending,
        payment_terminal: None,
    };
    let approval = PaymentApproval { amount: AMOUNT, ..PaymentApproval::default() };
    let mut entries = vec![ledger.intend(NOW, subject, intent).unwrap()];
    for fact in [Fact::Authorised { approval }, Fact::CreditStarted, Fact::Credited { before, after }, Fact::Posted] {
        entries.push(ledger.record(NOW, top_up, fact).unwrap());
    }
    entries
}

pub(crate) fn upload(entry: &Entry, key: u8) -> Vec<u8> {
    let body = UploadBody::LedgerEntry(entry.encode());
    let journal_generation = entry.journal_generation;
    let terminal = entry.terminal.0;
    let upload = Upload { terminal, journal_generation, key: IdempotencyKey([key; 16]), written: 1, body };
    upload.encode().unwrap()
}

struct Desk {
    city: City,
}

impl Desk {
    fn open() -> Self {
        let city = City::seeded(21, 20, 0);
        city.enrol("http://127.0.0.1:1");
        Self { city }
    }

    fn take_at(&self, bytes: &[u8], now: Timestamp) -> Result<Receipt, Problem> {
        uploads::take(&mut self.city.database(), &self.city.keys(), TERMINAL, bytes, now).map_err(Problem::from)
    }

    fn take(&self, bytes: &[u8]) -> Result<Receipt, Problem> {
        self.take_at(bytes, NOW)
    }

    fn noticed(&self) -> Vec<String> {
        report::anomalies(self.city.database().read()).unwrap().into_iter().map(|anomaly| anomaly.kind).collect()
    }
}

fn code_of(result: Result<Receipt, Problem>) -> ProblemCode {
    result.unwrap_err().code
}

#[test]
fn a_whole_top_up_is_booked_and_the_books_balance() {
    let desk = Desk::open();
    for (key, entry) in (1..).zip(top_up(&mut Ledger::new(TERMINAL, 1), 9)) {
        let bytes = upload(&entry, key);
        let head_key = desk.city.keys().head_key().unwrap().verifier();
        desk.take(&bytes).unwrap().verify(&bytes, &head_key).unwrap();
    }
    let database = desk.city.database();
    let balances = books::balances(database.read()).unwrap();
    assert_eq!(balances.get(Account::Acquirer), AMOUNT);
    assert_eq!(balances.get(Account::Purses), -AMOUNT);
    assert_eq!((balances.get(Account::Transit), balances.total()), (Cents::ZERO, Cents::ZERO));
    let lines = report::top_ups(&books::entries(database.read()).unwrap());
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].outcome, lines[0].amount), (Some(Outcome::Completed), AMOUNT));
    assert!(desk.noticed().is_empty());
    let text = report::ledger_text(&database, "Europe/Madrid").unwrap();
    assert!(text.contains("credited") && text.contains("completed") && text.contains("20,00"), "{text}");
}

#[test]
fn a_repeat_gets_the_first_receipt_and_is_booked_once() {
    let desk = Desk::open();
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    let first = desk.take(&upload(&entries[0], 1)).unwrap();
    let again = desk.take_at(&upload(&entries[0], 1), NOW.plus_ms(60_000)).unwrap();
    assert_eq!(first, again);
    let other_key = desk.take_at(&upload(&entries[0], 2), NOW.plus_ms(90_000)).unwrap();
    assert_eq!((other_key.number, other_key.received), (first.number, first.received));
    assert_eq!(books::entries(desk.city.database().read()).unwrap().len(), 1);
    let next = desk.take(&upload(&entries[1], 3)).unwrap();
    assert_eq!(next.number, first.number + 1);
}

#[test]
fn a_repeat_after_a_new_head_key_is_receipted_under_the_new_one() {
    let desk = Desk::open();
    let bytes = upload(&top_up(&mut Ledger::new(TERMINAL, 1), 9)[0], 1);
    let first = desk.take(&bytes).unwrap();
    let mut keys = desk.city.keys();
    keys.renew_head(None, NOW).unwrap();
    keys.save_over(&desk.city.data.keys()).unwrap();
    let head_key = keys.head_key().unwrap().verifier();
    assert!(first.verify(&bytes, &head_key).is_err());
    let again = desk.take_at(&bytes, NOW.plus_ms(60_000)).unwrap();
    again.verify(&bytes, &head_key).unwrap();
    assert_eq!((again.number, again.received), (first.number, first.received));
}

#[test]
fn a_key_or_a_fact_used_again_with_other_content_is_refused_and_noticed() {
    let desk = Desk::open();
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    desk.take(&upload(&entries[0], 1)).unwrap();
    assert_eq!(code_of(desk.take(&upload(&entries[1], 1))), ProblemCode::Conflict);
    let mut altered = entries[0].clone();
    altered.at = altered.at.plus_ms(1);
    assert_eq!(code_of(desk.take(&upload(&altered, 2))), ProblemCode::Conflict);
    assert_eq!(desk.noticed(), ["refused", "refused"]);
    assert_eq!(books::entries(desk.city.database().read()).unwrap().len(), 1);
}

#[test]
fn bytes_that_are_no_upload_no_entry_or_anothers_are_refused() {
    let desk = Desk::open();
    assert_eq!(code_of(desk.take(b"nonsense")), ProblemCode::Malformed);
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    let mut bad = Upload::decode(&upload(&entries[0], 1)).unwrap();
    bad.body = UploadBody::LedgerEntry(vec![0]);
    assert_eq!(code_of(desk.take(&bad.encode().unwrap())), ProblemCode::Malformed);
    let mut stolen = Upload::decode(&upload(&entries[0], 1)).unwrap();
    stolen.terminal = 4;
    assert_eq!(code_of(desk.take(&stolen.encode().unwrap())), ProblemCode::Unauthorised);
}

#[test]
fn an_entry_whose_sums_no_ledger_writes_is_kept_and_not_booked() {
    let desk = Desk::open();
    let good = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    let mut key = 10;
    let mut check = |at: usize, spoil: fn(&mut Entry)| {
        let mut entry = good[at].clone();
        spoil(&mut entry);
        key += 1;
        assert_eq!(code_of(desk.take(&upload(&entry, key))), ProblemCode::Malformed, "{entry:?}");
    };
    let pair = |amount: i64| [(Account::Acquirer, amount), (Account::Transit, -amount)];
    let postings = |amount| pair(amount).map(|(account, amount)| ledger::Posting { account, amount: Cents(amount) });
    assert_eq!(good[1].postings, postings(AMOUNT.0), "what a payment moves");
    check(1, |entry| entry.postings[0].amount = Cents(i64::MAX));
    check(1, |entry| {
        entry.postings[0].amount = Cents(i64::MAX);
        entry.postings[1].amount = Cents(-i64::MAX);
    });
    check(1, |entry| {
        entry.subject.amount = Cents(i64::MAX);
        entry.postings[0].amount = Cents(i64::MAX);
        entry.postings[1].amount = Cents(-i64::MAX);
    });
    check(1, |entry| entry.postings = entry.postings.repeat(3));
    check(1, |entry| entry.subject.amount = Cents(0));
    check(1, |entry| entry.subject.amount = Cents(i64::MIN));
    check(1, |entry| entry.seq = u64::MAX);
    check(2, |entry| {
        entry.postings = vec![
            ledger::Posting { account: Account::Cash, amount: Cents(1) },
            ledger::Posting { account: Account::Loss, amount: Cents(-1) },
        ];
    });
    let database = desk.city.database();
    assert!(books::entries(database.read()).unwrap().is_empty());
    assert_eq!(books::balances(database.read()).unwrap().total(), Cents::ZERO);
}

#[test]
fn a_terminal_fills_no_more_than_its_share_of_the_quarantine() {
    let desk = Desk::open();
    assert_eq!(code_of(desk.take(b"nonsense")), ProblemCode::Malformed);
    let fill = "INSERT INTO quarantine (terminal, sha256, received, kind, problem, detail, owner, sealed, state)
                VALUES (?1, ?2, 1, 'unreadable', 'malformed', 'x', 'technician', ?2, 'open')";
    let mut database = desk.city.database();
    database
        .write(|transaction| {
            for number in 1..quarantine::CASES_MAX {
                let mut hash = [0; 32];
                hash[..8].copy_from_slice(&number.to_be_bytes());
                transaction.execute(fill, params![TERMINAL.0, hash])?;
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(code_of(desk.take(b"more nonsense")), ProblemCode::LimitReached, "for now");
    assert_eq!(code_of(desk.take(b"nonsense")), ProblemCode::Malformed, "what is there is told again");
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    desk.take(&upload(&entries[0], 1)).unwrap();
    let first = quarantine::view(database.read(), false).unwrap().remove(0).id;
    quarantine::close(&mut database, &central::audit::Actor::console(), first, "seen to", NOW).unwrap();
    let again = quarantine::close(&mut database, &central::audit::Actor::console(), first, "seen to", NOW);
    assert!(again.unwrap_err().to_string().contains("has ended"));
    assert_eq!(code_of(desk.take(b"more nonsense")), ProblemCode::Malformed, "there is room again");
}

#[test]
fn a_gap_in_a_journal_is_noticed_and_filled_without_alarm() {
    let desk = Desk::open();
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    desk.take(&upload(&entries[0], 1)).unwrap();
    desk.take(&upload(&entries[2], 3)).unwrap();
    assert_eq!(desk.noticed(), ["gap"]);
    desk.take(&upload(&entries[1], 2)).unwrap();
    desk.take(&upload(&entries[3], 4)).unwrap();
    assert_eq!(desk.noticed(), ["gap"]);
}

#[test]
fn a_rolled_back_journal_is_noticed_and_its_money_booked_all_the_same() {
    let desk = Desk::open();
    let mut ledger = Ledger::new(TERMINAL, 1);
    let restored = ledger.clone();
    for (key, entry) in (1..).zip(top_up(&mut ledger, 9)) {
        desk.take(&upload(&entry, key)).unwrap();
    }
    for (key, entry) in (11..).zip(top_up(&mut restored.clone(), 8)) {
        desk.take(&upload(&entry, key)).unwrap();
    }
    assert!(desk.noticed().iter().all(|kind| kind == "rollback") && !desk.noticed().is_empty());
    let balances = books::balances(desk.city.database().read()).unwrap();
    assert_eq!(balances.get(Account::Purses), Cents(-4_000));
}

#[test]
fn a_new_generation_of_a_journal_begins_its_own_chain() {
    let desk = Desk::open();
    for (key, entry) in (1..).zip(top_up(&mut Ledger::new(TERMINAL, 1), 9)) {
        desk.take(&upload(&entry, key)).unwrap();
    }
    for (key, entry) in (11..).zip(top_up(&mut Ledger::new(TERMINAL, 2), 8)) {
        desk.take(&upload(&entry, key)).unwrap();
    }
    assert!(desk.noticed().is_empty());
}

pub(crate) fn facts() -> VolanteFacts {
    VolanteFacts {
        kind: DocumentKind::VolanteIndividual.name().to_owned(),
        id: [2; 16],
        name: "Nel <b>Marea</b> Uría".to_owned(),
        identity_number: "12345678U".to_owned(),
        born: 3_000,
        street: "Calle de la Ola 3".to_owned(),
        place: "33201 Ciudad de la Bahía".to_owned(),
        district: "Distrito 1, sección 2".to_owned(),
        registered: 9_000,
        data_day: 20_779,
        until: 20_869,
    }
}

/// What the document says of a person.
pub(crate) fn personal() -> Vec<String> {
    let facts = facts();
    vec![facts.name, facts.identity_number, facts.street]
}

pub(crate) fn document(city: &City, code: DocumentCode, key: u8) -> Upload {
    let signed = facts().sign(&city.keys().facts_key().unwrap()).unwrap();
    let kind = DocumentKind::VolanteIndividual;
    let issued = DocumentIssued::new(code, kind, signed, NOW, true, b"%PDF-1.7 invented".to_vec());
    let body = UploadBody::DocumentIssued(issued);
    Upload { terminal: TERMINAL.0, journal_generation: 1, key: IdempotencyKey([key; 16]), written: NOW.0, body }
}

#[test]
fn a_document_is_deposited_once_under_a_code_of_its_own_terminal() {
    let city = City::seeded(22, 20, 0);
    let bundle = city.enrol("http://127.0.0.1:1");
    let head = city.keys().head_key().unwrap().verifier();
    let codes = protocol::CodeBatch::verify(&bundle.codes, TERMINAL, &head).unwrap().codes;
    let desk = Desk { city };
    let good = document(&desk.city, codes[0], 1);
    desk.take(&good.encode().unwrap()).unwrap();
    desk.take(&Upload { key: IdempotencyKey([2; 16]), ..good.clone() }.encode().unwrap()).unwrap();
    assert_eq!(report::deposits(desk.city.database().read()).unwrap().len(), 1);

    let invented = document(&desk.city, DocumentCode([1; 16]), 3);
    assert_eq!(code_of(desk.take(&invented.encode().unwrap())), ProblemCode::Conflict);
    let mut torn = document(&desk.city, codes[1], 4);
    if let UploadBody::DocumentIssued(issued) = &mut torn.body {
        issued.pdf.pop();
    }
    assert_eq!(code_of(desk.take(&torn.encode().unwrap())), ProblemCode::Malformed);
    let mut forged = document(&desk.city, codes[1], 5);
    if let UploadBody::DocumentIssued(issued) = &mut forged.body {
        let last = issued.signed_facts.len() - 1;
        issued.signed_facts[last] ^= 1;
    }
    assert_eq!(code_of(desk.take(&forged.encode().unwrap())), ProblemCode::Conflict);
}
