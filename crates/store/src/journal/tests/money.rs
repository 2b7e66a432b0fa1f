use super::*;

#[test]
fn what_was_appended_is_on_the_disk_when_append_returns() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let entries = [intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))];
    for entry in &entries {
        journal.append(std::slice::from_ref(entry)).unwrap();
    }
    let after = desk.copied();
    let reopened = after.open();
    assert_eq!(reopened.journal.entries().unwrap(), entries);
    assert_eq!(reopened.ledger, ledger);
    assert_eq!(reopened.journal.chain(), journal.chain());
    assert_eq!(reopened.report.boots, 2);
}

#[test]
fn an_entry_and_its_upload_come_in_one_commit() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let entry = intend(&mut ledger, top_up(1));
    journal.append(std::slice::from_ref(&entry)).unwrap();
    let [item] = &desk.copied().open().journal.outbox_next(9).unwrap()[..] else { panic!("one upload") };
    let upload = Upload::decode(&item.bytes).unwrap();
    assert_eq!(upload.body, UploadBody::LedgerEntry(entry.encode()));
    assert_eq!((upload.terminal(), upload.journal_generation, upload.key), (TERMINAL, 1, item.key));

    journal.connection.commit_hook(Some(|| true)).unwrap();
    let lost = journal.append(&[declined(&mut ledger, top_up(1))]);
    assert!(lost.is_err());
    let reopened = desk.copied().open().journal;
    assert_eq!(reopened.entries().unwrap().len(), 1);
    assert_eq!(reopened.outbox_counts().unwrap().queued, 1);
}

#[test]
fn nothing_is_booked_twice_and_nothing_out_of_the_chain() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let mut other = ledger.clone();
    let entry = intend(&mut ledger, top_up(1));
    journal.append(std::slice::from_ref(&entry)).unwrap();
    let check = |journal: &mut Journal, entry: Entry, expected: Refusal| {
        let refused = journal.append(&[entry]);
        assert!(matches!(refused, Err(StoreError::Refused(refusal)) if refusal == expected), "{refused:?}");
    };
    check(&mut journal, entry, Refusal::AlreadyBooked);
    check(&mut journal, intend(&mut other, top_up(2)), Refusal::OutOfChain);
    let next = declined(&mut ledger, top_up(1));
    check(&mut journal, Entry { prev: [9; 32], ..next.clone() }, Refusal::OutOfChain);
    check(&mut journal, Entry { seq: 3, ..next.clone() }, Refusal::OutOfChain);
    journal.append(&[next]).unwrap();
    assert_eq!(journal.entries().unwrap().len(), 2);
    assert_eq!(journal.outbox_counts().unwrap().queued, 2);
}

#[test]
fn the_database_itself_holds_one_entry_of_a_kind() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
    let sql = "INSERT INTO entry SELECT seq + 1, top_up, kind, hash, bytes FROM entry";
    let error = journal.connection.execute(sql, []).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ConstraintViolation));
}

#[test]
fn open_top_ups_come_back_whole_and_ended_ones_do_not() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let ended = [intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))];
    let open = [
        intend(&mut ledger, top_up(2)),
        ledger.record(NOW, top_up(2), Fact::Authorised { approval: approval() }).unwrap(),
    ];
    journal.append(&ended).unwrap();
    journal.append(&open).unwrap();
    assert_eq!(desk.copied().open().journal.open_top_ups().unwrap(), [open]);
}

#[test]
fn a_receipt_cuts_an_upload_to_its_hash_and_fits_no_other() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
    let item = journal.outbox_next(1).unwrap().remove(0);
    let city = NoteKey::from_seed("bahia-head", &[1; 32]).unwrap();
    let receipt = |key, bytes: &[u8]| Receipt::sign(key, bytes, 1, NOW, &city);
    for wrong in [receipt(item.key, b"other bytes"), receipt(IdempotencyKey([0; 16]), &item.bytes)] {
        assert!(matches!(journal.outbox_settle(&wrong), Err(StoreError::Refused(Refusal::Unknown))));
    }
    let right = receipt(item.key, &item.bytes);
    journal.outbox_settle(&right).unwrap();
    journal.outbox_settle(&right).unwrap();
    assert_eq!(journal.outbox_next(9).unwrap(), []);
    let kept: (Option<Vec<u8>>, Vec<u8>) = journal
        .connection
        .query_row("SELECT bytes, hash FROM outbox", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(kept, (None, right.upload_sha256.to_vec()));
}

fn city() -> NoteKey {
    NoteKey::from_seed("bahia-head", &[1; 32]).unwrap()
}

fn receipt(key: IdempotencyKey, bytes: &[u8]) -> Receipt {
    Receipt::sign(key, bytes, 1, NOW, &city())
}

/// Central receipts all that waits.
fn receipted(journal: &mut Journal) {
    for item in journal.outbox_next(99).unwrap() {
        journal.outbox_settle_later(receipt(item.key, &item.bytes)).unwrap();
    }
}

