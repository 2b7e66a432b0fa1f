//! The card office: makes a card of a description (`docs/card-layout.md`).

use crate::bytes::Key;
use crate::crypto::diversified;
use crate::description::{CardDescription, KeySet, KeySource};
use crate::layout;
use crate::memory::{
    Access, Application, CardKey, Chip, CommMode, Contents, File, Memory, RecordFile, Rights, TransactionMacFile,
    ValueFile,
};
use crate::virtual_card::VirtualCard;
use domain::card::{Movement, TopUpRecord};
use domain::city_pack::CardLayout;
use domain::{Cents, Day, TerminalId, TopUpId};
use std::collections::BTreeMap;

/// KeySettings1 of the application, and of a chip that has the city's own master key: the master key changes keys and
/// creates, settings may be changed, listing is free.
const KEY_SETTINGS: u8 = 0x0B;

/// The TransactionMAC key has no number of its own; it counts as this one in diversification.
const TRANSACTION_MAC_KEY_NUMBER: u8 = 0xFF;

/// A description from which no card can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonaliseError {
    /// The key numbers are not 0 to 4, each once.
    #[error("the layout's key numbers must be 0 to 4, each once")]
    KeyNumbers,
    /// Two files have the same number, or one is above 31.
    #[error("the layout's file numbers must differ and be at most 31")]
    FileNumbers,
    /// The diversification input of AN10922 would be longer than 31 bytes.
    #[error("the layout's system id is longer than 16 bytes")]
    SystemId,
    /// An amount is negative or does not fit the card's four bytes, or the purse is above its own limit.
    #[error("{0} does not fit the card")]
    Amount(&'static str),
    /// The language is not two or three small letters.
    #[error("the language of the wishes is no ISO 639 code")]
    Language,
}

/// The chip's own number in place of an application's, for the diversification of its master key.
const CHIP_LEVEL: [u8; 3] = [0; 3];

/// Makes a card: its keys, all its files (an EV1 has no TransactionMAC), and record 0 in both cyclic ones; then what the description says was left
/// undone.
///
/// # Errors
/// When the description is not one of a possible card.
pub fn personalise(description: &CardDescription) -> Result<VirtualCard, PersonaliseError> {
    let layout = &description.layout;
    let keys = card_keys(description)?;
    let mut files = files(description, &keys)?;
    for flaw in &description.flaws {
        flaw.apply(layout, &mut files);
    }
    let application =
        Application { aid: layout.aid, key_settings: KEY_SETTINGS, keys: keys_by_number(layout, &keys)?, files };
    let mut memory = Memory::blank(description.chip, description.uid);
    if let Some(key) = &keys.picc {
        memory.master = CardKey { key: key.clone(), version: keys.versions.picc };
        memory.settings = KEY_SETTINGS;
    }
    memory.random_uid = description.random_uid;
    memory.applications.push(application);
    Ok(VirtualCard::new(memory, layout.clone()))
}

fn card_keys(description: &CardDescription) -> Result<KeySet, PersonaliseError> {
    let layout = &description.layout;
    if layout.system_id.len() > 16 {
        return Err(PersonaliseError::SystemId);
    }
    let base = match &description.keys {
        KeySource::Card(keys) => return Ok(keys.clone()),
        KeySource::Base(keys) => keys,
    };
    let diversified = |key: &Key, aid: &[u8; 3], number: u8| {
        let div = [&description.uid[..], aid, &[number], layout.system_id.as_bytes()].concat();
        diversified(key, &div)
    };
    let for_card = |key, number| diversified(key, &layout.aid, number);
    Ok(KeySet {
        master: for_card(&base.master, layout.keys.master),
        read: for_card(&base.read, layout.keys.read),
        debit: for_card(&base.debit, layout.keys.debit),
        credit: for_card(&base.credit, layout.keys.credit),
        uid: base.uid.clone(),
        transaction_mac: for_card(&base.transaction_mac, TRANSACTION_MAC_KEY_NUMBER),
        picc: base.picc.as_ref().map(|key| diversified(key, &CHIP_LEVEL, 0)),
        versions: base.versions,
    })
}

fn keys_by_number(layout: &CardLayout, keys: &KeySet) -> Result<Vec<CardKey>, PersonaliseError> {
    let (numbers, versions) = (layout.keys, keys.versions);
    let by_number = BTreeMap::from([
        (numbers.master, (&keys.master, versions.master)),
        (numbers.read, (&keys.read, versions.read)),
        (numbers.debit, (&keys.debit, versions.debit)),
        (numbers.credit, (&keys.credit, versions.credit)),
        (numbers.uid, (&keys.uid, versions.uid)),
    ]);
    if !by_number.keys().copied().eq(0..5) {
        return Err(PersonaliseError::KeyNumbers);
    }
    Ok(by_number.into_values().map(|(key, version)| CardKey { key: key.clone(), version }).collect())
}

fn files(description: &CardDescription, keys: &KeySet) -> Result<BTreeMap<u8, File>, PersonaliseError> {
    let numbers = description.layout.files;
    let mut files = BTreeMap::from([
        (numbers.identity, identity(description)),
        (numbers.purse, purse(description)?),
        (numbers.top_ups, top_ups(description)?),
        (numbers.movements, movements(description)?),
        (numbers.tries, kiosk_file(description, layout::tries(description.tries.into()))),
        (numbers.wishes, wishes(description)?),
        (numbers.transaction_mac, transaction_mac(description, keys)),
    ]);
    if files.len() != 7 || files.keys().any(|number| *number > 31) {
        return Err(PersonaliseError::FileNumbers);
    }
    if description.chip == Chip::Ev1 {
        files.remove(&numbers.transaction_mac);
    }
    Ok(files)
}

