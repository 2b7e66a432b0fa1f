//! Central behind `protocol::Central`, and what the web needs beyond it. The database blocks, so every call runs on
//! the blocking pool, on a connection of its own for as long as it lasts.

use crate::ca::Authority;
use crate::card_keys::KeyDesk;
use crate::db::params;
use crate::error::CentralError;
use crate::fleet::Heard;
use crate::intake::{self, Intake};
use crate::key_file::KeyFile;
use crate::limits::Limits;
use crate::live_keys::LiveKeys;
use crate::metrics::Metrics;
use crate::pool::Pool;
use crate::ready::{self, Readiness};
use crate::uploads::{self, Sent};
use crate::{DataFolder, Database, ca_store, cards, clock, codes, enrol, fleet, offices, pack, pins};
use axum::body::Bytes;
use domain::city_pack::CityPack;
use domain::{CardNumber, TerminalId, Timestamp};
use protocol::{
    Central, FileHash, Head, Outcome, PinChanged, Problem, ProblemCode, Receipt, SignedCodeBatch, SignedHead, Upload,
};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use zeroize::Zeroizing;

const TERMINAL_OF_TOKEN: &str = "SELECT id FROM terminal WHERE token_sha256 = ?1
    AND NOT EXISTS (SELECT 1 FROM terminal_key WHERE terminal_key.terminal = terminal.id)";

/// A city's server over its data folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CityServer {
    data: DataFolder,
    keys: Arc<LiveKeys>,
    pool: Arc<Pool>,
    intake: Arc<Intake>,
    city: Arc<CityPack>,
    authority: Arc<Authority>,
    metrics: Metrics,
    limits: Arc<Limits>,
    heard: Arc<Heard>,
    stopping: Arc<AtomicBool>,
    published: Arc<Mutex<Option<(SystemTime, Head)>>>,
    opening: Opening,
}

/// How many envelopes of each terminal are in hand.
pub(crate) type Opening = Arc<Mutex<HashMap<TerminalId, usize>>>;

/// Envelopes of one terminal at a time: each is megabytes, sealed and opened, for as long as its commit takes.
pub(crate) const ENVELOPES_AT_ONCE: usize = 2;

/// An envelope's place among those in hand. It goes with the envelope, wherever that lies: whoever hangs up leaves the
/// envelope behind.
#[derive(Debug)]
pub(crate) struct Place {
    opening: Opening,
    terminal: TerminalId,
}

impl Place {
    pub(crate) fn take(opening: &Opening, terminal: TerminalId) -> Result<Self, CentralError> {
        let mut counts = opening.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(terminal).or_default();
        if *count >= ENVELOPES_AT_ONCE {
            return Err(Problem::new(ProblemCode::TooOften, "envelopes of this terminal are in hand").into());
        }
        *count += 1;
        drop(counts);
        Ok(Self { opening: Arc::clone(opening), terminal })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.terminal) {
            *count = count.saturating_sub(1);
        }
        counts.retain(|_, count| *count > 0);
    }
}

impl CityServer {
    /// Opens a seeded data folder.
    ///
    /// # Errors
    /// `CentralError` when it is not one.
    pub fn open(data: DataFolder) -> Result<Self, CentralError> {
        let keys = Arc::new(LiveKeys::open(data.keys())?);
        let database = Database::open(data.database())?;
        let (city, _) = pack::load(database.read())?;
        let metrics = Metrics::default();
        let limits = Arc::new(Limits::new(data.limits(), metrics.clone()));
        let (pool, city) = (Arc::new(Pool::new(data.clone(), database, metrics.clone())), Arc::new(city));
        let authority = Arc::new(Authority::obtain(&data, &keys.now().city, clock::now())?);
        let (intake, heard, stopping, published, opening) = Default::default();
        Ok(Self { data, keys, pool, intake, city, authority, metrics, limits, heard, stopping, published, opening })
    }

    /// The city pack.
    #[must_use]
    pub fn city(&self) -> &CityPack {
        &self.city
    }

    /// Where the office's pages are.
    pub(crate) fn office(&self) -> crate::config::Office {
        self.data.office()
    }

