//! The card office and central: a blank chip becomes a card that counts, is handed over twice when a receipt is lost,
//! has no twin, and gets the next read key at the office's desk. The commands are the program's, the card is a chip of
//! its own, and between office and central there is HTTP.

use super::rekey::{desfire, opens_with};
use super::{City, order};
use card::{CreditKeys, CreditOutcome};
use card_office::cli::Arguments;
use card_office::desk::CardLine;
use card_office::{Desk, Exit, OfficeError, run};
use card_simulator::memory::Chip;
use card_simulator::{AnyCard, BlankDescription, ClassicCard, VirtualCard};
use central::publish::publish;
use central::{cards, clock, offices};
use clap::Parser;
use domain::card::Technology;
use domain::{CardNumber, Cents, Uid};
use keys::KeyRole;
use keys::remote::RemoteKeys;
use kiosk::key_line::ClassicOrder;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

const ANA: u64 = 6_009_999_017;

type Tray = super::Tray<AnyCard>;

/// One chip on the office's reader.
struct Reader<'a>(&'a Tray);

impl card_office::Tray for Reader<'_> {
    fn reader(&mut self) -> Result<String, OfficeError> {
        Ok("Simulated tray 00 00".to_owned())
    }

    fn card(&mut self, _: Duration) -> Result<CardLine, OfficeError> {
        Ok(self.0.connect())
    }

    fn removed(&mut self, _: Duration) -> Result<(), OfficeError> {
        Ok(())
    }
}

/// A card office with its files and its token.
struct Office {
    folder: TempDir,
}

fn city_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/city-packs/bahia/city.toml")
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

impl Office {
    fn new(city: &City) -> Self {
        let office = Self { folder: TempDir::new().unwrap() };
        if !city.data.feed().join("head.json").exists() {
            // The city's keys are in the feed.
            publish(&city.data, &mut city.database(), &city.keys(), clock::now()).unwrap();
        }
        let token = offices::make_token(&mut city.database(), "Oficina", clock::now()).unwrap();
        offices::write_token(&token, &city.keys(), &office.path("token")).unwrap();
        office.take_keys(city);
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The cards' keys as central has them, and the office's own.
    fn take_keys(&self, city: &City) {
        let mut keys = serde_json::to_value(city.keys().cards).unwrap();
        keys["system_id"] = city.layout.system_id.clone().into();
        keys["picc"] = "6".repeat(32).into();
        keys["office"] = "8".repeat(64).into();
        private(&self.path("keys.json"), &keys.to_string());
    }

    /// A command on this card; what it said.
    fn run(&self, tray: &Tray, line: &str) -> Result<String, OfficeError> {
        let word = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.path(name).display().to_string(),
            None => word.to_owned(),
        };
        let mut arguments = vec!["citizen-card".to_owned(), "--city".to_owned(), city_file().display().to_string()];
        arguments.extend(["--keys".to_owned(), self.path("keys.json").display().to_string()]);
        arguments.extend(line.split_whitespace().map(word));
        let arguments = Arguments::try_parse_from(arguments).unwrap();
        let (mut out, mut err, mut reader) = (Vec::new(), Vec::new(), Reader(tray));
        let wait = Duration::from_secs(1);
        let mut desk = Desk { tray: &mut reader, out: &mut out, err: &mut err, now: clock::now, wait };
        run(&arguments, &mut desk)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn personalise(&self, tray: &Tray, more: &str) -> Result<String, OfficeError> {
        let line = format!("personalise --number {ANA} --generation 1 --log @log --registrations @kept {more}");
        self.run(tray, &line)
    }

    fn register(&self, tray: &Tray, central: &str) -> Result<String, OfficeError> {
        self.run(tray, &format!("register --log @log --registrations @kept --central {central} --token @token"))
    }
}

fn blank(city: &City, last: u8) -> Tray {
    let description =
        BlankDescription { uid: [4, 0xB1, 2, 3, 4, 5, last], chip: Chip::Ev3, layout: city.layout.clone() };
    super::Tray(Arc::new(Mutex::new(VirtualCard::blank(&description).seeded(u64::from(last)).into())))
}

fn blank_classic() -> Tray {
    super::Tray(Arc::new(Mutex::new(ClassicCard::blank(Uid::new(&[0x5A, 0xB1, 2, 3]).unwrap()).seeded(9).into())))
}

/// The number, when central counts this chip.
fn active(city: &City, tray: &Tray) -> Option<CardNumber> {
    let (card, _) = city.open(tray).unwrap();
    cards::active(city.database().read(), card.uid()).ok().map(|card| card.number)
}

/// Whether central gives what a credit of this card needs.
fn is_served(city: &City, tray: &Tray) -> bool {
    let (mut card, contents) = city.open(tray).unwrap();
    let order = order(9, 500, contents.top_ups.first().map_or(0, |record| record.counter));
    let outcome = if contents.technology == Technology::Classic {
        let top_up = ClassicOrder { top_up: order.top_up, amount: order.amount, counter: order.counter_seen + 1 };
        let mut keys = city.line().classic(city.layout.classic.unwrap(), Some(top_up));
        card.credit(&mut CreditKeys::Classic(&mut keys), &order)
    } else {
        let mut keys = RemoteKeys::new(KeyRole::Credit, city.line());
        card.credit(&mut CreditKeys::Desfire(&mut keys), &order)
    };
    matches!(outcome, CreditOutcome::Credited { before: Cents(0), after: Cents(500), .. })
}

#[test]
fn a_blank_chip_is_a_card_that_counts_only_once_central_has_receipted_it() {
    let city = City::new(41);
    for tray in [blank(&city, 1), blank_classic()] {
        let office = Office::new(&city);
        assert!(office.personalise(&tray, "").unwrap().contains("not active until it is registered"));
        assert_eq!(active(&city, &tray), None);
        assert!(!is_served(&city, &tray));
        assert_eq!(office.register(&tray, &city.url()).unwrap(), "1 registered, 0 known already, 0 refused\n");
        assert_eq!(active(&city, &tray), Some(CardNumber(ANA)));
        assert!(is_served(&city, &tray), "by a kiosk, with keys from central");
        assert_eq!(office.personalise(&tray, "").unwrap(), "0 made, 1 were finished before\n");
        city.database().write(|write| Ok(write.execute("DELETE FROM issued_card", &[])?)).unwrap();
    }
}

/// A line to central on which the first answer to a registration is lost: central has booked it. Ends with its test.
fn losing_line(central: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, central) = (listener.local_addr().unwrap(), central.strip_prefix("http://").unwrap().to_owned());
    thread::spawn(move || {
        let (mut office, _) = listener.accept().unwrap();
        let mut line = TcpStream::connect(central).unwrap();
        let mut towards = line.try_clone().unwrap();
        let mut asking = office.try_clone().unwrap();
        thread::spawn(move || std::io::copy(&mut asking, &mut towards));
        // The answer came this far, and no further.
        let mut answer = [0; 4096];
        assert!(line.read(&mut answer).unwrap() > 0);
        office.flush().unwrap();
        office.shutdown(std::net::Shutdown::Both).unwrap();
    });
    format!("http://{address}")
}

