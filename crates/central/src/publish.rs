//! Publication: every active card, a holder's or a technician's, is sealed anew in both tiers, the public files are
//! laid beside them, and one signed head names it all. Files are named by their hash and never change; the head is
//! replaced last, in one step, so that a terminal sees the old feed or the new one and nothing between.

use crate::claims::orders::OpenByCard;
use crate::claims::{self, orders};
use crate::db::params;
use crate::error::CentralError;
use crate::key_file::{KeyFile, card_key};
use crate::numbers::{self, Numbered};
use crate::pack::{self, CITY_TOML};
use crate::registry::{self, RegisteredCard};
use crate::technicians::{self, Technician};
use crate::{DataFolder, Database};
use domain::city_pack::{CityPack, DocumentPolicy};
use domain::document::DocumentKind;
use domain::holder::{PinFacts, PreIssued, PriceClass, Residence, Role, TapFacts};
use domain::{CardNumber, Day, Timestamp};
use protocol::{
    BaseSegments, CardSecret, CityKeys, CreditKey, Dictionary, FileEntry, FileKind, Head, Manifest, NoteKey, PinCard,
    PinRecord, PinStamp, Revocations, SealContext, SealError, SignedHead, TapRecord, row::Tier, seal_pin, seal_tap,
};
use std::io::Write;
use std::path::Path;

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// How long a head may be shown without a mark of age.
const HEAD_LIFE_MS: i64 = 2 * DAY_MS;
/// How long the working keys may sign; a city renews them long before.
const KEYS_LIFE_MS: i64 = 400 * DAY_MS;

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The feed's sequence.
    pub sequence: u64,
    /// Rows of the tap tier.
    pub tap_rows: usize,
    /// Rows of the pin tier.
    pub pin_rows: usize,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Everything that sealing one card needs.
struct Press<'a> {
    context: SealContext<'a>,
    keys: &'a KeyFile,
    facts_key: NoteKey,
    open: OpenByCard,
    city: &'a CityPack,
    place: String,
    now: Timestamp,
}

#[derive(Default)]
struct Rows {
    tap: Vec<Vec<u8>>,
    pin: Vec<Vec<u8>>,
}

fn random<const N: usize>() -> Result<[u8; N], CentralError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn feed(error: impl std::fmt::Display) -> CentralError {
    CentralError::Feed(error.to_string())
}

/// Publishes the registry as it is now.
///
/// # Errors
/// `CentralError`; the published feed is then still the one before.
pub fn publish(
    data: &DataFolder,
    database: &mut Database,
    keys: &KeyFile,
    now: Timestamp,
) -> Result<Published, CentralError> {
    registry::refuse_shared_numbers(database.read())?;
    let (city, files) = pack::load(database.read())?;
    // Orders are in the database before they are signed.
    database.write(|transaction| claims::review(transaction, now))?;
    let dictionary = registry::dictionary(database.read())?;
    let epoch = keys.epoch()?;
    let sequence = next_sequence(database)?;
    let facts_key = keys.facts_key().map_err(feed)?;
    let context = SealContext { epoch, sequence, dictionary: &dictionary };
    // Records, orders and revocations are of one moment, whoever registers or blocks cards meanwhile.
    let (press, mut rows, revoked) = database.at_one_moment(|connection| {
        let open = orders::for_feed(connection, keys, now)?;
        let press = Press { context, keys, facts_key, open, city: &city, place: pack::name_in(&files), now };
        let mut rows = Rows::default();
        registry::for_each_card(connection, &keys.storage, |card| press.seal(&card, &mut rows))?;
        for technician in technicians::active(connection, &keys.storage)? {
            press.seal_service_card(&technician, &mut rows)?;
        }
        Ok((press, rows, Revocations::new(epoch, &registry::revoked(connection)?)))
    })?;
    let published = lay_out(data, &press, &mut rows, &dictionary, &files, &revoked)?;
    let manifest = published.1.encode().map_err(feed)?;
    record(database, &press, &manifest, &published.0)?;
    write_head(data, &press, &manifest)?;
    Ok(published.0)
}

fn next_sequence(database: &Database) -> Result<u64, CentralError> {
    Ok(numbers::highest(database.read(), Numbered::Publication)? + 1)
}

