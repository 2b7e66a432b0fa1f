//! The feed down, from wherever it comes: fetch the head, believe it or not, fetch what is missing, load it whole, raise the floor, serve it.
//! In that order, so that a power cut at any point leaves a feed that may be served.

use crate::{CityTrust, FeedHost, FeedSource, FeedState, KeyRing};
use domain::{FailureCode, Timestamp};
use protocol::{FeedFloor, FileEntry, FileHash, HeadError, Manifest, Problem, SignedHead, VerifiedHead};
use store::{HeldHead, StoreError};

/// No manifest is longer, in bytes.
const MANIFEST_BYTES_MAX: u64 = protocol::manifest::MANIFEST_BYTES_MAX as u64;

/// How far a head may be signed ahead of this terminal's clock, in milliseconds: its clock and central's differ.
const AHEAD_MAX_MS: i64 = 24 * 3_600_000;
/// 2026-01-01T00:00Z: no feed is older. A clock that shows less has lost its time.
const FIRST_FEED: Timestamp = Timestamp(1_767_225_600_000);

/// Why the feed was not brought up to date. What was served before is served still.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Central did not answer as hoped.
    #[error(transparent)]
    Central(#[from] Problem),
    /// The head is not to be believed.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The head was signed too far ahead of this terminal's clock: one of the two clocks is wrong.
    #[error("the head was signed {ahead_ms} ms ahead of this terminal's clock: one of the two clocks is wrong")]
    Ahead {
        /// By how much.
        ahead_ms: i64,
    },
    /// The manifest is not the one of the head, or the head's sequence was used for another feed before.
    #[error("the feed contradicts its head: {0}")]
    Contradiction(&'static str),
    /// Some files could not be had as they should be; the others are kept.
    #[error("{0} of the feed's files are wrong; the others are kept")]
    Incomplete(usize),
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FeedError {
    /// What a technician's panel shows.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::Central(problem) => problem.failure(),
            Self::Head(error) => error.failure(),
            Self::Ahead { .. } => FailureCode::ClockWrong,
            Self::Contradiction(_) | Self::Incomplete(_) | Self::Store(StoreError::Feed(_)) => {
                HeadError::Malformed.failure()
            }
            Self::Store(error) => error.code(),
        }
    }

    /// Whether central was heard at all.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        !matches!(self, Self::Central(problem) if is_silence(problem))
    }
}

/// Nobody there, or nobody who can serve.
pub(crate) fn is_silence(problem: &Problem) -> bool {
    problem.is_silence()
}

/// What a pull did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// The same feed as before.
    Unchanged(FeedState),
    /// A new one is served.
    Loaded(FeedState),
}

impl Pulled {
    /// The feed that is served now.
    #[must_use]
    pub fn feed(self) -> FeedState {
        match self {
            Self::Unchanged(feed) | Self::Loaded(feed) => feed,
        }
    }
}

/// A feed from the cache that may be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Its head and the city's keys.
    pub verified: VerifiedHead,
    /// Its files: the cache's bytes are used only if they have these hashes.
    pub manifest: Manifest,
    /// For screens and panels.
    pub state: FeedState,
}

/// Verifies the feed that the cache holds, at every start and before every use of a new one.
///
/// # Errors
/// `Head` when a signature is wrong or the head is below the floor, `Contradiction` when the manifest is another.
pub fn verify_held(trust: &CityTrust, held: &HeldHead, floor: FeedFloor) -> Result<Served, FeedError> {
    let verified = trust.verify(&held.signed)?;
    verified.check_floor(floor)?;
    let manifest = read_manifest(&verified, &held.manifest)?;
    let state = FeedState::new(&verified.head, held.loaded);
    Ok(Served { verified, manifest, state })
}

/// Brings the feed up to date once.
///
/// # Errors
/// `FeedError`; the feed served before stays, and what was fetched is kept for the next time.
pub async fn pull(
    source: &impl FeedSource,
    host: &impl FeedHost,
    trust: &CityTrust,
    ring: &KeyRing,
    now: Timestamp,
) -> Result<Pulled, FeedError> {
    let held = held(host, trust).await?;
    if let Some(served) = &held {
        ring.learn(&served.verified.keys);
    }
    let signed = source.newest().await?;
    let verified = trust.verify(&signed)?;
    let floor = host.floor().await?;
    verified.check_floor(floor)?;
    check_clock(&verified, held.as_ref(), now)?;
    ring.learn(&verified.keys);
    match held {
        Some(served) if served.verified == verified => {
            if verified.floor() != floor {
                accept(host, &verified, now).await?;
            }
            Ok(Pulled::Unchanged(served.state))
        }
        Some(served) if forks(&served.verified, &verified) => {
            Err(FeedError::Contradiction("its sequence was another feed's before"))
        }
        _ => load(source, host, signed, verified, now).await,
    }
}

/// The feed that the cache holds, if it may be served.
pub(crate) async fn held(host: &impl FeedHost, trust: &CityTrust) -> Result<Option<Served>, StoreError> {
    let Some(held) = host.held().await? else { return Ok(None) };
    match verify_held(trust, &held, host.floor().await?) {
        Ok(served) => Ok(Some(served)),
        Err(error) => {
            tracing::error!(%error, "the cached feed is not to be served");
            Ok(None)
        }
    }
}