#[test]
fn receipts_are_written_down_with_the_next_commit_and_nothing_receipted_waits_meanwhile() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    journal.append(&[intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))]).unwrap();
    let items = journal.outbox_next(9).unwrap();
    let before = journal.commits();
    for wrong in [receipt(IdempotencyKey([0; 16]), b"foreign"), receipt(items[0].key, b"other bytes")] {
        assert!(matches!(journal.outbox_settle_later(wrong), Err(StoreError::Refused(Refusal::Unknown))));
    }
    journal.outbox_settle_later(receipt(items[0].key, &items[0].bytes)).unwrap();
    journal.outbox_settle_later(receipt(items[0].key, &items[0].bytes)).unwrap();
    assert_eq!(journal.commits(), before, "no commit of its own");
    assert_eq!(journal.outbox_next(9).unwrap(), items[1..]);
    assert_eq!(journal.outbox_counts().unwrap().queued, 1);
    assert_eq!(journal.outbox_kinds().unwrap()[0].queued, 1);
    assert_eq!(journal.outbox_unsent(0, 9).unwrap().len(), 1);
    assert_eq!(desk.copied().open().journal.outbox_next(9).unwrap(), items, "lost with the process: sent again");

    // A refused write carries nothing, and loses nothing.
    assert!(journal.append(&[intend(&mut Ledger::new(TERMINAL, 1), top_up(1))]).is_err());
    assert_eq!(journal.outbox_next(9).unwrap(), items[1..]);
    journal.raise_clock(NOW).unwrap();
    assert_eq!(journal.commits(), before + 1);
    assert_eq!(desk.copied().open().journal.outbox_next(9).unwrap(), items[1..]);

    receipted(&mut journal);
    journal.outbox_flush().unwrap();
    journal.outbox_flush().unwrap();
    assert_eq!(journal.commits(), before + 2);
    assert_eq!(desk.copied().open().journal.outbox_counts().unwrap().queued, 0);
}

#[test]
fn many_receipts_are_written_down_without_waiting_for_a_commit() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let records = Vec::new();
    let evidence = protocol::ClaimEvidence { card: 1, generation: 1, top_up: [1; 16], purse: None, records };
    for _ in 0..70 {
        journal.enqueue(UploadBody::ClaimEvidence(evidence.clone()), NOW).unwrap();
    }
    receipted(&mut journal);
    assert_eq!(desk.copied().open().journal.outbox_counts().unwrap().queued, 6);
}

/// Each entry waits for the one before; its upload is receipted at once; the receipt is printed.
#[test]
fn a_whole_top_up_costs_at_most_ten_commits() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let before = journal.commits();
    let seen = || {
        let evidence =
            protocol::ClaimEvidence { card: 1, generation: 1, top_up: [1; 16], purse: None, records: vec![] };
        vec![(UploadBody::ClaimEvidence(evidence), NOW)]
    };
    journal.append_with(&[intend(&mut ledger, top_up(1))], seen()).unwrap();
    for entry in finish(&mut ledger, top_up(1)) {
        receipted(&mut journal);
        journal.append_with(&[entry], seen()).unwrap();
    }
    receipted(&mut journal);
    let name = PrintName("urn:uuid:1".into());
    journal.print_intent(&name, NOW, None).unwrap();
    journal.print_outcome(&name, PrintOutcome::Printed, NOW, None).unwrap();
    receipted(&mut journal);
    journal.outbox_flush().unwrap();
    assert_eq!(journal.outbox_counts().unwrap().queued, 0);
    let commits = journal.commits() - before;
    // An order that reserves first journals one fact more.
    assert!(commits < 10, "{commits}");
}

#[test]
fn what_was_seen_lies_in_the_outbox_with_its_entry_or_not_at_all() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let seen = |card| {
        let records = Vec::new();
        let evidence = protocol::ClaimEvidence { card, generation: 1, top_up: [1; 16], purse: None, records };
        vec![(UploadBody::ClaimEvidence(evidence), NOW)]
    };
    let before = journal.commits();
    journal.append_with(&[intend(&mut ledger, top_up(1))], seen(1)).unwrap();
    assert_eq!(journal.commits(), before + 1);
    let kinds = |journal: &Journal| -> Vec<String> {
        journal.outbox_next(9).unwrap().into_iter().map(|item| item.kind).collect()
    };
    assert_eq!(kinds(&journal), ["ledger-entry", "claim-evidence"]);
    let twice = intend(&mut Ledger::new(TERMINAL, 1), top_up(1));
    assert!(journal.append_with(&[twice], seen(2)).is_err());
    assert_eq!(kinds(&desk.copied().open().journal), ["ledger-entry", "claim-evidence"]);
    journal.append_with(&[], seen(3)).unwrap();
    assert_eq!(kinds(&desk.copied().open().journal).len(), 3);
}