fn identity(description: &CardDescription) -> File {
    let keys = description.layout.keys;
    let identity = &description.identity;
    let data = layout::identity(identity.number, identity.generation, &identity.secret);
    let rights = Rights {
        read: Access::Key(keys.read),
        write: Access::Never,
        read_write: Access::Never,
        change: Access::Key(keys.master),
    };
    File { comm: CommMode::Full, rights, contents: Contents::Standard { data } }
}

fn purse(description: &CardDescription) -> Result<File, PersonaliseError> {
    let keys = description.layout.keys;
    let purse = &description.purse;
    let upper = layout::card_cents(purse.max).filter(|max| *max >= 0).ok_or(PersonaliseError::Amount("purse.max"))?;
    let value = layout::card_cents(purse.value).filter(|value| (0..=upper).contains(value));
    let contents = Contents::Value(ValueFile {
        lower: 0,
        upper,
        value: value.ok_or(PersonaliseError::Amount("purse.value"))?,
        limited_credit: false,
        limited_credit_left: 0,
        free_get_value: purse.free_get_value,
    });
    let rights = Rights {
        read: Access::Never,
        write: Access::Key(keys.debit),
        read_write: Access::Key(keys.credit),
        change: Access::Key(keys.master),
    };
    Ok(File { comm: CommMode::Full, rights, contents })
}

/// A record file whose `key` writes; `readable` records can be read.
fn ring(description: &CardDescription, key: u8, record_size: usize, readable: u8, records: Vec<Vec<u8>>) -> File {
    let keys = description.layout.keys;
    let max_records = usize::from(readable.max(1)) + 1;
    let mut file = RecordFile { record_size, max_records, records: Vec::new() };
    for record in records {
        file.push(record);
    }
    let rights = Rights {
        read: Access::Key(keys.read),
        write: Access::Key(key),
        read_write: Access::Key(key),
        change: Access::Key(keys.master),
    };
    File { comm: CommMode::Full, rights, contents: Contents::Cyclic(file) }
}

fn top_ups(description: &CardDescription) -> Result<File, PersonaliseError> {
    let amount = opening_value(description).ok_or(PersonaliseError::Amount("movements"))?;
    let zero = TopUpRecord {
        counter: 0,
        day: Day(0),
        top_up: TopUpId([0; 16]),
        amount,
        before: Cents::ZERO,
        terminal: TerminalId(0),
    };
    let records = std::iter::once(zero).chain(description.top_ups.iter().map(|record| (*record).into()));
    let records: Option<Vec<_>> = records.map(|record| layout::top_up(&record)).collect();
    let records = records.ok_or(PersonaliseError::Amount("top_ups"))?;
    let layout = &description.layout;
    Ok(ring(description, layout.keys.credit, layout::TOP_UP_LEN, layout.top_up_records, records))
}

/// What the card office opened the purse with, and record 0 says: what the first top-up found; without one, what the
/// purse holds and all debits together. `None` when that is no amount.
fn opening_value(description: &CardDescription) -> Option<Cents> {
    match description.top_ups.first() {
        Some(first) => Some(first.before),
        None => {
            description.movements.iter().try_fold(description.purse.value, |sum, debit| sum.checked_add(debit.amount))
        }
    }
}

fn movements(description: &CardDescription) -> Result<File, PersonaliseError> {
    let opening = description
        .movements
        .first()
        .map_or(description.purse.value, |first| first.balance.checked_add(first.amount).unwrap_or(first.balance));
    let zero = Movement { counter: 0, minute: 0, service: 0, amount: Cents::ZERO, balance: opening };
    let records = std::iter::once(zero).chain(description.movements.iter().map(|record| (*record).into()));
    let records: Option<Vec<_>> = records.map(|record| layout::movement(&record)).collect();
    let records = records.ok_or(PersonaliseError::Amount("movements"))?;
    let layout = &description.layout;
    Ok(ring(description, layout.keys.debit, layout::MOVEMENT_LEN, layout.movement_records, records))
}

/// A backup file that kiosks read and write.
fn kiosk_file(description: &CardDescription, data: Vec<u8>) -> File {
    let keys = description.layout.keys;
    let read = Access::Key(keys.read);
    let rights = Rights { read, write: read, read_write: read, change: Access::Key(keys.master) };
    File { comm: CommMode::Full, rights, contents: Contents::Backup { data } }
}

fn wishes(description: &CardDescription) -> Result<File, PersonaliseError> {
    let wishes = description.wishes.to_wishes().ok_or(PersonaliseError::Language)?;
    Ok(kiosk_file(description, layout::wishes(wishes)))
}

fn transaction_mac(description: &CardDescription, keys: &KeySet) -> File {
    let rights = Rights {
        read: Access::Free,
        write: Access::Never,
        read_write: Access::Free,
        change: Access::Key(description.layout.keys.master),
    };
    let contents = Contents::TransactionMac(TransactionMacFile {
        key: keys.transaction_mac.clone(),
        key_version: keys.versions.transaction_mac,
        counter: 0,
        value: [0; 8],
        reader_id: [0; 16],
    });
    File { comm: CommMode::Plain, rights, contents }
}
