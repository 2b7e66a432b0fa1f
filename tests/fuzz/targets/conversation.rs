//! A whole visit with a card that lies: opened, asked about a top-up, credited. It must end, and never claim a credit
//! that was not read back.

use crate::liar::{Gullible, Liar};
use card::classic::PurseFound;
use card::{CityCard, ClassicIssuer, CreditKeys, CreditOutcome, ReaderProfile};
use domain::card::Presentation;
use domain::city_pack::{CardFiles, CardKeys, CardLayout, ClassicLayout};
use domain::device::{CreditKey, CreditOrder};
use domain::{Cents, Day, TerminalId, TopUpId, Uid};
use keys::KeyError;
use keys::classic::{ClassicKey, PurseSeal};

const OURS: TopUpId = TopUpId([7; 16]);

fn layout() -> CardLayout {
    CardLayout {
        aid: [0xF5, 0x1C, 0x01],
        keys: CardKeys { master: 0, read: 1, debit: 2, credit: 3, uid: 4 },
        files: CardFiles { identity: 1, purse: 2, top_ups: 3, movements: 4, tries: 5, wishes: 6, transaction_mac: 15 },
        system_id: "fuzz".into(),
        top_up_records: 6,
        movement_records: 10,
        classic: Some(ClassicLayout {
            mad_aid: 0x511C,
            identity_sector: 1,
            purse_sector: 2,
            top_ups_sector: 3,
            purse_max: Cents(5_000),
            top_up_max: Cents(2_000),
        }),
    }
}

impl ClassicIssuer for Gullible {
    fn sector_key_b(&mut self, _: &Uid, _: u8) -> Result<ClassicKey, KeyError> {
        Ok(ClassicKey::new([0xB0; 6]))
    }

    fn purse_found(&mut self, _: &Uid, _: &PurseFound) -> Result<Option<[u8; 8]>, KeyError> {
        Ok(None)
    }

    fn purse_seal(&mut self, _: &Uid, _: &PurseSeal) -> Result<[u8; 8], KeyError> {
        Ok([0x5E; 8])
    }
}

fn order(counter_seen: u32) -> CreditOrder {
    CreditOrder {
        presentation: Presentation(1),
        key: CreditKey::Central,
        top_up: OURS,
        amount: Cents(1_000),
        counter_seen,
        purse_max: Cents(5_000),
        day: Day(20_000),
        terminal: TerminalId(7),
    }
}

fn visit(liar: Liar<'_>) {
    let opened = CityCard::open_with(liar, &layout(), &mut Gullible, ReaderProfile::Acs);
    let Ok((mut card, contents)) = opened else { return };
    let counter = contents.top_ups.iter().map(|record| record.counter).max().unwrap_or(0);
    // Any verdict will do of a liar, and so will none.
    let _ = card.resolve(&mut Gullible, OURS, counter);
    let mut keys = Gullible;
    let mut keys = match card {
        CityCard::Desfire(_) => CreditKeys::Desfire(&mut keys),
        CityCard::Classic(_) => CreditKeys::Classic(&mut keys),
    };
    if let CreditOutcome::Credited { before, after, .. } = card.credit(&mut keys, &order(counter)) {
        assert_eq!(before.checked_add(Cents(1_000)), Some(after));
        assert!(!before.is_negative() && after <= Cents(5_000));
    }
}

pub(crate) fn desfire(bytes: &[u8]) {
    visit(Liar::desfire(bytes));
}

pub(crate) fn classic(bytes: &[u8]) {
    visit(Liar::classic(bytes));
}