    /// Runs work on the database, off the async threads.
    ///
    /// # Errors
    /// What the work returns.
    pub async fn with_database<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database, &KeyFile) -> Result<T, CentralError> + Send + 'static,
    ) -> Result<T, CentralError> {
        let keys = self.keys.now();
        Arc::clone(&self.pool).with(move |database| work(database, &keys)).await
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &DataFolder {
        &self.data
    }

    /// What this process has counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How often who may ask.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// From now on this node is not ready; what is under way is answered.
    pub fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Whether this node should be sent requests.
    pub async fn readiness(&self, now: Timestamp) -> Readiness {
        ready::look(self, now).await
    }

    /// A terminal has asked for something; the published head, when it was that.
    pub(crate) fn hear(&self, terminal: TerminalId, given_head: bool) {
        let head = if given_head { self.published() } else { None };
        if self.heard.hear(terminal, head.map(|head| head.sequence), clock::now()) {
            let server = self.clone();
            tokio::spawn(async move { server.flush_heard().await });
        }
    }

    /// Writes down what was heard so far.
    pub(crate) async fn flush_heard(&self) {
        let heard = self.heard.take();
        if let Err(error) = self.with_database(move |database, _| fleet::write(database, &heard)).await {
            // The next time they ask they are heard again.
            tracing::warn!(%error, "what was heard of terminals was not written down");
        }
    }

    /// The published head, if there is one that this city signed. Verified once, until the file is another.
    pub(crate) fn published(&self) -> Option<Head> {
        let path = self.data.feed().join("head.json");
        let written = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()?;
        let mut known = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, head)) = known.filter(|(at, _)| *at == written) {
            return Some(head);
        }
        let signed: SignedHead = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        let keys = self.keys.now();
        let head = signed.verify(&keys.city, &keys.root_verifier().ok()?).ok()?.head;
        *known = Some((written, head));
        Some(head)
    }

    /// The uploads that wait for the next commit.
    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    /// The city's certificate authority.
    #[must_use]
    pub fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }

    /// Which terminal the certificate with this fingerprint belongs to, which has been shown with its key.
    ///
    /// # Errors
    /// As `enrol::terminal_of`.
    pub async fn terminal_with(&self, certificate: [u8; 32]) -> Result<TerminalId, CentralError> {
        self.with_database(move |database, _| enrol::terminal_of(database, &certificate, clock::now())).await
    }

    /// Which terminal an access token belongs to. A terminal with a certificate has a token too, and it is none of its
    /// names: it only seals what is carried by hand.
    ///
    /// # Errors
    /// `Unauthorised` for a token that is nobody's.
    pub async fn terminal_of(&self, token: [u8; 32]) -> Result<TerminalId, CentralError> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        self.with_database(move |database, _| {
            let found = database.read().query_opt(TERMINAL_OF_TOKEN, params![hash], |row| row.get(0))?;
            found
                .map(TerminalId)
                .ok_or_else(|| Problem::new(ProblemCode::Unauthorised, "no terminal has this token").into())
        })
        .await
    }

    /// Takes an upload's bytes from a terminal that has no keys of its own, in one commit with others that arrive
    /// meanwhile.
    ///
    /// # Errors
    /// As `uploads::take_sent`; a `Problem` for one that was put into the quarantine too.
    pub async fn take(&self, terminal: TerminalId, bytes: Vec<u8>) -> Result<Receipt, CentralError> {
        let outcome = intake::take(self, vec![Sent::unsigned(terminal, bytes)], None).await?.pop();
        match outcome.ok_or_else(|| CentralError::NotReady("an upload got no answer".to_owned()))? {
            Outcome::Taken(receipt) => Ok(receipt),
            Outcome::Kept(kept) => Err(Problem::named(&kept.problem, kept.to_string()).into()),
            Outcome::Refused(problem) => Err(problem.into()),
        }
    }

    /// Takes an envelope of an authenticated terminal: an outcome for each upload within, in their order.
    ///
    /// # Errors
    /// A `Problem` for the envelope as a whole, as `protocol::envelope` names them; `Unauthorised` when it is not sealed
    /// and signed by this very terminal.
    pub async fn take_envelope(&self, terminal: TerminalId, envelope: Bytes) -> Result<Vec<Outcome>, CentralError> {
        let place = Place::take(&self.opening, terminal)?;
        let found = self.with_database(move |database, _| ca_store::keys_of(database.read(), terminal)).await?;
        let none = || Problem::new(ProblemCode::Unauthorised, "the terminal has no key for its uploads");
        let (signing, _) = found.ok_or_else(none)?;
        let keys = self.keys.now();
        // Opening and verifying need no connection, and one core more.
        let open = move || uploads::opened(&keys, terminal, &signing, &envelope).map(|opened| (opened, place));
        let opened = tokio::task::spawn_blocking(open).await;
        let (opened, place) = opened.map_err(|error| CentralError::NotReady(error.to_string()))??;
        let (mut genuine, mut forged): (Vec<Sent>, Vec<Option<Problem>>) = Default::default();
        for one in opened {
            match one {
                Ok(sent) => {
                    genuine.push(sent);
                    forged.push(None);
                }
                Err(problem) => forged.push(Some(problem)),
            }
        }
        let mut taken = intake::take(self, genuine, Some(place)).await?.into_iter();
        let lost = || Outcome::Refused(Problem::new(ProblemCode::Internal, "an upload got no answer"));
        let mut outcome = |problem: Option<Problem>| match problem {
            Some(problem) => Outcome::Refused(problem),
            None => taken.next().unwrap_or_else(lost),
        };
        Ok(forged.into_iter().map(&mut outcome).collect())
    }

    /// Runs one request about keys of an authenticated terminal.
    ///
    /// # Errors
    /// What the work returns.
    pub async fn with_keys<T: Send + 'static>(
        &self,
        terminal: TerminalId,
        work: impl FnOnce(&mut KeyDesk<'_>) -> Result<T, CentralError> + Send + 'static,
    ) -> Result<T, CentralError> {
        let city = Arc::clone(&self.city);
        self.with_database(move |database, keys| {
            work(&mut KeyDesk { database, keys, city: &city, terminal, now: clock::now() })
        })
        .await
    }

    /// Takes a card's registration from the office with this token.
    ///
    /// # Errors
    /// `Unauthorised` for a token that is no office's; else as `cards::register`.
    pub async fn register(&self, token: [u8; 32], bytes: Zeroizing<Vec<u8>>) -> Result<Receipt, CentralError> {
        self.with_database(move |database, keys| {
            let office = offices::of_token(database.read(), &token)?;
            cards::register(database, keys, office, &bytes, clock::now())
        })
        .await
    }

    async fn feed_file(&self, path: std::path::PathBuf) -> Result<Vec<u8>, Problem> {
        match tokio::fs::read(&path).await {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Problem::new(ProblemCode::NotFound, "not in the feed"))
            }
            Err(error) => Err(CentralError::file(&path, error).into()),
        }
    }

    /// The head as published.
    ///
    /// # Errors
    /// `NotFound` before the first publication.
    pub async fn head_bytes(&self) -> Result<Vec<u8>, Problem> {
        self.feed_file(self.data.feed().join("head.json")).await
    }
}

