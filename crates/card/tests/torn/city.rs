//! The city, and one card of each kind that it has given out.

use card::ClassicIssuer;
use card::classic::PurseFound;
use card_simulator::memory::Chip;
use card_simulator::{
    AnyCard, CardDescription, ClassicBaseKeys, ClassicDescription, ClassicIdentity, ClassicKeySource, ClassicPurse,
    ClassicTag, ClassicTopUp, Debit, Identity, Key, KeySet, KeySource, KeyVersions, Purse, ReaderKind, TopUp, Tries,
    WishList, personalise, personalise_classic,
};
use domain::card::{PinTries, Presentation, Wishes};
use domain::city_pack::{CardFiles, CardKeys, CardLayout, ClassicLayout};
use domain::device::{CreditKey, CreditOrder};
use domain::{CardNumber, Cents, Day, Generation, Handle, TerminalId, TopUpId, Uid};
use keys::classic::{ClassicKey, ClassicKeyKind, PurseSeal, purse_seal_mac, sector_key};
use keys::{AesKey, DiversificationInput, KeyError, KeyRole, OneKey, SoftKeys, diversify};

pub(crate) const TERMINAL: TerminalId = TerminalId(17);
/// In every purse before anything happens to it.
pub(crate) const PURSE: Cents = Cents(1_250);
/// Movements that a card can show.
pub(crate) const MOVEMENTS: u8 = 6;
pub(crate) const OLD_TRIES: PinTries = PinTries { attempt: 4, failures: 1, pin_version: 1 };

const UID: [u8; 7] = [0x04, 0xDE, 0x5F, 0x1E, 0xAC, 0xC0, 0x40];
const CLASSIC_UID: [u8; 4] = [0xDE, 0xAD, 0x51, 0x02];
const READ: [u8; 16] = [0x11; 16];
const CREDIT: [u8; 16] = [0x33; 16];
const UID_KEY: [u8; 16] = [0x44; 16];
const TRANSACTION_MAC: [u8; 16] = [0x55; 16];
const TODAY: Day = Day(20_414);

/// What a citizen may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ev1,
    Ev2,
    Ev3,
    /// An EV3 that shows another UID each time.
    HiddenUid,
    /// A Classic card on a reader with value operations of its own.
    ClassicAcs,
    /// A Classic card on a reader that has none.
    ClassicPortable,
}

impl Kind {
    pub(crate) const DESFIRE: [Self; 4] = [Self::Ev1, Self::Ev2, Self::Ev3, Self::HiddenUid];
    pub(crate) const CLASSIC: [Self; 2] = [Self::ClassicAcs, Self::ClassicPortable];
    pub(crate) const ALL: [Self; 6] =
        [Self::Ev1, Self::Ev2, Self::Ev3, Self::HiddenUid, Self::ClassicAcs, Self::ClassicPortable];

    pub(crate) fn is_classic(self) -> bool {
        matches!(self, Self::ClassicAcs | Self::ClassicPortable)
    }

    /// Whom the card's record names as the writer: a Classic has no room for it.
    pub(crate) fn writer(self, order: &CreditOrder) -> Option<TerminalId> {
        (!self.is_classic()).then_some(order.terminal)
    }

    /// Top-ups that the card can show.
    pub(crate) fn records(self) -> u32 {
        if self.is_classic() { 3 } else { u32::from(layout().top_up_records) }
    }

    /// The name of the reader that it lies on.
    pub(crate) fn reader(self) -> &'static str {
        match self {
            Self::ClassicAcs => "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] 00 00",
            _ => "Some Maker's Reader 00 00",
        }
    }

    /// One that was topped up so often before.
    pub(crate) fn make(self, past: u8) -> AnyCard {
        match self {
            Self::Ev1 => personalise(&desfire(Chip::Ev1, false, past)).unwrap().into(),
            Self::Ev2 => personalise(&desfire(Chip::Ev2, false, past)).unwrap().into(),
            Self::Ev3 => personalise(&desfire(Chip::Ev3, false, past)).unwrap().into(),
            Self::HiddenUid => personalise(&desfire(Chip::Ev3, true, past)).unwrap().into(),
            Self::ClassicAcs => personalise_classic(&classic(past)).unwrap().on(ReaderKind::Acs).into(),
            Self::ClassicPortable => personalise_classic(&classic(past)).unwrap().on(ReaderKind::Portable).into(),
        }
    }
}

pub(crate) fn layout() -> CardLayout {
    CardLayout {
        aid: [0xF5, 0x1C, 0x01],
        keys: CardKeys { master: 0, read: 1, debit: 2, credit: 3, uid: 4 },
        files: CardFiles { identity: 1, purse: 2, top_ups: 3, movements: 4, tries: 5, wishes: 6, transaction_mac: 15 },
        system_id: "demo city".into(),
        top_up_records: 4,
        movement_records: MOVEMENTS,
        classic: Some(sectors()),
    }
}

fn sectors() -> ClassicLayout {
    ClassicLayout {
        mad_aid: 0x511C,
        identity_sector: 1,
        purse_sector: 2,
        top_ups_sector: 3,
        purse_max: Cents(5_000),
        top_up_max: Cents(2_000),
    }
}

pub(crate) fn old_wishes() -> Wishes {
    Wishes { language: Some(*b"ast"), speech: true, ..Wishes::default() }
}

