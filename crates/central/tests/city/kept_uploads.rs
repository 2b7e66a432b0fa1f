//! Uploads that no book takes, those that fill none, and those that travel on a stick.

use crate::envelopes::{Street, entries, numbers};
use crate::fixture::NOW;
use crate::tls::{EIGHT, SEVEN, client};
use crate::uploads::document;
use central::audit::{Actor, newest};
use central::db::{Transaction, params};
use central::import::import;
use central::uploads::terminal_status;
use central::{clock, quarantine};
use domain::{CardNumber, DocumentCode, Generation, TerminalId, TopUpId};
use ledger::Entry;
use protocol::export::token_sha256;
use protocol::{
    Central, ClaimEvidence, Enrolment, ExportHeader, ExportSealer, IdempotencyKey, Outcome, Problem, ProblemCode,
    SignedUpload, TerminalStatus, Upload, UploadBody,
};

/// Bytes that no present program reads, as a newer terminal would send them: a kind of upload that is not known.
fn of_a_newer_kind() -> Vec<u8> {
    let upload = Upload::decode(&entries()[0]).unwrap();
    let bytes = Upload { body: UploadBody::LedgerEntry(vec![1, 2, 3]), ..upload }.encode().unwrap();
    // The body is the last field: an array of the variant's number and its fields.
    let at = bytes.windows(6).rposition(|window| window[..2] == [0x82, 0x00]).unwrap();
    let mut newer = bytes;
    newer[at + 1] = 0x17;
    assert!(Upload::decode(&newer).is_err());
    newer
}