#[test]
fn a_lost_receipt_is_given_again_to_the_same_command() {
    let city = City::new(42);
    let (office, tray) = (Office::new(&city), blank(&city, 2));
    let lost = office.personalise(&tray, &format!("--central {} --token @token", losing_line(&city.url())));
    assert_eq!(lost.unwrap_err().exit(), Exit::Central);
    assert_eq!(active(&city, &tray), Some(CardNumber(ANA)), "central had booked it");
    let again = office.personalise(&tray, &format!("--central {} --token @token", city.url())).unwrap();
    assert_eq!(again, "0 made, 1 were finished before\n");
    assert!(fs::read(office.path("kept")).unwrap().is_empty(), "it is receipted");
    assert_eq!(office.register(&tray, &city.url()).unwrap(), "0 registered, 0 known already, 0 refused\n");
    let booked: i64 =
        city.database().read().query_row("SELECT count(*) FROM issued_card", &[], |row| row.get(0)).unwrap();
    assert_eq!(booked, 1);
}

#[test]
fn a_second_card_of_the_same_number_and_generation_is_refused_and_stays_inactive() {
    let city = City::new(43);
    let (office, first) = (Office::new(&city), blank(&city, 3));
    let central = format!("--central {} --token @token", city.url());
    assert!(office.personalise(&first, &central).unwrap().contains(", active"));
    // Another office knows nothing of the first card.
    let (other, second) = (Office::new(&city), blank(&city, 4));
    let refused = other.personalise(&second, &format!("--central {} --token @token", city.url())).unwrap_err();
    assert!(matches!(refused, OfficeError::NotRegistered { .. }), "{refused}");
    assert_eq!((refused.code(), refused.exit()), ("O-07", Exit::Central));
    assert_eq!((active(&city, &first), active(&city, &second)), (Some(CardNumber(ANA)), None));
    assert!(is_served(&city, &first) && !is_served(&city, &second));
}

#[test]
fn after_the_read_key_was_renewed_the_office_moves_a_card_to_it_and_kiosks_read_both_kinds() {
    let mut city = City::new(44);
    let (office, tray, classic) = (Office::new(&city), blank(&city, 5), blank_classic());
    office.personalise(&tray, &format!("--central {} --token @token", city.url())).unwrap();
    let other = Office::new(&city);
    other.run(&classic, "personalise --number 7 --generation 1 --log @log --registrations @kept").unwrap();
    let (_, before) = city.open(&tray).unwrap();

    assert_eq!(city.renew_read_key(), 1);
    let rekey = |city: &City| {
        private(&office.path("terminal.json"), &city.bundle.to_json().unwrap());
        office.run(&tray, &format!("rekey --central {} --token @terminal.json", city.url()))
    };
    let early = "read key: version 0, nothing to change\n";
    assert_eq!(rekey(&city).unwrap(), early, "a terminal has only the older one");
    city.enrol_anew();
    assert!(opens_with(&city, &tray, 1) && !opens_with(&city, &tray, 0));
    assert_eq!(rekey(&city).unwrap(), "read key: version 1\n");
    assert!(opens_with(&city, &tray, 0) && !opens_with(&city, &tray, 1));
    assert_eq!(rekey(&city).unwrap(), "read key: version 1, nothing to change\n");

    let (card, after) = city.open(&tray).unwrap();
    assert_eq!(after, before, "a kiosk with both reads it as before");
    assert!(!desfire(card).has_older_read_key());
    assert!(city.open(&classic).is_ok(), "a Classic card keeps the key it was made with");
    office.take_keys(&city);
    let new = blank(&city, 6);
    office.run(&new, "personalise --number 8 --generation 1 --log @log --registrations @kept").unwrap();
    assert!(opens_with(&city, &new, 0), "a new card is made with the newest");
}
