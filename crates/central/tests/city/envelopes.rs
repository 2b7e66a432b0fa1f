//! Signed and sealed uploads over TLS: what is taken, what is refused as a whole, and what is kept for a person.

use crate::backend::Backend;
use crate::fixture::{City, technician};
use crate::tls::{EIGHT, Keys, SEVEN, Secure, client, keys};
use crate::uploads::{document, top_up};
use central::{CityServer, books, ca_store, clock, enrol};
use domain::TerminalId;
use ledger::{Entry, Ledger};
use protocol::envelope::{self, ENVELOPE, ENVELOPE_BYTES_MAX, KeyId};
use protocol::{
    Central, HpkePublic, HpkeSecret, IdempotencyKey, Outcome, Outgoing, Problem, ProblemCode, Secret32, SignedUpload,
    Upload, UploadBody, UploadSigner, UploadVerifier,
};
use std::sync::mpsc;
use std::time::Duration;
use sync::HttpCentral;

/// A terminal of a city over TLS, with what it needs to do wrong.
pub(crate) struct Street {
    pub(crate) secure: Secure,
    pub(crate) keys: Keys,
    pub(crate) central: HttpCentral,
    to: HpkePublic,
}

impl Street {
    pub(crate) async fn open(seed: u64) -> Self {
        let (secure, keys) = (Secure::open(seed).await, keys(SEVEN, 1));
        let central = secure.enrolled(&keys);
        let to = secure.city.keys().export_key().unwrap().public().unwrap();
        Self { secure, keys, central, to }
    }

    pub(crate) fn city(&self) -> &City {
        &self.secure.city
    }

    pub(crate) fn signer(&self) -> UploadSigner {
        UploadSigner::new(SEVEN, &self.keys.signing)
    }

    pub(crate) fn sealed(&self, uploads: &[SignedUpload]) -> Vec<u8> {
        envelope::seal("bahia", SEVEN, uploads, &self.to, [9; 32]).unwrap()
    }

    pub(crate) fn signed(&self, uploads: &[Vec<u8>]) -> Vec<SignedUpload> {
        uploads.iter().map(|bytes| self.signer().signed(bytes.clone())).collect()
    }

    pub(crate) async fn send(&self, uploads: &[Vec<u8>]) -> Vec<Outcome> {
        self.central.hand_over(self.sealed(&self.signed(uploads))).await.unwrap()
    }

    pub(crate) async fn refused(&self, envelope: Vec<u8>) -> Problem {
        self.central.hand_over(envelope).await.unwrap_err()
    }

    pub(crate) fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.city().database().read().query_row(&sql, &[], |row| row.get(0)).unwrap()
    }
}

pub(crate) fn of_entry(entry: &Entry, key: u8) -> Vec<u8> {
    let body = UploadBody::LedgerEntry(entry.encode());
    let journal_generation = entry.journal_generation;
    Upload { terminal: SEVEN.0, journal_generation, key: IdempotencyKey([key; 16]), written: 1, body }.encode().unwrap()
}

pub(crate) fn entries() -> Vec<Vec<u8>> {
    (1..).zip(&top_up(&mut Ledger::new(SEVEN, 1), 9)).map(|(key, entry)| of_entry(entry, key)).collect()
}

pub(crate) fn numbers(outcomes: &[Outcome]) -> Vec<u64> {
    let number = |outcome: &Outcome| match outcome {
        Outcome::Taken(receipt) => receipt.number,
        other => panic!("{other:?}"),
    };
    outcomes.iter().map(number).collect()
}