#[test]
fn a_poison_upload_stands_aside_with_its_reason_until_it_is_receipted_after_all() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let entries = [intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))];
    journal.append(&entries).unwrap();
    let poison = journal.outbox_next(1).unwrap().remove(0);
    journal.outbox_attempted(poison.key).unwrap();
    journal.outbox_quarantine(poison.key, "409 contradicts").unwrap();
    assert_eq!(journal.outbox_next(9).unwrap().len(), 1);
    assert_eq!(journal.outbox_quarantined().unwrap(), [(poison.key, "409 contradicts".to_owned())]);
    let counts = journal.outbox_counts().unwrap();
    assert_eq!((counts.queued, counts.quarantined, counts.oldest), (1, 1, Some(NOW)));
    let aside = journal.outbox_aside(0, 9).unwrap();
    assert_eq!((aside.len(), &aside[0].bytes), (1, &poison.bytes));
    assert_eq!(journal.outbox_aside(aside[0].position, 9).unwrap(), [], "a page behind the last is empty");
    let head = protocol::NoteKey::from_seed("bahia-head", &[4; 32]).unwrap();
    journal.outbox_settle_later(protocol::Receipt::sign(poison.key, &poison.bytes, 1, NOW, &head)).unwrap();
    assert_eq!(journal.outbox_aside(0, 9).unwrap(), [], "nobody asks again after what is receipted");
    journal.outbox_flush().unwrap();
    let counts = journal.outbox_counts().unwrap();
    assert_eq!((counts.queued, counts.quarantined, journal.outbox_quarantined().unwrap()), (1, 0, vec![]));
}

#[test]
fn money_is_sent_before_what_was_written_earlier() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let document = protocol::DocumentIssued::new(
        DocumentCode([5; 16]),
        domain::document::DocumentKind::VolanteIndividual,
        vec![1],
        NOW,
        true,
        b"%PDF".to_vec(),
    );
    let name = PrintName("urn:uuid:1".into());
    journal.print_intent(&name, NOW, None).unwrap();
    let deposit = UploadBody::DocumentIssued(document);
    journal.print_outcome(&name, PrintOutcome::Printed, NOW, Some(deposit.clone())).unwrap();
    journal.print_outcome(&name, PrintOutcome::Printed, NOW, Some(deposit)).unwrap();
    journal.append(&[intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))]).unwrap();
    let items = journal.outbox_next(9).unwrap();
    let kinds: Vec<&str> = items.iter().map(|item| item.kind.as_str()).collect();
    assert_eq!(kinds, ["ledger-entry", "ledger-entry", "document-issued"]);
}

fn status(version: &str) -> protocol::TerminalStatus {
    protocol::TerminalStatus { version: version.into(), ..protocol::TerminalStatus::default() }
}

#[test]
fn the_status_goes_last_and_a_newer_one_takes_its_place() {
    let desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    let first = journal.put_status(status("1"), NOW).unwrap();
    let document = protocol::DocumentIssued::new(
        DocumentCode([5; 16]),
        domain::document::DocumentKind::VolanteIndividual,
        vec![1],
        NOW,
        true,
        b"%PDF".to_vec(),
    );
    journal.enqueue(UploadBody::DocumentIssued(document), NOW).unwrap();
    journal.append(&[intend(&mut ledger, top_up(1))]).unwrap();
    let second = journal.put_status(status("2"), NOW.plus_ms(1)).unwrap();
    assert_ne!(first, second);
    let items = journal.outbox_next(9).unwrap();
    let kinds: Vec<&str> = items.iter().map(|item| item.kind.as_str()).collect();
    assert_eq!(kinds, ["ledger-entry", "document-issued", "status"]);
    assert_eq!(items[2].key, second);
    assert_eq!(journal.outbox_next(2).unwrap(), items[..2]);
    assert_eq!(journal.outbox_counts().unwrap().queued, 2, "a status is nothing that anybody waits for");
    assert!(journal.outbox_kinds().unwrap().iter().all(|kind| kind.kind != "status"));
    assert_eq!(journal.outbox_unsent(0, 9).unwrap().len(), 3, "a stick carries it");
}

#[test]
fn a_status_that_was_receipted_refused_or_replaced_leaves_nothing_behind() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    journal.put_status(status("1"), NOW).unwrap();
    let replaced = journal.outbox_next(1).unwrap().remove(0);
    journal.put_status(status("2"), NOW).unwrap();
    let signer = NoteKey::from_seed("bahia-head", &[1; 32]).unwrap();
    let late = Receipt::sign(replaced.key, &replaced.bytes, 0, NOW, &signer);
    assert!(matches!(journal.outbox_settle(&late), Err(StoreError::Refused(Refusal::Unknown))));
    receipted(&mut journal);
    journal.outbox_flush().unwrap();
    assert_eq!(journal.outbox_unsent(0, 9).unwrap(), []);
    let refused = journal.put_status(status("3"), NOW).unwrap();
    journal.outbox_quarantine(refused, "no").unwrap();
    assert_eq!((journal.outbox_quarantined().unwrap(), journal.outbox_unsent(0, 9).unwrap()), (vec![], vec![]));
}
