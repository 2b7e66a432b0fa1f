//! The city of the street: invented from the seed, one terminal enrolled, the feed published, central serving it.

use super::StreetConfig;
use crate::books::CentralBooks;
use crate::{StreetError, io_error};
use card_simulator::{Key, KeySet, KeyVersions};
use central::audit::Actor;
use central::enrol::{EnrolmentOrder, enrol, make_code, set_certificate_days, withdraw, write_bundle};
use central::epochs::rotate;
use central::publish::{carry, publish};
use central::seed::{SeedPlan, seed};
use central::{
    Authority, CityServer, DataFolder, Database, KeyFile, Running, TlsSettings, cards, clock, offices, pack, serve,
    serve_tls,
};
use domain::{CardNumber, TerminalId};
use kiosk::Config;
use kiosk::enrolment::by_code;
use protocol::{BaseKey, CardRegistration};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use tokio::runtime::Runtime;

/// The terminal that stands in the street.
const TERMINAL: TerminalId = TerminalId(7);
const PLACE: &str = "Plaza Mayor";
/// Where cards are made.
const OFFICE: &str = "Oficina de la Tarjeta Ciudadana";
/// How long a one-time code is good.
const CODE_LIFE_MS: i64 = 3_600_000;
/// Verification codes it begins with.
const CODES: u16 = 200;

/// A change in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// The card was reported lost.
    Revoked,
    /// No PIN was ever set.
    WithoutPin,
    /// The holder is charged by this class.
    PriceClass(u8),
}

pub(super) struct City {
    data: DataFolder,
    time_zone: String,
    address: SocketAddr,
    serving: Option<(Runtime, Running)>,
    /// Central for terminals with certificates, in a street that has them.
    secure: Option<Running>,
}