#[tokio::test]
async fn an_envelope_is_booked_receipted_in_order_and_keeps_its_signatures() {
    let street = Street::open(201).await;
    let outcomes = street.send(&entries()).await;
    assert_eq!(numbers(&outcomes), [1, 2, 3, 4, 5]);
    let head = street.city().keys().head_key().unwrap().verifier();
    for (outcome, bytes) in outcomes.iter().zip(entries()) {
        let Outcome::Taken(receipt) = outcome else { panic!("{outcome:?}") };
        receipt.verify(&bytes, &head).unwrap();
    }
    let database = street.city().database();
    assert_eq!(books::entries(database.read()).unwrap().len(), 5);
    // Anybody with the terminal's public key can verify what it said, for ever.
    let sql = "SELECT u.bytes, u.signature, k.public_key FROM upload u JOIN signing_key k ON k.id = u.signed_by";
    let kept = database
        .read()
        .query(sql, &[], |row| Ok((row.get::<Vec<u8>>(0)?, row.get::<[u8; 64]>(1)?, row.get::<[u8; 32]>(2)?)));
    let kept = kept.unwrap();
    assert_eq!(kept.len(), 5);
    for (bytes, signature, key) in kept {
        assert_eq!(UploadVerifier::new(SEVEN, &key).unwrap().verify(&bytes, &signature), Ok(()));
    }
}

#[tokio::test]
async fn uploads_that_are_repeated_or_reordered_change_nothing() {
    let street = Street::open(202).await;
    let mut all = entries();
    all.reverse();
    all.extend(entries());
    let first = street.send(&all).await;
    assert_eq!(numbers(&first), [1, 2, 3, 4, 5, 5, 4, 3, 2, 1]);
    assert_eq!(street.send(&all).await, first);
    let again = street.central.hand_over(street.sealed(&street.signed(&all))).await.unwrap();
    assert_eq!(again, first, "the very same envelope again");
    assert_eq!((street.count("upload"), street.count("entry")), (5, 5));
    // The same facts under other keys: the first arrival is the answer.
    let others: Vec<Vec<u8>> = entries()
        .iter()
        .map(|bytes| {
            let upload = Upload::decode(bytes).unwrap();
            Upload { key: IdempotencyKey([upload.key.0[0] + 100; 16]), ..upload }.encode().unwrap()
        })
        .collect();
    assert_eq!(numbers(&street.send(&others).await), [5, 4, 3, 2, 1]);
    assert_eq!(street.count("entry"), 5);
}

#[tokio::test]
async fn an_envelope_that_is_not_this_terminals_own_is_refused_whole() {
    let street = Street::open(203).await;
    let (good, to) = (street.signed(&entries()), street.to);
    let seal = |city: &str, terminal: TerminalId, uploads: &[SignedUpload], to: &HpkePublic| {
        envelope::seal(city, terminal, uploads, to, [9; 32]).unwrap()
    };
    let code = async |envelope: Vec<u8>| street.refused(envelope).await.code;
    let elsewhere = HpkeSecret::new([5; 32]).public().unwrap();
    let other_key = street.refused(seal("bahia", SEVEN, &good, &elsewhere)).await;
    assert_eq!(other_key.code, ProblemCode::UnknownKey);
    assert!(other_key.detail.contains(&KeyId::of(&elsewhere).to_string()) && !other_key.is_permanent());
    assert_eq!(code(seal("otra", SEVEN, &good, &to)).await, ProblemCode::Unauthorised, "another city's");
    assert_eq!(code(seal("bahia", EIGHT, &good, &to)).await, ProblemCode::Unauthorised, "another's number");
    let sealed = seal("bahia", SEVEN, &good, &to);
    assert_eq!(code(sealed[..sealed.len() / 2].to_vec()).await, ProblemCode::Unauthorised, "half an envelope");
    assert_eq!(code(sealed[..20].to_vec()).await, ProblemCode::Malformed);
    assert_eq!(code(b"nonsense".to_vec()).await, ProblemCode::Malformed);
    assert_eq!(code(Vec::new()).await, ProblemCode::Malformed);
    let mut renumbered = sealed.clone();
    renumbered[16] = 8;
    assert_eq!(code(renumbered).await, ProblemCode::Unauthorised, "the number on it was changed");
    let mut newer = sealed;
    newer[4] = 2;
    let unknown = street.refused(newer).await;
    assert_eq!((unknown.code, unknown.is_permanent()), (ProblemCode::UnknownVersion, false));
    assert_eq!(code(vec![b'C'; ENVELOPE_BYTES_MAX + 1]).await, ProblemCode::TooLarge);
    assert_eq!((street.count("upload"), street.count("quarantine")), (0, 0));
}