fn desfire(chip: Chip, random_uid: bool, past: u8) -> CardDescription {
    let top_up = |counter: u8| TopUp {
        counter: u32::from(counter),
        day: TODAY,
        top_up: TopUpId([100 + counter; 16]),
        amount: Cents(1),
        before: Cents(PURSE.0 - i64::from(past - counter) - 1),
        terminal: TERMINAL,
    };
    CardDescription {
        uid: UID,
        random_uid,
        chip,
        layout: layout(),
        keys: KeySource::Base(KeySet {
            master: Key::new([0x10; 16]),
            read: Key::new(READ),
            debit: Key::new([0x22; 16]),
            credit: Key::new(CREDIT),
            uid: Key::new(UID_KEY),
            transaction_mac: Key::new(TRANSACTION_MAC),
            picc: None,
            versions: KeyVersions::default(),
        }),
        identity: Identity { number: CardNumber(6_001_234_567), generation: Generation(2), secret: [0x5C; 32] },
        purse: Purse { value: PURSE, max: Cents(15_000), free_get_value: true },
        top_ups: (1..=past).map(top_up).collect(),
        movements: (1..=past).map(ride_before_the_top_ups).collect(),
        tries: Tries { attempt: OLD_TRIES.attempt, failures: OLD_TRIES.failures, pin_version: OLD_TRIES.pin_version },
        wishes: WishList { language: Some("ast".into()), speech: true, ..WishList::default() },
        flaws: Vec::new(),
    }
}

fn ride_before_the_top_ups(counter: u8) -> Debit {
    let counter = u32::from(counter);
    let balance = Cents(PURSE.0 - 500 - i64::from(counter));
    Debit { counter, minute: 29_000_000 + counter, service: 1, amount: Cents(1), balance }
}

fn classic(past: u8) -> ClassicDescription {
    let top_up = |counter: u8| ClassicTopUp {
        counter: u32::from(counter),
        day: Day(20_100),
        top_up: [100 + counter; 6],
        amount: Cents(500),
        before: Cents(PURSE.0 - 250),
    };
    ClassicDescription {
        technology: ClassicTag::Classic,
        uid: CLASSIC_UID.to_vec(),
        layout: sectors(),
        system_id: layout().system_id,
        keys: ClassicKeySource::Base(ClassicBaseKeys {
            read: Key::new(READ),
            credit: Key::new(CREDIT),
            transaction_mac: Key::new(TRANSACTION_MAC),
        }),
        identity: ClassicIdentity { number: CardNumber(6_000_777_001), generation: Generation(4) },
        purse: ClassicPurse { value: PURSE, opening: None, day: Day(20_000) },
        top_ups: (1..=past).map(top_up).collect(),
        flaws: vec![],
    }
}

pub(crate) fn order(top_up: u8, amount: Cents, counter_seen: u32) -> CreditOrder {
    CreditOrder {
        presentation: Presentation(1),
        key: CreditKey::Record(Handle(1)),
        top_up: TopUpId([top_up; 16]),
        amount,
        counter_seen,
        purse_max: Cents(15_000),
        day: TODAY,
        terminal: TERMINAL,
    }
}

fn counting() -> Box<dyn keys::Entropy + Send> {
    let mut next = 0_u8;
    Box::new(move |buffer: &mut [u8]| -> Result<(), KeyError> {
        next = next.wrapping_add(1);
        buffer.fill(next);
        Ok(())
    })
}

/// What a terminal holds.
pub(crate) fn kiosk_keys() -> SoftKeys {
    SoftKeys::new(vec![AesKey::new(READ)], Some(AesKey::new(UID_KEY)), &layout().system_id, counting())
}

/// The DESFire card's own credit key, as it comes out of its sealed record.
pub(crate) fn credit_key() -> OneKey {
    let layout = layout();
    let uid = Uid::new(&UID).unwrap();
    let input = DiversificationInput::new(&uid, layout.aid, layout.keys.credit, &layout.system_id).unwrap();
    OneKey::new(KeyRole::Credit, diversify(&AesKey::new(CREDIT), &input), counting())
}

/// Central, which gives a Classic card's keys B and seals. Its books know the last counter that it sealed, and it seals
/// that one or the next.
#[derive(Debug)]
pub(crate) struct Central {
    sealed: u32,
}

impl Central {
    pub(crate) fn at(sealed: u32) -> Self {
        Self { sealed }
    }
}

impl ClassicIssuer for Central {
    fn sector_key_b(&mut self, uid: &Uid, sector: u8) -> Result<ClassicKey, KeyError> {
        sector_key(&AesKey::new(CREDIT), uid, sector, ClassicKeyKind::B, &layout().system_id)
    }

    fn purse_found(&mut self, uid: &Uid, found: &PurseFound) -> Result<Option<[u8; 8]>, KeyError> {
        let right = purse_seal_mac(&AesKey::new(TRANSACTION_MAC), uid, &layout().system_id, &found.seal.seal)?;
        Ok((found.seal.mac != right).then_some(right))
    }

    fn purse_seal(&mut self, uid: &Uid, seal: &PurseSeal) -> Result<[u8; 8], KeyError> {
        assert!([self.sealed, self.sealed + 1].contains(&seal.counter), "{seal:?} after {}", self.sealed);
        self.sealed = seal.counter;
        purse_seal_mac(&AesKey::new(TRANSACTION_MAC), uid, &layout().system_id, seal)
    }
}

/// Whether the seal on a card is one that central gave.
pub(crate) fn is_centrals(seal: &card_simulator::Seal) -> bool {
    let numbers = (u16::try_from(seal.day.0 - 10_957), u16::try_from(seal.value_after.0));
    let (Ok(day), Ok(value_after)) = numbers else { return false };
    let sealed = PurseSeal { counter: seal.counter, day, value_after };
    Central::at(seal.counter).purse_seal(&Uid::new(&CLASSIC_UID).unwrap(), &sealed) == Ok(seal.mac)
}