impl Central for CityServer {
    async fn head(&self) -> Result<SignedHead, Problem> {
        let bytes = self.head_bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| Problem::new(ProblemCode::Internal, error.to_string()))
    }

    async fn file(&self, sha256: FileHash) -> Result<Vec<u8>, Problem> {
        self.feed_file(self.data.feed().join("files").join(sha256.to_string())).await
    }

    async fn upload(&self, upload: &Upload) -> Result<Receipt, Problem> {
        let bytes = upload.encode().map_err(|error| Problem::new(ProblemCode::Malformed, error.to_string()))?;
        Ok(self.take(upload.terminal(), bytes).await?)
    }

    async fn code_batch(&self, terminal: TerminalId, count: u16) -> Result<SignedCodeBatch, Problem> {
        let allocate =
            move |database: &mut Database, keys: &KeyFile| codes::give(database, keys, terminal, count, clock::now());
        Ok(self.with_database(allocate).await?)
    }

    async fn change_pin(&self, terminal: TerminalId, card: CardNumber, sealed: Vec<u8>) -> Result<PinChanged, Problem> {
        let change = move |database: &mut Database, keys: &KeyFile| {
            pins::change(database, keys, terminal, card, &sealed, clock::now())
        };
        Ok(self.with_database(change).await?)
    }
}