#[tokio::test]
async fn an_upload_that_this_terminal_did_not_sign_is_refused_and_the_others_are_taken() {
    let street = Street::open(204).await;
    let eight = street.secure.enrolled(&keys(EIGHT, 3));
    let all = entries();
    let mut batch = street.signed(&all[..3]);
    batch[1].signature[7] ^= 1;
    // Signed by another key of the fleet, for its own number.
    batch.push(UploadSigner::new(EIGHT, &Secret32::new([3; 32])).signed(all[3].clone()));
    batch.push(UploadSigner::new(SEVEN, &Secret32::new([3; 32])).signed(all[4].clone()));
    let outcomes = street.central.hand_over(street.sealed(&batch)).await.unwrap();
    let is_refused =
        |outcome: &Outcome| matches!(outcome, Outcome::Refused(problem) if problem.code == ProblemCode::Unauthorised);
    assert_eq!(outcomes.iter().map(is_refused).collect::<Vec<_>>(), [false, true, false, true, true]);
    assert_eq!((street.count("upload"), street.count("quarantine")), (2, 0));
    // Another terminal hands this one's signed uploads over under its own name.
    let stolen = envelope::seal("bahia", EIGHT, &street.signed(&all), &street.to, [9; 32]).unwrap();
    let outcomes = eight.hand_over(stolen).await.unwrap();
    assert!(outcomes.iter().all(is_refused), "{outcomes:?}");
    let envelope = street.sealed(&street.signed(&all));
    assert_eq!(eight.hand_over(envelope).await.unwrap_err().code, ProblemCode::Unauthorised);
    assert_eq!(street.count("upload"), 2);
}

#[tokio::test]
async fn a_withdrawn_terminal_and_one_with_a_former_key_upload_nothing() {
    let street = Street::open(205).await;
    let sealed = street.sealed(&street.signed(&entries()[..1]));
    assert!(street.central.hand_over(sealed.clone()).await.is_ok());
    // Enrolled anew, with another key: what the former key signed is not this terminal's word any more.
    let next = keys(SEVEN, 5);
    let renewed = street.secure.enrolled(&next);
    let replayed = renewed.hand_over(sealed.clone()).await.unwrap();
    assert!(matches!(&replayed[..], [Outcome::Refused(problem)] if problem.code == ProblemCode::Unauthorised));
    let upload = Upload::decode(&entries()[1]).unwrap();
    let outgoing = Outgoing { bytes: entries()[1].clone(), upload };
    assert_eq!(numbers(&renewed.upload_batch(std::slice::from_ref(&outgoing)).await.unwrap()), [2]);
    assert_eq!(street.count("signing_key"), 2, "the former key verifies what it signed, for ever");
    assert!(enrol::withdraw(&mut street.city().database(), SEVEN, &technician(), clock::now()).unwrap());
    let code = renewed.upload_batch(&[outgoing]).await.unwrap_err().code;
    assert_eq!(code, ProblemCode::CertificateRevoked);
    // Whoever is let in by a mistake of the line is stopped by the missing key.
    let server = CityServer::open(street.city().data.clone()).unwrap();
    let refused = server.take_envelope(SEVEN, sealed.into()).await.unwrap_err();
    assert_eq!(Problem::from(refused).code, ProblemCode::Unauthorised);
    assert_eq!((ca_store::keys_of(street.city().database().read(), SEVEN).unwrap(), street.count("upload")), (None, 2));
}