impl Press<'_> {
    fn seal(&self, card: &RegisteredCard, rows: &mut Rows) -> Result<(), CentralError> {
        self.seal_tap(card.number, &card.secret, self.tap_record(card)?, rows)?;
        if let Some(pin) = &card.pin_key {
            let stamp = PinStamp { pin_version: card.pin_version, content: card.pin_content };
            let holder = PinCard { secret: &card.secret, generation: card.generation, pin };
            self.seal_pin(card.number, &holder, stamp, &self.pin_record(card)?, rows)?;
        }
        Ok(())
    }

    fn seal_service_card(&self, technician: &Technician, rows: &mut Rows) -> Result<(), CentralError> {
        let Technician { number, secret, generation, pin_key, .. } = technician;
        self.seal_tap(*number, secret, technician.tap_record(self.now), rows)?;
        let stamp = PinStamp { pin_version: technician.pin_version, content: technician.pin_content };
        let card = PinCard { secret, generation: *generation, pin: pin_key };
        self.seal_pin(*number, &card, stamp, &technician.pin_record(self.now), rows)
    }

    fn seal_tap(
        &self,
        number: CardNumber,
        secret: &CardSecret,
        mut record: TapRecord,
        rows: &mut Rows,
    ) -> Result<(), CentralError> {
        loop {
            match seal_tap(&self.context, secret, &record, random()?) {
                Ok(sealed) => {
                    rows.tap.push(sealed);
                    return Ok(());
                }
                // A row has a largest length. The newest claims wait for the next publication; the first has the order.
                Err(SealError::TooLong { .. }) if record.open.pop().is_some() => {}
                Err(error) => return Err(CentralError::Seal { last_four: number.last_four(), error }),
            }
        }
    }

    fn seal_pin(
        &self,
        number: CardNumber,
        card: &PinCard<'_>,
        stamp: PinStamp,
        record: &PinRecord,
        rows: &mut Rows,
    ) -> Result<(), CentralError> {
        let sealed = seal_pin(&self.context, card, stamp, record, random()?);
        rows.pin.push(sealed.map_err(|error| CentralError::Seal { last_four: number.last_four(), error })?);
        Ok(())
    }

    fn today(&self) -> Day {
        self.now.day()
    }

    fn tap_record(&self, card: &RegisteredCard) -> Result<TapRecord, CentralError> {
        let layout = &self.city.card;
        let credit = card_key(&self.keys.cards.credit, &card.uid, layout, layout.keys.credit)?;
        let holder = &card.holder;
        let facts = TapFacts {
            role: Role::Holder,
            price_class: PriceClass(holder.price_class),
            entitlements: holder.entitlements.clone(),
            booking: holder.booking.clone().filter(|booking| booking.starts.day() == self.today()),
            pin_version: card.pin_version,
            pin_content: card.pin_content,
            credit_key: None,
            open: Vec::new(),
            as_of: self.now,
        };
        let mut record = TapRecord::from_facts(&facts, Some(&CreditKey::new(*credit.expose())));
        record.open = self.open.get(&(card.number, card.generation)).cloned().unwrap_or_default();
        Ok(record)
    }

    fn pin_record(&self, card: &RegisteredCard) -> Result<PinRecord, CentralError> {
        let holder = &card.holder;
        let mut facts = PinFacts {
            name: holder.name.clone(),
            identity_number: holder.identity_number.clone(),
            born: holder.born,
            residence: Residence {
                street: holder.street.clone(),
                place: format!("{} {}", holder.postal_code, self.place),
                district: holder.district.clone(),
                registered: holder.registered,
            },
            taxes_due: holder.taxes_due,
            documents: Vec::new(),
            as_of: self.now,
        };
        if !holder.protected {
            let policies = self.city.documents.iter();
            facts.documents = policies.map(|policy| self.pre_issue(&facts, policy)).collect::<Result<_, _>>()?;
        }
        Ok(PinRecord::from_facts(&facts))
    }

    fn pre_issue(&self, facts: &PinFacts, policy: &DocumentPolicy) -> Result<PreIssued, CentralError> {
        let until = Day(self.today().0 + i32::try_from(policy.validity_days).unwrap_or(0));
        let DocumentKind::VolanteIndividual = policy.kind;
        let volante = protocol::VolanteFacts {
            kind: policy.kind.name().to_owned(),
            id: random()?,
            name: facts.name.clone(),
            identity_number: facts.identity_number.clone(),
            born: facts.born.0,
            street: facts.residence.street.clone(),
            place: facts.residence.place.clone(),
            district: facts.residence.district.clone(),
            registered: facts.residence.registered.0,
            data_day: self.today().0,
            until: until.0,
        };
        let signed_facts = volante.sign(&self.facts_key).map_err(feed)?;
        Ok(PreIssued { kind: policy.kind, signed_facts, until })
    }
}

