use crate::fixture::{City, NOW, TERMINAL};
use crate::uploads::{document, top_up, upload};
use central::import::{Imported, import};
use central::{books, report, uploads};
use domain::TerminalId;
use ledger::{Account, Ledger};
use protocol::export::token_sha256;
use protocol::{CodeBatch, Enrolment, ExportError, ExportHeader, ExportSealer, Problem, ProblemCode, Secret32, Upload};
use std::process::Command;

/// What the terminal of this bundle writes on a stick.
fn exported(bundle: &Enrolment, uploads: &[Vec<u8>]) -> Vec<u8> {
    let central = bundle.central_key.unwrap();
    written(bundle, ExportHeader::to_central(bundle.terminal, NOW, &central, [5; 32]).unwrap(), uploads)
}

/// As a terminal does whose bundle has no key of central's.
fn exported_to_epoch(bundle: &Enrolment, uploads: &[Vec<u8>]) -> Vec<u8> {
    let epoch = &bundle.epoch_keys[0];
    let header = ExportHeader::to_epoch(bundle.terminal, NOW, epoch.epoch, [5; 32]);
    written(bundle, (header, epoch.key.clone()), uploads)
}

fn written(bundle: &Enrolment, (header, secret): (ExportHeader, Secret32), uploads: &[Vec<u8>]) -> Vec<u8> {
    let mut sealer = ExportSealer::new(&header, &secret, &token_sha256(&bundle.access_token)).unwrap();
    let mut file = header.encode();
    for upload in uploads {
        file.extend(sealer.seal(upload).unwrap());
    }
    file.extend(sealer.finish().unwrap());
    file
}

fn take(city: &City, file: &[u8]) -> Result<Imported, Problem> {
    import(&mut city.database(), &city.keys(), file, NOW).map_err(Problem::from)
}

fn city() -> (City, Enrolment) {
    let city = City::seeded(31, 20, 0);
    let bundle = city.enrol("http://127.0.0.1:1");
    (city, bundle)
}

/// The uploads of one whole top-up, and of one document.
fn outbox(city: &City, bundle: &Enrolment) -> Vec<Vec<u8>> {
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    let mut outbox: Vec<Vec<u8>> = (1..).zip(&entries).map(|(key, entry)| upload(entry, key)).collect();
    let head = city.keys().head_key().unwrap().verifier();
    let codes = CodeBatch::verify(&bundle.codes, TERMINAL, &head).unwrap().codes;
    outbox.push(document(city, codes[0], 20).encode().unwrap());
    outbox
}

fn counts(imported: &Imported) -> (u32, u32, u32) {
    (imported.taken, imported.known, imported.refused)
}

#[test]
fn an_outbox_from_a_stick_is_booked_like_one_from_the_network_and_only_once() {
    let (city, bundle) = city();
    let outbox = outbox(&city, &bundle);
    let file = exported(&bundle, &outbox);
    // One of them had reached central before the network went.
    uploads::take(&mut city.database(), &city.keys(), TERMINAL, &outbox[0], NOW).unwrap();
    let first = take(&city, &file).unwrap();
    assert_eq!((counts(&first), first.terminal, first.made, first.cut), ((5, 1, 0), TERMINAL, NOW, None));
    assert_eq!(counts(&take(&city, &file).unwrap()), (0, 6, 0));
    // The network is back: the terminal sends everything once more.
    for bytes in &outbox {
        uploads::take(&mut city.database(), &city.keys(), TERMINAL, bytes, NOW).unwrap();
    }
    let database = city.database();
    assert_eq!(books::entries(database.read()).unwrap().len(), 5);
    assert_eq!(books::balances(database.read()).unwrap().get(Account::Transit), domain::Cents::ZERO);
    assert_eq!(report::deposits(database.read()).unwrap().len(), 1);
    assert!(report::anomalies(database.read()).unwrap().is_empty());
}

#[test]
fn an_outbox_of_a_terminal_that_knows_no_key_of_centrals_is_taken_too() {
    let (city, bundle) = city();
    let outbox = outbox(&city, &bundle);
    assert_eq!(counts(&take(&city, &exported_to_epoch(&bundle, &outbox)).unwrap()), (6, 0, 0));
    assert_eq!(counts(&take(&city, &exported(&bundle, &outbox)).unwrap()), (0, 6, 0));
}

#[test]
fn a_stick_that_was_pulled_too_early_gives_what_it_has_and_says_so() {
    let (city, bundle) = city();
    let file = exported(&bundle, &outbox(&city, &bundle));
    let cut = take(&city, &file[..file.len() - 100]).unwrap();
    assert_eq!((counts(&cut), cut.cut), ((5, 0, 0), Some(ExportError::CutOff)));
    assert_eq!(counts(&take(&city, &file).unwrap()), (1, 5, 0));
}

#[test]
fn what_is_refused_stops_nothing_and_is_noticed() {
    let (city, bundle) = city();
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    let mut stolen = Upload::decode(&upload(&entries[0], 2)).unwrap();
    stolen.terminal = 4;
    let outbox = [
        b"nonsense".to_vec(),
        stolen.encode().unwrap(),
        upload(&entries[0], 1),
        // The same key with other bytes.
        upload(&entries[1], 1),
        upload(&entries[1], 3),
    ];
    assert_eq!(counts(&take(&city, &exported(&bundle, &outbox)).unwrap()), (2, 0, 3));
    // The nonsense and the key that was used twice; another terminal's upload is not for this one to lose.
    let noticed = report::anomalies(city.database().read()).unwrap();
    assert_eq!(noticed.iter().map(|anomaly| anomaly.kind.as_str()).collect::<Vec<_>>(), ["refused", "refused"]);
}

#[test]
fn an_export_of_an_earlier_enrolment_another_terminal_or_nobody_is_refused() {
    let (city, bundle) = city();
    let file = exported(&bundle, &[b"anything".to_vec()]);
    let code = |file: &[u8]| take(&city, file).unwrap_err().code;
    let stranger = Enrolment { terminal: TerminalId(99), ..bundle.clone() };
    assert_eq!(code(&exported(&stranger, &[])), ProblemCode::Unauthorised);
    assert_eq!(code(b"holiday pictures"), ProblemCode::Malformed);
    let mut later = bundle.clone();
    later.epoch_keys[0].epoch = 9;
    assert_eq!(code(&exported_to_epoch(&later, &[])), ProblemCode::Unauthorised);
    let elsewhere = City::seeded(32, 20, 0).enrol("http://127.0.0.1:1");
    let foreign = Enrolment { central_key: elsewhere.central_key, ..bundle.clone() };
    assert_eq!(code(&exported(&foreign, &[])), ProblemCode::Unauthorised, "sealed to another city");
    city.enrol("http://127.0.0.1:1");
    assert_eq!(code(&file), ProblemCode::Unauthorised);
}

#[test]
fn the_program_takes_a_file_and_says_what_was_in_it() {
    let (city, bundle) = city();
    let path = city.data.feed().with_file_name("outbox.sealed");
    let run = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let data = city.data.feed().with_file_name("");
        let mut command = Command::new(env!("CARGO_BIN_EXE_citizen-central"));
        let output = command.arg("--data").arg(data).arg("import-outbox").arg(&path).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let file = exported(&bundle, &outbox(&city, &bundle));
    assert_eq!(run(&file[..file.len() - 1]), (false, "terminal 3: 6 taken, 0 known already, 0 refused\n".to_owned()));
    assert_eq!(run(&file), (true, "terminal 3: 0 taken, 6 known already, 0 refused\n".to_owned()));
    assert_eq!(run(b"no"), (false, String::new()));
}