#[tokio::test]
async fn unsigned_uploads_are_taken_over_loopback_from_a_terminal_without_keys_only() {
    let street = Street::open(206).await;
    let keys = keys(SEVEN, 7);
    let (bundle, certificate) = street.secure.enrol_at(&keys, clock::now());
    let bare = client(&street.secure.running.url(), &bundle.authorities, &certificate, &keys.tls);
    let refused = bare.upload(&Upload::decode(&entries()[0]).unwrap()).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Unauthorised);
    assert!(refused.detail.contains("signed and sealed"), "{refused}");
    assert_eq!(street.count("upload"), 0);

    // A terminal without keys has none to open an envelope by.
    let bundle = street.city().enrol("http://127.0.0.1:1");
    let server = CityServer::open(street.city().data.clone()).unwrap();
    let running = central::serve(server, 0).await.unwrap();
    let token = data_encoding::HEXLOWER.encode(bundle.access_token.expose());
    let answer = reqwest::Client::new()
        .post(format!("{}/v1/uploads", running.url()))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", ENVELOPE)
        .body(street.sealed(&street.signed(&entries())))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 401);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn envelopes_whose_senders_have_hung_up_are_two_at_most_and_hold_up_nobody_for_long() {
    let street = Street::open(208).await;
    let server = CityServer::open(street.city().data.clone()).unwrap();
    let sealed = street.sealed(&street.signed(&entries()));
    let (mut writer, (locked, is_locked), (let_go, end)) = (street.city().database(), mpsc::channel(), mpsc::channel());
    let writing = std::thread::spawn(move || {
        let hold = |_: &central::db::Transaction<'_>| {
            locked.send(()).unwrap();
            end.recv().unwrap();
            Ok(())
        };
        writer.write(hold).unwrap();
    });
    is_locked.recv().unwrap();
    let mut refused = 0;
    for _ in 0..5 {
        // A client of little patience: when its time is over it hangs up, and what it was answered is dropped.
        let asked = server.take_envelope(SEVEN, sealed.clone().into());
        if let Ok(answer) = tokio::time::timeout(Duration::from_millis(300), asked).await {
            assert_eq!(Problem::from(answer.unwrap_err()).code, ProblemCode::TooOften);
            refused += 1;
        }
    }
    let queue = format!("{server:?}");
    assert!((0..=2).any(|count| queue.contains(&format!("Intake({count})"))), "{queue}");
    // SQLite has one connection: there those who come later wait for it, with nothing in the queue.
    assert_eq!(refused, if crate::BACKEND == Backend::Postgres { 3 } else { 0 });
    let_go.send(()).unwrap();
    writing.join().unwrap();
    let taken = loop {
        match server.take_envelope(SEVEN, sealed.clone().into()).await {
            Ok(outcomes) => break outcomes,
            Err(error) => assert_eq!(Problem::from(error).code, ProblemCode::TooOften),
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(numbers(&taken), [1, 2, 3, 4, 5]);
    assert_eq!(street.count("upload"), 5);
}

#[tokio::test]
async fn huge_uploads_travel_up_to_the_limit_and_a_full_batch_too() {
    let street = Street::open(207).await;
    let head = street.city().keys().head_key().unwrap().verifier();
    let codes = street.central.code_batch(SEVEN, 1).await.unwrap().verify(SEVEN, &head).unwrap().codes;
    let whole = |pdf: usize| {
        let mut upload = Upload { terminal: SEVEN.0, ..document(street.city(), codes[0], 1) };
        let UploadBody::DocumentIssued(issued) = &mut upload.body else { panic!("a document") };
        issued.pdf.resize(pdf, b' ');
        issued.pdf_sha256 = <sha2::Sha256 as sha2::Digest>::digest(&issued.pdf).into();
        upload.encode().unwrap()
    };
    let around = whole(1_000_000).len() - 1_000_000;
    let largest = whole(protocol::upload::UPLOAD_BYTES_MAX - around);
    assert_eq!(largest.len(), protocol::upload::UPLOAD_BYTES_MAX);
    assert_eq!(numbers(&street.send(&[largest]).await), [1]);
    let mut ledger = Ledger::new(SEVEN, 1);
    let many: Vec<Vec<u8>> = (0..51_u8)
        .flat_map(|id| top_up(&mut ledger, id))
        .zip(1..=255_u8)
        .map(|(entry, key)| of_entry(&entry, key).into_iter().collect())
        .collect();
    let fresh: Vec<Vec<u8>> = many
        .iter()
        .enumerate()
        .map(|(at, bytes)| {
            let mut key = [0xEE; 16];
            key[..8].copy_from_slice(&u64::try_from(at).unwrap().to_be_bytes());
            Upload { key: IdempotencyKey(key), ..Upload::decode(bytes).unwrap() }.encode().unwrap()
        })
        .collect();
    assert_eq!(numbers(&street.send(&fresh).await), (2..=256).collect::<Vec<u64>>());
    assert_eq!(street.count("entry"), 255);
}
