//! The city, its keys, and its cards.

use card::ClassicIssuer;
use card::classic::PurseFound;
use card_simulator::memory::Chip;
use card_simulator::{
    AnyCard, BlankDescription, CardDescription, ClassicBaseKeys, ClassicCard, ClassicDescription, ClassicIdentity,
    ClassicKeySource, ClassicPurse, ClassicTag, Identity, Key, KeySet, KeySource, KeyVersions, Purse, ReaderKind,
    Tries, VirtualCard, WishList, personalise, personalise_classic,
};
use domain::city_pack::{CardFiles, CardKeys, CardLayout, ClassicLayout};
use domain::{CardNumber, Cents, Day, Generation, TerminalId, Uid};
use keys::classic::{ClassicKey, ClassicKeyKind, PurseSeal, purse_seal_mac, sector_key};
use keys::{
    AesKey, DiversificationInput, Entropy, IssuerBaseKeys, KeyError, KeyRole, OneKey, SoftIssuer, SoftKeys,
    VersionedKey, diversify,
};

pub(crate) const TERMINAL: TerminalId = TerminalId(17);
pub(crate) const NUMBER: CardNumber = CardNumber(6_001_234_567);
pub(crate) const PURSE: Cents = Cents(1_250);
pub(crate) const TODAY: Day = Day(20_414);

const UID: [u8; 7] = [0x04, 0xDE, 0x5F, 0x1E, 0xAC, 0xC0, 0x40];
const CLASSIC_UID: [u8; 4] = [0xDE, 0xAD, 0x51, 0x02];
const PICC: [u8; 16] = [0x66; 16];
const MASTER: [u8; 16] = [0x10; 16];
const READ: [u8; 16] = [0x11; 16];
const DEBIT: [u8; 16] = [0x22; 16];
const CREDIT: [u8; 16] = [0x33; 16];
const UID_KEY: [u8; 16] = [0x44; 16];
const TRANSACTION_MAC: [u8; 16] = [0x55; 16];

/// What a citizen may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ev1,
    Ev2,
    Ev3,
    /// On a reader with value operations of its own.
    Classic,
}

impl Kind {
    fn chip(self) -> Option<Chip> {
        match self {
            Self::Ev1 => Some(Chip::Ev1),
            Self::Ev2 => Some(Chip::Ev2),
            Self::Ev3 => Some(Chip::Ev3),
            Self::Classic => None,
        }
    }

    /// A new card of the city.
    pub(crate) fn card(self) -> AnyCard {
        let card: AnyCard = match self.chip() {
            Some(chip) => personalise(&desfire(chip)).unwrap().into(),
            None => personalise_classic(&classic()).unwrap().on(ReaderKind::Acs).into(),
        };
        card.seeded(7)
    }

    /// A chip that no card office has seen.
    pub(crate) fn blank(self) -> AnyCard {
        let card: AnyCard = match self.chip() {
            Some(chip) => VirtualCard::blank(&BlankDescription { uid: UID, chip, layout: layout() }).into(),
            None => ClassicCard::blank(Uid::new(&CLASSIC_UID).unwrap()).on(ReaderKind::Acs).into(),
        };
        card.seeded(7)
    }
}

pub(crate) fn layout() -> CardLayout {
    let classic = ClassicLayout {
        mad_aid: 0x511C,
        identity_sector: 1,
        purse_sector: 2,
        top_ups_sector: 3,
        purse_max: Cents(5_000),
        top_up_max: Cents(2_000),
    };
    CardLayout {
        aid: [0xF5, 0x1C, 0x01],
        keys: CardKeys { master: 0, read: 1, debit: 2, credit: 3, uid: 4 },
        files: CardFiles { identity: 1, purse: 2, top_ups: 3, movements: 4, tries: 5, wishes: 6, transaction_mac: 15 },
        system_id: "demo city".into(),
        top_up_records: 4,
        movement_records: 6,
        classic: Some(classic),
    }
}

fn desfire(chip: Chip) -> CardDescription {
    CardDescription {
        uid: UID,
        random_uid: false,
        chip,
        layout: layout(),
        keys: KeySource::Base(KeySet {
            master: Key::new(MASTER),
            read: Key::new(READ),
            debit: Key::new(DEBIT),
            credit: Key::new(CREDIT),
            uid: Key::new(UID_KEY),
            transaction_mac: Key::new(TRANSACTION_MAC),
            picc: Some(Key::new(PICC)),
            versions: KeyVersions::default(),
        }),
        identity: Identity { number: NUMBER, generation: Generation(2), secret: [0x5C; 32] },
        purse: Purse { value: PURSE, max: Cents(15_000), free_get_value: true },
        top_ups: vec![],
        movements: vec![],
        tries: Tries { attempt: 4, failures: 1, pin_version: 1 },
        wishes: WishList::default(),
        flaws: Vec::new(),
    }
}

fn classic() -> ClassicDescription {
    ClassicDescription {
        technology: ClassicTag::Classic,
        uid: CLASSIC_UID.to_vec(),
        layout: layout().classic.unwrap(),
        system_id: layout().system_id,
        keys: ClassicKeySource::Base(ClassicBaseKeys {
            read: Key::new(READ),
            credit: Key::new(CREDIT),
            transaction_mac: Key::new(TRANSACTION_MAC),
        }),
        identity: ClassicIdentity { number: NUMBER, generation: Generation(2) },
        purse: ClassicPurse { value: PURSE, opening: None, day: Day(20_000) },
        top_ups: vec![],
        flaws: vec![],
    }
}

pub(crate) fn counting() -> Box<dyn Entropy + Send> {
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

/// What the card office holds.
pub(crate) fn issuer() -> SoftIssuer {
    let one = |key| vec![VersionedKey { key: AesKey::new(key), version: 1 }];
    let base = IssuerBaseKeys {
        picc: one(PICC),
        master: one(MASTER),
        read: one(READ),
        debit: one(DEBIT),
        credit: one(CREDIT),
        uid: one(UID_KEY),
        transaction_mac: VersionedKey { key: AesKey::new(TRANSACTION_MAC), version: 1 },
    };
    SoftIssuer::new(base, &layout().system_id, counting())
}

/// Central, which gives a Classic card's keys B and seals; it seals the last counter again, or the next.
#[derive(Debug, Default)]
pub(crate) struct Central {
    sealed: u32,
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