#[tokio::test]
async fn what_no_book_can_take_is_kept_for_a_person_and_blocks_nothing() {
    let street = Street::open(208).await;
    let all = entries();
    let mut contradicting = Upload::decode(&all[0]).unwrap();
    contradicting.key = IdempotencyKey([77; 16]);
    let UploadBody::LedgerEntry(bytes) = &contradicting.body else { panic!("an entry") };
    let mut entry = Entry::decode(bytes).unwrap();
    entry.at = entry.at.plus_ms(1);
    contradicting.body = UploadBody::LedgerEntry(entry.encode());
    let batch =
        [all[0].clone(), of_a_newer_kind(), contradicting.encode().unwrap(), b"nonsense".to_vec(), all[1].clone()];
    let outcomes = street.send(&batch).await;
    let head = street.city().keys().head_key().unwrap().verifier();
    let kept = |at: usize| match &outcomes[at] {
        Outcome::Kept(kept) => {
            assert_eq!(kept.verify(&batch[at], &head), Ok(()));
            (kept.case, kept.owner.clone())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(numbers(&[outcomes[0].clone(), outcomes[4].clone()]), [1, 2]);
    let (newer, money, nonsense) = (kept(1), kept(2), kept(3));
    assert_eq!([&newer.1, &money.1, &nonsense.1], ["technician", "finance", "technician"]);
    // Again: the same cases, and nothing is kept twice.
    assert_eq!(street.send(&batch).await, outcomes);
    let database = street.city().database();
    let cases = quarantine::view(database.read(), false).unwrap();
    let told = |case: &quarantine::Case| (case.kind.clone(), case.problem.clone(), case.terminal);
    let expected = [("unreadable", "malformed"), ("ledger-entry", "conflict"), ("unreadable", "malformed")];
    assert_eq!(
        cases.iter().map(told).collect::<Vec<_>>(),
        expected.map(|(kind, code)| (kind.into(), code.into(), SEVEN))
    );
    assert!(cases.iter().all(|case| case.state == "open"));
    let stored = street.city().stored();
    assert!(!stored.windows(8).any(|window| window == b"nonsense"), "what is kept is sealed");
}

/// Gives a verification code to a terminal, by a mistake of the office.
fn belongs(street: &Street, code: DocumentCode, terminal: TerminalId) {
    let sql = "UPDATE code SET terminal = ?1 WHERE code = ?2";
    let give = |write: &Transaction<'_>| Ok(write.execute(sql, params![terminal.0, code.0])?);
    street.city().database().write(give).unwrap();
}

#[tokio::test]
async fn a_case_is_shown_retried_and_closed_by_somebody_and_never_deleted() {
    let street = Street::open(209).await;
    let head = street.city().keys().head_key().unwrap().verifier();
    let codes = street.central.code_batch(SEVEN, 1).await.unwrap().verify(SEVEN, &head).unwrap().codes;
    let deposit = Upload { terminal: SEVEN.0, ..document(street.city(), codes[0], 1) }.encode().unwrap();
    // By a mistake of the office the code is another terminal's, for a while.
    let (mut database, keys) = (street.city().database(), street.city().keys());
    street.secure.enrolled(&crate::tls::keys(EIGHT, 3));
    belongs(&street, codes[0], EIGHT);
    let outcomes = street.send(&[deposit.clone(), b"nonsense".to_vec()]).await;
    let [Outcome::Kept(first), Outcome::Kept(second)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(first.owner, "registry");
    let (first, second) = (i64::try_from(first.case).unwrap(), i64::try_from(second.case).unwrap());
    let actor = Actor { name: "ana".into(), role: central::audit::Role::Technician };
    assert!(!quarantine::retry(&mut database, &keys, &actor, first, NOW).unwrap());
    let (case, bytes) = quarantine::show(&mut database, &keys, &actor, first, NOW).unwrap();
    assert_eq!((case.id, bytes.as_slice()), (first, deposit.as_slice()));
    belongs(&street, codes[0], SEVEN);
    assert!(quarantine::retry(&mut database, &keys, &actor, first, NOW).unwrap());
    assert_eq!((street.count("document"), street.count("upload WHERE signature IS NOT NULL")), (1, 1));
    // The terminal that sends it once more gets its receipt now.
    assert_eq!(numbers(&street.send(&[deposit]).await), [1]);
    assert!(quarantine::close(&mut database, &actor, second, " ", NOW).is_err(), "without a reason");
    quarantine::close(&mut database, &actor, second, "a test of the line", NOW).unwrap();
    assert!(quarantine::close(&mut database, &actor, second, "again", NOW).is_err());
    assert!(quarantine::retry(&mut database, &keys, &actor, 99, NOW).is_err());
    assert_eq!(quarantine::view(database.read(), false).unwrap(), []);
    let all = quarantine::view(database.read(), true).unwrap();
    let ended: Vec<_> = all.iter().map(|case| (case.state.as_str(), case.note.as_deref())).collect();
    assert_eq!(ended, [("taken", None), ("closed", Some("a test of the line"))]);
    let lines: Vec<String> = newest(database.read(), 4).unwrap().into_iter().rev().map(|line| line.what).collect();
    assert_eq!(lines, ["quarantine tried in vain", "quarantine shown", "quarantine taken", "quarantine closed"]);
}

#[tokio::test]
async fn what_a_person_has_closed_is_booked_by_nobody_when_it_comes_again() {
    let street = Street::open(214).await;
    let head = street.city().keys().head_key().unwrap().verifier();
    let codes = street.central.code_batch(SEVEN, 1).await.unwrap().verify(SEVEN, &head).unwrap().codes;
    let deposit = Upload { terminal: SEVEN.0, ..document(street.city(), codes[0], 1) }.encode().unwrap();
    let mut database = street.city().database();
    street.secure.enrolled(&crate::tls::keys(EIGHT, 3));
    belongs(&street, codes[0], EIGHT);
    let [Outcome::Kept(first)] = &street.send(std::slice::from_ref(&deposit)).await[..] else { panic!("it is kept") };
    let (actor, case) = (Actor::console(), i64::try_from(first.case).unwrap());
    quarantine::close(&mut database, &actor, case, "entered by hand", NOW).unwrap();
    // What stood in its way is gone, as with a newer program; it was done by hand all the same.
    belongs(&street, codes[0], SEVEN);
    let [Outcome::Kept(again)] = &street.send(std::slice::from_ref(&deposit)).await[..] else { panic!("kept again") };
    again.verify(&deposit, &head).unwrap();
    assert_eq!((again.case, again.received, &again.owner), (first.case, first.received, &first.owner));
    assert_eq!((street.count("document"), street.count("upload")), (0, 0));
    let all = quarantine::view(database.read(), true).unwrap();
    assert_eq!((all.len(), all[0].state.as_str()), (1, "closed"));
}

#[tokio::test]
async fn the_newest_status_of_a_terminal_counts_and_fills_no_book() {
    let street = Street::open(210).await;
    let status = |version: &str, written: i64, key: u8| {
        let waiting = vec![protocol::WaitingKind { kind: "ledger-entry".into(), queued: 3, quarantined: 1 }];
        let status = TerminalStatus { version: version.into(), waiting, ..TerminalStatus::default() };
        let (key, body) = (IdempotencyKey([key; 16]), UploadBody::Status(status));
        Upload { terminal: SEVEN.0, journal_generation: 1, key, written, body }.encode().unwrap()
    };
    let wrong = status(&"x".repeat(65), 50, 9);
    let outcomes = street.send(&[status("2", 20, 1), status("1", 10, 2), wrong, entries()[0].clone()]).await;
    assert!(matches!(&outcomes[2], Outcome::Kept(kept) if kept.owner == "technician"));
    let numbers = numbers(&[outcomes[0].clone(), outcomes[1].clone(), outcomes[3].clone()]);
    assert_eq!(numbers, [0, 0, 1], "a status bears no number");
    let heard = terminal_status::all(street.city().database().read()).unwrap();
    assert_eq!(heard.len(), 1);
    assert_eq!((heard[0].terminal, heard[0].written.0, heard[0].status.version.as_str()), (SEVEN, 20, "2"));
    assert_eq!((heard[0].status.queued(), heard[0].status.quarantined(), street.count("upload")), (3, 1, 1));
}

#[tokio::test]
async fn an_entry_behind_one_that_central_failed_at_waits_with_it() {
    let street = Street::open(211).await;
    street.send(&entries()[..1]).await;
    // A receipt that no longer reads, under the second's key.
    let mut database = street.city().database();
    let spoil = "INSERT INTO upload (key, number, terminal, journal_generation, written, received, kind, sha256, bytes,
                 receipt) VALUES (?1, 0, 7, 1, 0, 0, 'ledger-entry', ?2, ?3, ?3)";
    let hash: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(&entries()[1]).into();
    database.write(|write| Ok(write.execute(spoil, params![[2_u8; 16], hash, b"spoilt"])?)).unwrap();
    let evidence = ClaimEvidence::new(CardNumber(3_300_000_017), Generation(1), TopUpId([9; 16]), None, &[]);
    let (key, body) = (IdempotencyKey([50; 16]), UploadBody::ClaimEvidence(evidence));
    let seen = Upload { terminal: SEVEN.0, journal_generation: 1, key, written: 1, body }.encode().unwrap();
    let batch = [entries()[1].clone(), entries()[2].clone(), seen, entries()[3].clone()];
    let outcomes = street.send(&batch).await;
    let taken: Vec<bool> = outcomes.iter().map(|outcome| matches!(outcome, Outcome::Taken(_))).collect();
    assert_eq!(taken, [false, false, true, false], "{outcomes:?}");
    assert_eq!(street.count("entry"), 1);
}

/// An outbox on a stick, as a terminal with keys of its own writes it, or as `change` has it.
fn stick(bundle: &Enrolment, signed: &[SignedUpload], is_signed: bool) -> Vec<u8> {
    let token = token_sha256(&bundle.access_token);
    let (header, secret) = ExportHeader::to_central(SEVEN, NOW, &bundle.central_key.unwrap(), [5; 32]).unwrap();
    let header = if is_signed { header.signed() } else { header };
    let mut sealer = ExportSealer::new(&header, &secret, &token).unwrap();
    let mut file = header.encode();
    for upload in signed {
        let frame = if is_signed { sealer.seal_signed(upload) } else { sealer.seal(&upload.bytes) };
        file.extend(frame.unwrap());
    }
    file.extend(sealer.finish().unwrap());
    file
}

#[tokio::test]
async fn a_stick_carries_the_same_signed_uploads_and_none_that_are_not_signed() {
    let mut street = Street::open(212).await;
    let (bundle, certificate) = street.secure.enrol_at(&street.keys, clock::now());
    street.central = client(&street.secure.running.url(), &bundle.authorities, &certificate, &street.keys.tls);
    let (mut database, keys) = (street.city().database(), street.city().keys());
    let mut take = |file: &[u8]| import(&mut database, &keys, file, NOW).map_err(Problem::from);
    let mut batch = street.signed(&entries());
    batch[4].signature[0] ^= 1;
    let imported = take(&stick(&bundle, &batch, true)).unwrap();
    assert_eq!((imported.taken, imported.known, imported.refused), (4, 0, 1));
    // By network later: the same receipts, and the one that was changed on its way.
    assert_eq!(numbers(&street.send(&entries()).await), [1, 2, 3, 4, 5]);
    let imported = take(&stick(&bundle, &street.signed(&entries()), true)).unwrap();
    assert_eq!((imported.taken, imported.known, imported.refused), (0, 5, 0));
    assert_eq!(take(&stick(&bundle, &batch, false)).unwrap_err().code, ProblemCode::Unauthorised);
    assert_eq!((street.count("upload WHERE signature IS NOT NULL"), street.count("upload")), (5, 5));
    // The number goes to a terminal with a token: nobody can say any more who signed.
    let token = street.city().enrol_another(SEVEN, "http://127.0.0.1:1", NOW);
    let signed = stick(&token, &street.signed(&entries()), true);
    assert_eq!(take(&signed).unwrap_err().code, ProblemCode::Unauthorised);
}
