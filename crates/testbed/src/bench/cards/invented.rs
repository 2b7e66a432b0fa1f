//! A city that does not exist, laid out like the demonstration city's, with cards as full as they get: six top-ups and
//! ten movements.

use card::ClassicIssuer;
use card_simulator::memory::Chip;
use card_simulator::{
    CardDescription, ClassicBaseKeys, ClassicDescription, ClassicIdentity, ClassicKeySource, ClassicPurse, ClassicTag,
    ClassicTopUp, Debit, Identity, Key, KeySet, KeySource, KeyVersions, Purse, TopUp, Tries, WishList,
};
use domain::city_pack::{CardFiles, CardKeys, CardLayout, ClassicLayout};
use domain::{CardNumber, Cents, Day, Generation, TerminalId, TopUpId, Uid};
use keys::classic::{ClassicKey, ClassicKeyKind, PurseSeal, purse_seal_mac, sector_key};
use keys::{AesKey, DiversificationInput, KeyError, SoftKeys, diversify};

pub(super) const TERMINAL: TerminalId = TerminalId(17);
pub(super) const TODAY: Day = Day(20_414);
pub(super) const PURSE_MAX: Cents = Cents(15_000);
/// Top-ups before anything is measured.
pub(super) const PAST: u8 = 8;

const PURSE: i64 = 1_250;
const MOVEMENTS: u8 = 12;
const UID: [u8; 7] = [0x04, 0xDE, 0x5F, 0x1E, 0xAC, 0xC0, 0x40];
const CLASSIC_UID: [u8; 4] = [0xDE, 0xAD, 0x51, 0x02];
const READ: [u8; 16] = [0x11; 16];
const CREDIT: [u8; 16] = [0x33; 16];
const REAL_UID: [u8; 16] = [0x44; 16];
const TRANSACTION_MAC: [u8; 16] = [0x55; 16];

/// Where things lie on a MIFARE Classic card.
pub(super) const SECTORS: ClassicLayout = ClassicLayout {
    mad_aid: 0x511C,
    identity_sector: 1,
    purse_sector: 2,
    top_ups_sector: 3,
    purse_max: Cents(5_000),
    top_up_max: Cents(2_000),
};

pub(super) fn layout() -> CardLayout {
    CardLayout {
        aid: [0xF5, 0x1C, 0x01],
        keys: CardKeys { master: 0, read: 1, debit: 2, credit: 3, uid: 4 },
        files: CardFiles { identity: 1, purse: 2, top_ups: 3, movements: 4, tries: 5, wishes: 6, transaction_mac: 15 },
        system_id: "invented".into(),
        top_up_records: 6,
        movement_records: 10,
        classic: Some(SECTORS),
    }
}

pub(super) fn desfire(chip: Chip, random_uid: bool) -> CardDescription {
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
            uid: Key::new(REAL_UID),
            transaction_mac: Key::new(TRANSACTION_MAC),
            picc: None,
            versions: KeyVersions::default(),
        }),
        identity: Identity { number: CardNumber(6_001_234_567), generation: Generation(2), secret: [0x5C; 32] },
        purse: Purse { value: Cents(PURSE), max: PURSE_MAX, free_get_value: true },
        top_ups: (1..=PAST).map(top_up).collect(),
        movements: (1..=MOVEMENTS).map(movement).collect(),
        tries: Tries { attempt: 4, failures: 1, pin_version: 1 },
        wishes: WishList { language: Some("ast".into()), speech: true, ..WishList::default() },
        flaws: Vec::new(),
    }
}

/// One cent each, up to the purse's present value.
fn top_up(counter: u8) -> TopUp {
    TopUp {
        counter: u32::from(counter),
        day: Day(20_400),
        top_up: TopUpId([counter; 16]),
        amount: Cents(1),
        before: Cents(PURSE - i64::from(PAST - counter) - 1),
        terminal: TERMINAL,
    }
}

/// All before the top-ups.
fn movement(counter: u8) -> Debit {
    let balance = Cents(PURSE - i64::from(counter));
    let counter = u32::from(counter);
    Debit { counter, minute: 29_000_000 + counter, service: 1, amount: Cents(1), balance }
}

pub(super) fn classic() -> ClassicDescription {
    let top_up = |counter: u8| ClassicTopUp {
        counter: u32::from(counter),
        day: Day(20_100),
        top_up: [100 + counter; 6],
        amount: Cents(500),
        before: Cents(PURSE - 250),
    };
    ClassicDescription {
        technology: ClassicTag::Classic,
        uid: CLASSIC_UID.to_vec(),
        layout: SECTORS,
        system_id: layout().system_id,
        keys: ClassicKeySource::Base(ClassicBaseKeys {
            read: Key::new(READ),
            credit: Key::new(CREDIT),
            transaction_mac: Key::new(TRANSACTION_MAC),
        }),
        identity: ClassicIdentity { number: CardNumber(6_000_777_001), generation: Generation(4) },
        purse: ClassicPurse { value: Cents(PURSE), opening: None, day: Day(20_000) },
        top_ups: (1..=PAST).map(top_up).collect(),
        flaws: vec![],
    }
}

/// The operating system's randomness, as a kiosk takes it.
pub(super) fn entropy() -> Box<dyn keys::Entropy + Send> {
    Box::new(|buffer: &mut [u8]| getrandom::fill(buffer).map_err(|_| KeyError::NoEntropy))
}

/// What a terminal holds.
pub(super) fn terminal_keys() -> SoftKeys {
    SoftKeys::new(vec![AesKey::new(READ)], Some(AesKey::new(REAL_UID)), &layout().system_id, entropy())
}

/// The DESFire card's own credit key, as it comes out of its sealed record.
pub(super) fn credit_key() -> Result<[u8; 16], KeyError> {
    let layout = layout();
    let uid = Uid::new(&UID).map_err(|_| KeyError::UidMissing)?;
    let input = DiversificationInput::new(&uid, layout.aid, layout.keys.credit, &layout.system_id)?;
    Ok(*diversify(&AesKey::new(CREDIT), &input).expose())
}

/// Central, which gives a Classic card's keys B and seals.
pub(super) struct Central {
    credit: AesKey,
    seal: AesKey,
    system_id: String,
}

impl Central {
    pub(super) fn new() -> Self {
        let system_id = layout().system_id;
        Self { credit: AesKey::new(CREDIT), seal: AesKey::new(TRANSACTION_MAC), system_id }
    }
}

impl ClassicIssuer for Central {
    fn sector_key_b(&mut self, uid: &Uid, sector: u8) -> Result<ClassicKey, KeyError> {
        sector_key(&self.credit, uid, sector, ClassicKeyKind::B, &self.system_id)
    }

    fn purse_found(&mut self, _: &Uid, _: &card::classic::PurseFound) -> Result<Option<[u8; 8]>, KeyError> {
        Ok(None)
    }

    fn purse_seal(&mut self, uid: &Uid, seal: &PurseSeal) -> Result<[u8; 8], KeyError> {
        purse_seal_mac(&self.seal, uid, &self.system_id, seal)
    }
}