/// As `held`; a feed that was loaded whole before the power went, and whose floor was not raised any more, is accepted
/// now, with or without a network.
pub(crate) async fn take_up(
    host: &impl FeedHost,
    trust: &CityTrust,
    now: Timestamp,
) -> Result<Option<Served>, StoreError> {
    let held = held(host, trust).await?;
    if let Some(served) = held.as_ref()
        && served.verified.floor() != host.floor().await?
    {
        accept(host, &served.verified, now).await?;
    }
    Ok(held)
}

async fn load(
    source: &impl FeedSource,
    host: &impl FeedHost,
    signed: SignedHead,
    verified: VerifiedHead,
    now: Timestamp,
) -> Result<Pulled, FeedError> {
    let bytes = source.fetch(verified.head.manifest, MANIFEST_BYTES_MAX).await?;
    let manifest = read_manifest(&verified, &bytes)?;
    fetch_missing(source, host, &manifest).await?;
    // Another source may have brought a newer one meanwhile.
    verified.check_floor(host.floor().await?)?;
    host.apply(HeldHead { signed, manifest: bytes, loaded: now }, manifest).await?;
    accept(host, &verified, now).await?;
    Ok(Pulled::Loaded(FeedState::new(&verified.head, now)))
}

/// Two feeds under one sequence number.
fn forks(old: &VerifiedHead, new: &VerifiedHead) -> bool {
    old.head.sequence == new.head.sequence && old.head.manifest != new.head.manifest
}

/// Refuses a head from the future: whoever took it would show its figures as new for as long, and be told that its own
/// clock is wrong. A clock that is itself behind what is certainly past (`FIRST_FEED`, or by a day the feed that is held)
/// can judge nobody: a terminal whose battery died must get its feed, and shows S-06 all the while.
fn check_clock(verified: &VerifiedHead, held: Option<&Served>, now: Timestamp) -> Result<(), FeedError> {
    let latest = now.plus_ms(AHEAD_MAX_MS);
    let is_lost = now < FIRST_FEED || held.is_some_and(|served| latest < served.state.issued);
    let issued = verified.head.issued;
    if is_lost || issued <= latest {
        return Ok(());
    }
    Err(FeedError::Ahead { ahead_ms: issued.0.saturating_sub(now.0) })
}

/// The cache has it durably: now the floor, and only then the readers. Also after a start between the two. The clock's
/// floor never falls, so a head raises it no further than this clock can vouch for: a wrong moment there would be
/// believed until it has come.
async fn accept(host: &impl FeedHost, verified: &VerifiedHead, now: Timestamp) -> Result<(), StoreError> {
    host.raise_floor(verified.floor(), verified.head.issued.min(now.plus_ms(AHEAD_MAX_MS))).await?;
    host.serve().await
}

fn read_manifest(verified: &VerifiedHead, bytes: &[u8]) -> Result<Manifest, FeedError> {
    if FileHash::of(bytes) != verified.head.manifest {
        return Err(FeedError::Contradiction("the manifest has another hash"));
    }
    let manifest = Manifest::decode(bytes).map_err(|_| FeedError::Contradiction("the manifest cannot be read"))?;
    let (head, keys) = (&verified.head, &verified.keys);
    let same = manifest.city == keys.city && manifest.sequence == head.sequence && manifest.epoch == head.epoch;
    if same { Ok(manifest) } else { Err(FeedError::Contradiction("the manifest is of another head")) }
}

/// Fetches file by file. A wrong one is discarded alone; silence ends the attempt, and the next goes on from here.
async fn fetch_missing(source: &impl FeedSource, host: &impl FeedHost, manifest: &Manifest) -> Result<(), FeedError> {
    let staging = host.staging(manifest.clone()).await?;
    tracing::info!(sequence = manifest.sequence, missing = staging.missing.len(), have = staging.have, "a new feed");
    let mut wrong = 0;
    for entry in staging.missing {
        match fetch_one(source, host, &entry).await {
            Ok(()) => {}
            Err(error) if discards_one(&error) => {
                tracing::warn!(file = entry.name, %error, "a file of the feed is discarded");
                wrong += 1;
            }
            Err(error) => return Err(error),
        }
    }
    if wrong == 0 { Ok(()) } else { Err(FeedError::Incomplete(wrong)) }
}

async fn fetch_one(source: &impl FeedSource, host: &impl FeedHost, entry: &FileEntry) -> Result<(), FeedError> {
    // Its hash is compared where it is kept.
    let bytes = source.fetch(entry.sha256, entry.bytes).await?;
    Ok(host.stage(entry.clone(), bytes).await?)
}

fn discards_one(error: &FeedError) -> bool {
    match error {
        FeedError::Central(problem) => !is_silence(problem),
        FeedError::Store(error) => matches!(error, StoreError::Feed(_)),
        FeedError::Head(_) | FeedError::Ahead { .. } | FeedError::Contradiction(_) | FeedError::Incomplete(_) => false,
    }
}
