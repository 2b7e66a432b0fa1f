//! A desk with simulated chips in a row: the one at the front lies on the reader, and taking it away lays down the next.

use card::{Apdu, Reply, Transport, TransportError};
use card_office::cli::Arguments;
use card_office::desk::CardLine;
use card_office::{Desk, OfficeError, Tray, run};
use card_simulator::memory::Chip;
use card_simulator::{AnyCard, BlankDescription, ClassicCard, FaultKind, FaultPlan, FieldCard, VirtualCard, When};
use clap::Parser;
use domain::city_pack::CityPack;
use domain::{Timestamp, Uid};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

pub(crate) type Shared = Rc<RefCell<AnyCard>>;

/// 2026-11-22T10:00:00Z.
fn now() -> Timestamp {
    Timestamp(1_795_341_600_000)
}

/// The demonstration city.
pub(crate) fn city_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/city-packs/bahia/city.toml")
}

fn city() -> CityPack {
    toml::from_str(&std::fs::read_to_string(city_file()).unwrap()).unwrap()
}

/// A blank DESFire whose UID ends in `last`.
pub(crate) fn blank(chip: Chip, last: u8) -> Shared {
    let description = BlankDescription { uid: [4, 1, 2, 3, 4, 5, last], chip, layout: city().card };
    Rc::new(RefCell::new(VirtualCard::blank(&description).seeded(u64::from(last)).into()))
}

/// The same as its maker delivers it, with a DES key.
pub(crate) fn factory(chip: Chip, last: u8) -> Shared {
    let description = BlankDescription { uid: [4, 1, 2, 3, 4, 5, last], chip, layout: city().card };
    Rc::new(RefCell::new(VirtualCard::factory(&description).seeded(u64::from(last)).into()))
}

/// A blank Classic whose UID ends in `last`.
pub(crate) fn blank_classic(last: u8) -> Shared {
    let card = ClassicCard::blank(Uid::new(&[0x5A, 1, 2, last]).unwrap());
    Rc::new(RefCell::new(card.seeded(u64::from(last)).into()))
}

/// The card is lifted at this exchange.
pub(crate) fn tear(card: &Shared, exchange: u32) {
    card.borrow_mut().set_faults(FaultPlan::once(When::Exchange(exchange), FaultKind::TearAfter));
}

/// Number and generation, as the simulator reads them without any key.
pub(crate) fn identity(card: &Shared) -> Option<(u64, u8)> {
    card.borrow().identity().map(|(number, generation)| (number.0, generation.0))
}

struct Line(Shared, Vec<u8>);

impl Transport for Line {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        Reply::parse(FieldCard::exchange(&mut *self.0.borrow_mut(), command.bytes()).reply)
    }

    fn atr(&self) -> &[u8] {
        &self.1
    }
}

/// Chips in a row.
#[derive(Default)]
pub(crate) struct Row {
    cards: VecDeque<Shared>,
    /// A card that was lifted in the middle does not come back.
    once: bool,
    /// Nobody takes a card away.
    left: bool,
}

impl Row {
    pub(crate) fn of(cards: &[Shared]) -> Self {
        Self { cards: cards.iter().cloned().collect(), once: false, left: false }
    }

    /// One card.
    pub(crate) fn with(card: &Shared) -> Self {
        Self { cards: VecDeque::from([Rc::clone(card)]), once: false, left: false }
    }

    /// One card that nobody takes away.
    pub(crate) fn left(card: &Shared) -> Self {
        Self { left: true, ..Self::with(card) }
    }

    /// One card that is laid down once.
    pub(crate) fn once(card: &Shared) -> Self {
        Self { cards: VecDeque::from([Rc::clone(card)]), once: true, left: false }
    }
}

impl Tray for Row {
    fn reader(&mut self) -> Result<String, OfficeError> {
        Ok("Simulated tray 00 00".to_owned())
    }

    fn card(&mut self, _: Duration) -> Result<CardLine, OfficeError> {
        let card = if self.once { self.cards.pop_front() } else { self.cards.front().cloned() };
        let card = card.ok_or(OfficeError::NoCard)?;
        card.borrow_mut().field_off();
        let atr = FieldCard::atr(&*card.borrow()).unwrap_or_default();
        Ok(Box::new(Line(card, atr)))
    }

    fn removed(&mut self, _: Duration) -> Result<(), OfficeError> {
        if self.left {
            return Err(OfficeError::StillThere);
        }
        self.cards.pop_front();
        Ok(())
    }
}

/// A folder with the office's files.
pub(crate) struct Office {
    pub(crate) folder: tempfile::TempDir,
}

/// What a command said and how it ended.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) ended: Result<(), OfficeError>,
}

impl Said {
    pub(crate) fn code(&self) -> &'static str {
        self.ended.as_ref().err().map_or("", OfficeError::code)
    }

    pub(crate) fn well(self) -> String {
        self.ended.unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err));
        self.out
    }
}

impl Office {
    pub(crate) fn new() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap() };
        let key = |digit: char| digit.to_string().repeat(32);
        let keys = serde_json::json!({
            "system_id": "bahia", "picc": key('6'), "master": key('1'), "read": [{"version": 1, "key": key('2')}],
            "debit": key('3'), "credit": key('4'), "uid": key('5'), "transaction_mac": key('7'),
            "office": key('8').repeat(2),
        });
        office.write("keys.json", &keys.to_string());
        let technician = serde_json::json!({
            "system_id": "bahia", "read": [{"version": 1, "key": key('2')}], "uid": key('5'),
        });
        office.write("technician.json", &technician.to_string());
        let other = serde_json::json!({"system_id": "bahia", "read": key('e'), "uid": key('f')});
        office.write("other.json", &other.to_string());
        office.write("token", &format!("{}\n{}\n", "ab".repeat(32), crate::central::root_key()));
        office
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a private file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The arguments of a command line; a word that begins with `@` is a file of the office.
    pub(crate) fn arguments(&self, line: &str) -> Vec<String> {
        let word = |word: &str| match word.strip_prefix('@') {
            Some("city.toml") => city_file().display().to_string(),
            Some(name) => self.path(name).display().to_string(),
            None => word.to_owned(),
        };
        line.split_whitespace().map(word).collect()
    }

    /// Runs one command at the desk.
    pub(crate) fn run(&self, tray: &mut Row, line: &str) -> Said {
        let arguments = [vec!["citizen-card".to_owned()], self.arguments(line)].concat();
        let arguments = Arguments::try_parse_from(arguments).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let wait = Duration::from_secs(1);
        let ended = run(&arguments, &mut Desk { tray, out: &mut out, err: &mut err, now, wait });
        Said { out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap(), ended }
    }

    /// `personalise` of the list `list.csv`, with whatever more.
    pub(crate) fn batch(&self, tray: &mut Row, more: &str) -> Said {
        let line = "--city @city.toml --keys @keys.json personalise --batch @list.csv --log @log --registrations @kept";
        self.run(tray, &format!("{line} {more}"))
    }

    /// `personalise` of one card.
    pub(crate) fn one(&self, tray: &mut Row, number: u64, generation: u8, more: &str) -> Said {
        let line = "--city @city.toml --keys @keys.json personalise --log @log --registrations @kept";
        self.run(tray, &format!("{line} --number {number} --generation {generation} {more}"))
    }

    /// Everything the office wrote.
    pub(crate) fn written(&self) -> String {
        let bytes = [std::fs::read(self.path("log")).unwrap(), std::fs::read(self.path("kept")).unwrap()].concat();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