fn lay_out(
    data: &DataFolder,
    press: &Press<'_>,
    rows: &mut Rows,
    dictionary: &Dictionary,
    pack: &[pack::PackFile],
    revoked: &Revocations,
) -> Result<(Published, Manifest), CentralError> {
    let folder = data.feed().join("files");
    std::fs::create_dir_all(&folder).map_err(|error| CentralError::file(&folder, error))?;
    let (epoch, sequence) = (press.context.epoch.epoch, press.context.sequence);
    let mut manifest = Manifest::new(&press.city.id, sequence, epoch);
    for (tier, rows) in [(Tier::Tap, &mut rows.tap), (Tier::Pin, &mut rows.pin)] {
        rows.sort_unstable();
        for segment in BaseSegments::new(tier, epoch, sequence, rows.iter()) {
            let (part, bytes) = segment.map_err(feed)?;
            let entry = FileEntry::of_base(tier, part, &bytes);
            write_durably(&folder.join(entry.sha256.to_string()), &bytes)?;
            manifest.files.push(entry);
        }
    }
    let mut add = |kind, name: &str, bytes: &[u8]| -> Result<(), CentralError> {
        let entry = FileEntry::of(kind, name, bytes);
        write_durably(&folder.join(entry.sha256.to_string()), bytes)?;
        manifest.files.push(entry);
        Ok(())
    };
    add(FileKind::Dictionary, "records.dict", dictionary.bytes())?;
    add(FileKind::Revocations, "revocations", &revoked.encode())?;
    for file in pack {
        let kind = if file.name == CITY_TOML { FileKind::CityPack } else { FileKind::CityFile };
        add(kind, &file.name, &file.bytes)?;
    }
    let bytes = manifest.files.iter().map(|file| file.bytes).sum();
    let published = Published { sequence, tap_rows: rows.tap.len(), pin_rows: rows.pin.len(), bytes };
    Ok((published, manifest))
}

/// Takes the sequence for good before any terminal can see it: a head that was shown is never issued twice.
fn record(
    database: &mut Database,
    press: &Press<'_>,
    manifest: &[u8],
    published: &Published,
) -> Result<(), CentralError> {
    let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
    database.write(|transaction| {
        transaction.execute(
            "INSERT INTO publication (sequence, epoch, issued, manifest, tap_rows, pin_rows)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                i64::try_from(published.sequence).unwrap_or(i64::MAX),
                press.context.epoch.epoch,
                press.now.0,
                manifest,
                count(published.tap_rows),
                count(published.pin_rows),
            ],
        )?;
        Ok(())
    })
}

fn write_head(data: &DataFolder, press: &Press<'_>, manifest: &[u8]) -> Result<(), CentralError> {
    let entry = FileEntry::of(FileKind::Unknown, "manifest", manifest);
    write_durably(&data.feed().join("files").join(entry.sha256.to_string()), manifest)?;
    let (keys, now) = (press.keys, press.now);
    let head = Head {
        sequence: press.context.sequence,
        manifest: entry.sha256,
        epoch: press.context.epoch.epoch,
        issued: now,
        expires: now.plus_ms(HEAD_LIFE_MS),
    };
    let head_key = keys.head_key().map_err(feed)?;
    let city_keys = CityKeys {
        city: press.city.id.clone(),
        version: keys.version,
        head: head_key.verifier(),
        facts: press.facts_key.verifier(),
        until: now.plus_ms(KEYS_LIFE_MS),
    };
    let signed = SignedHead {
        keys: city_keys.sign(&keys.root_key().map_err(feed)?).map_err(feed)?,
        head: head.sign(&press.city.id, &head_key).map_err(feed)?,
    };
    let json = serde_json::to_vec_pretty(&signed).map_err(feed)?;
    write_durably(&data.feed().join("head.json"), &json)
}

/// Writes a file whole or not at all, and syncs it and its folder.
fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), CentralError> {
    let temporary = path.with_extension("part");
    let write = || {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        let folder = path.parent().map_or_else(|| Ok(None), |folder| std::fs::File::open(folder).map(Some))?;
        folder.map_or(Ok(()), |folder| folder.sync_all())
    };
    write().map_err(|error| CentralError::file(path, error))
}
