use super::*;
use crate::{OutboxKind, count_set_aside};
use protocol::ClaimEvidence;

fn evidence() -> UploadBody {
    UploadBody::ClaimEvidence(ClaimEvidence { card: 1, generation: 1, top_up: [1; 16], purse: None, records: vec![] })
}

#[test]
fn what_waits_is_counted_by_kind_and_what_was_receipted_is_not() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    assert_eq!(journal.outbox_kinds().unwrap(), []);
    let mut ledger = Ledger::new(TERMINAL, journal.generation());
    journal.append(&[intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))]).unwrap();
    journal.enqueue(evidence(), NOW.plus_ms(5)).unwrap();
    let kind = |kind: &str, queued, quarantined, oldest| OutboxKind { kind: kind.into(), queued, quarantined, oldest };
    let claim = kind("claim-evidence", 1, 0, NOW.plus_ms(5));
    assert_eq!(journal.outbox_kinds().unwrap(), [claim.clone(), kind("ledger-entry", 2, 0, NOW)]);

    let items = journal.outbox_next(9).unwrap();
    let signer = NoteKey::from_seed("bahia-head", &[1; 32]).unwrap();
    journal.outbox_settle(&Receipt::sign(items[0].key, &items[0].bytes, 1, NOW, &signer)).unwrap();
    journal.outbox_quarantine(items[1].key, "no").unwrap();
    assert_eq!(journal.outbox_kinds().unwrap(), [claim, kind("ledger-entry", 0, 1, NOW)]);
}

#[test]
fn the_unsent_come_in_pages_with_the_quarantined_and_without_the_sent() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let keys: Vec<IdempotencyKey> = (0..5).map(|at| journal.enqueue(evidence(), NOW.plus_ms(at)).unwrap()).collect();
    let items = journal.outbox_next(9).unwrap();
    let signer = NoteKey::from_seed("bahia-head", &[1; 32]).unwrap();
    journal.outbox_settle(&Receipt::sign(keys[1], &items[1].bytes, 1, NOW, &signer)).unwrap();
    journal.outbox_quarantine(keys[3], "no").unwrap();
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = journal.outbox_unsent(after, 2).unwrap();
        let Some(last) = page.last() else { break };
        after = last.position;
        found.extend(page.into_iter().map(|unsent| Upload::decode(&unsent.bytes).unwrap().key));
    }
    assert_eq!(found, [keys[0], keys[2], keys[3], keys[4]]);
}

#[test]
fn sheets_are_counted_since_paper_was_filled_and_a_doubtful_one_counts() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let outcomes = [
        PrintOutcome::Printed,
        PrintOutcome::Printed,
        PrintOutcome::Uncertain(FailureCode::PaperJam),
        PrintOutcome::NotPrinted(FailureCode::PaperOut),
    ];
    for (at, outcome) in (0..).zip(outcomes) {
        let name = PrintName(format!("urn:uuid:{at}"));
        journal.print_intent(&name, NOW.plus_ms(at), None).unwrap();
        journal.print_outcome(&name, outcome, NOW.plus_ms(at), None).unwrap();
    }
    assert_eq!(journal.sheets_since(Timestamp(0)).unwrap(), 3);
    assert_eq!(journal.sheets_since(NOW.plus_ms(1)).unwrap(), 2);
    assert_eq!(journal.sheets_since(NOW.plus_ms(9)).unwrap(), 0);
}

#[test]
fn journals_set_aside_are_counted_while_they_lie_there() {
    let desk = Desk::new();
    desk.open();
    assert_eq!(count_set_aside(&desk.path()).unwrap(), 0);
    std::fs::write(desk.path(), vec![7; 8192]).unwrap();
    let aside = desk.open().report.set_aside.unwrap().path;
    assert_eq!(count_set_aside(&desk.path()).unwrap(), 1);
    std::fs::remove_file(aside).unwrap();
    assert_eq!(count_set_aside(&desk.path()).unwrap(), 0);
}