impl City {
    pub(super) fn found(config: &StreetConfig, dir: &Path) -> Result<Self, StreetError> {
        let data = DataFolder::new(&dir.join("central"))?;
        let today = clock::now().day();
        let plan = SeedPlan { seed: config.seed, holders: config.holders, pins: config.pins, today };
        seed(&data, &config.pack, &plan)?;
        let mut database = Database::open(data.database())?;
        let keys = KeyFile::load(&data.keys())?;
        publish(&data, &mut database, &keys, clock::now())?;
        let time_zone = pack::load(database.read())?.0.time_zone;
        let runtime = Runtime::new().map_err(io_error("central"))?;
        let server = CityServer::open(data.clone())?;
        let running = runtime.block_on(serve(server.clone(), 0))?;
        let settings = TlsSettings::new((Ipv4Addr::LOCALHOST, 0).into(), vec![Ipv4Addr::LOCALHOST.to_string()]);
        let secure = config.tls.map(|_| runtime.block_on(serve_tls(server, &settings))).transpose()?;
        if let Some(days) = config.tls {
            set_certificate_days(&mut database, days, clock::now())?;
        }
        let (address, serving) = (running.address(), Some((runtime, running)));
        Ok(Self { data, time_zone, address, serving, secure })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the terminal's cable ends.
    pub(super) fn for_terminals(&self) -> SocketAddr {
        self.secure.as_ref().map_or(self.address, Running::address)
    }

    pub(super) fn time_zone(&self) -> &str {
        &self.time_zone
    }

    pub(super) fn data(&self) -> &DataFolder {
        &self.data
    }

    fn database(&self) -> Result<Database, StreetError> {
        Ok(Database::open(self.data.database())?)
    }

    fn keys(&self) -> Result<KeyFile, StreetError> {
        Ok(KeyFile::load(&self.data.keys())?)
    }

    /// Enrols the street's terminal, which reaches central at `central`: with a token, or as a technician does with the
    /// terminal's own program and a one-time code.
    pub(super) fn enrol(&self, central: SocketAddr, config: &Path, bundle: &Path) -> Result<(), StreetError> {
        let (place, scheme) = (PLACE.to_owned(), if self.secure.is_some() { "https" } else { "http" });
        let order =
            EnrolmentOrder { terminal: TERMINAL, place, central: format!("{scheme}://{central}"), codes: CODES };
        if self.secure.is_some() {
            let fingerprint = Authority::obtain(&self.data, &self.keys()?.city, clock::now())?.fingerprint();
            let code = make_code(&mut self.database()?, &order, CODE_LIFE_MS, clock::now())?;
            let failed = |error: String| io_error("the terminal's enrolment")(std::io::Error::other(error));
            let config = Config::load(config).map_err(|error| failed(error.to_string()))?;
            let enrolled = by_code(&config, TERMINAL, &order.central, &code, &fingerprint);
            return enrolled.map(drop).map_err(|error| failed(error.to_string()));
        }
        let enrolment = enrol(&mut self.database()?, &self.keys()?, order, clock::now())?;
        Ok(write_bundle(&enrolment, bundle)?)
    }

    /// Withdraws the street's terminal, as after a theft.
    pub(super) fn withdraw(&self) -> Result<bool, StreetError> {
        Ok(withdraw(&mut self.database()?, TERMINAL, &Actor::console(), clock::now())?)
    }

    /// Changes the registry as the city's staff would; it counts with the next publication.
    pub(super) fn register(&self, change: Registration, number: CardNumber) -> Result<(), StreetError> {
        let number = i64::try_from(number.0).unwrap_or(i64::MAX);
        self.database()?.write(|transaction| {
            match change {
                Registration::Revoked => transaction
                    .execute("UPDATE card SET state = 'revoked' WHERE number = ?1", central::db::params![number])?,
                Registration::WithoutPin => transaction.execute(
                    "UPDATE card SET pin_version = 0, pin_key = NULL WHERE number = ?1",
                    central::db::params![number],
                )?,
                Registration::PriceClass(class) => transaction.execute(
                    "UPDATE holder SET price_class = ?2 WHERE id = (SELECT holder FROM card WHERE number = ?1)",
                    central::db::params![number, i64::from(class)],
                )?,
            };
            Ok(())
        })?;
        Ok(())
    }

    pub(super) fn publish(&self) -> Result<u64, StreetError> {
        Ok(publish(&self.data, &mut self.database()?, &self.keys()?, clock::now())?.sequence)
    }

    /// Begins the next epoch, the street's terminal withdrawn first when it was stolen. The epoch.
    pub(super) fn rotate(&self, stolen: bool) -> Result<u32, StreetError> {
        let (mut database, mut keys) = (self.database()?, self.keys()?);
        let withdrawn: &[TerminalId] = if stolen { &[TERMINAL] } else { &[] };
        let (actor, now) = (Actor::console(), clock::now());
        rotate(&self.data, &mut database, &mut keys, withdrawn, &actor, now, &mut |_| Ok(()))?;
        Ok(keys.epoch()?.epoch)
    }

    /// Copies the published feed to a folder, as `citizen-central export-feed` does.
    pub(super) fn carry(&self, to: &Path) -> Result<u64, StreetError> {
        let keys = self.keys()?;
        Ok(carry(&self.data.feed(), &keys.city, &keys.root_verifier()?, to)?.sequence)
    }

    /// Takes an exported outbox, as `citizen-central import-outbox` does.
    pub(super) fn import(&self, file: &[u8]) -> Result<central::import::Imported, StreetError> {
        Ok(central::import::import(&mut self.database()?, &self.keys()?, file, clock::now())?)
    }

    /// The card office registers a card it has made. It counts with central at once, and no feed knows it.
    pub(super) fn issue(&self, card: &CardRegistration) -> Result<(), StreetError> {
        let (mut database, now) = (self.database()?, clock::now());
        let token = offices::make_token(&mut database, OFFICE, now)?;
        let office = offices::of_token(database.read(), token.expose())?;
        let bytes = card.encode().map_err(|error| StreetError::Card(error.to_string()))?;
        cards::register(&mut database, &self.keys()?, office, &bytes, now)?;
        Ok(())
    }

    /// The cards' base keys, as simulated cards are described.
    pub(super) fn base_keys(&self) -> Result<KeySet, StreetError> {
        let keys = self.keys()?;
        let (read, base) = (keys.newest_read()?, &keys.cards);
        let key = |key: &BaseKey| Key::new(*key.expose());
        Ok(KeySet {
            master: key(&base.master),
            read: key(&read.key),
            debit: key(&base.debit),
            credit: key(&base.credit),
            uid: key(&base.uid),
            transaction_mac: key(&base.transaction_mac),
            picc: None,
            versions: KeyVersions { read: read.version, ..KeyVersions::default() },
        })
    }

    pub(super) fn books(&self) -> Result<CentralBooks, StreetError> {
        CentralBooks::read(&self.database()?, &self.time_zone)
    }

    /// The home of a registered holder, by card number: street with door, and district.
    pub(super) fn home_of(&self, number: CardNumber) -> Result<Option<central::registry::Holder>, StreetError> {
        let mut found = None;
        central::registry::for_each_card(self.database()?.read(), &self.keys()?.storage, |card| {
            if card.number == number {
                found = Some(card.holder);
            }
            Ok(())
        })?;
        Ok(found)
    }
}

impl Drop for City {
    fn drop(&mut self) {
        if let Some((runtime, running)) = self.serving.take() {
            drop(running);
            runtime.shutdown_background();
        }
    }
}
