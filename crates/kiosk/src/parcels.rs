//! What comes with the feed for this terminal alone: the epoch keys of the records, the cards' read keys, verification
//! codes, the next certificate. It is kept before the feed it belongs to is loaded, so that no feed is ever served whose
//! rows cannot be looked up; and the key of an epoch that is no longer served is forgotten.

use crate::KioskError;
use crate::card_keys::rewritten;
use crate::desk::Desk;
use crate::enrolment::identity_of;
use crate::start::read_enrolment;
use crate::terminal_keys::{FromParcel, Kept, KeysHome};
use domain::TerminalId;
use protocol::first_trust::Certificate;
use protocol::{Enrolment, EpochKey, Parcel, Problem, Secret32, parcel};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use store::StoreError;
use sync::{HttpCentral, Identity};

/// This terminal's parcels.
#[derive(Clone)]
pub(crate) struct ParcelDesk {
    keys: Desk<KeysHome>,
    central: HttpCentral,
    city: String,
    terminal: TerminalId,
    authorities: Vec<Vec<u8>>,
    /// The enrolment bundle.
    bundle: PathBuf,
}

/// What a parcel changed.
#[derive(Default)]
pub(crate) struct Opened {
    /// The epoch keys that are known now, newest first.
    pub(crate) epochs: Vec<EpochKey>,
    /// A batch of codes that was not taken before.
    pub(crate) codes: Option<Vec<u8>>,
    /// A newer certificate for the key in force.
    certificate: Option<Certificate>,
}

fn untaken(error: impl std::fmt::Display) -> StoreError {
    StoreError::Feed(format!("this terminal's parcel: {error}"))
}

impl ParcelDesk {
    pub(crate) fn new(
        keys: Desk<KeysHome>,
        central: HttpCentral,
        (city, terminal): (String, TerminalId),
        authorities: Vec<Vec<u8>>,
        bundle: &Path,
    ) -> Self {
        Self { keys, central, city, terminal, authorities, bundle: bundle.to_owned() }
    }

    /// Opens this terminal's parcel out of the file of all of them and keeps what it holds; durable when this returns.
    /// A file without one changes nothing: the city has not written to this terminal, or has withdrawn it.
    ///
    /// # Errors
    /// `Feed` when the file or the parcel cannot be used.
    pub(crate) async fn take(&self, file: Vec<u8>) -> Result<Option<Opened>, StoreError> {
        let (city, terminal) = (self.city.clone(), self.terminal);
        let taken = self.keys.call(move |home| {
            let parcels = parcel::Parcels::parse(&file).map_err(untaken)?;
            let Some(sealed) = parcels.find(terminal) else { return Ok(None) };
            let kept = home.read().map_err(untaken)?;
            let own = kept.own.as_ref().ok_or_else(|| untaken("its own keys are gone: enrol it anew"))?;
            let opened = Parcel::open(&own.parcel, &city, terminal, sealed).map_err(untaken)?;
            home.change(|kept| keep(kept, opened)).map_err(untaken).map(Some)
        });
        let opened = taken.await.ok_or(StoreError::JournalStopped)??;
        if let Some(Opened { certificate: Some(certificate), .. }) = &opened {
            self.show(certificate.clone()).await;
        }
        Ok(opened)
    }

    /// A certificate that came by the feed is the one that is shown from now on. One that cannot be used is left, and one
    /// that a renewal under way would overtake: the old one stays in force.
    async fn show(&self, certificate: Certificate) {
        let (central, authorities) = (self.central.clone(), self.authorities.clone());
        // In one piece of work: a renewal changes key and certificate on this same thread.
        let shown = self.keys.call(move |home| {
            let check = |identity: &Identity| central.check_identity(identity);
            let Some(identity) = replaced(home, certificate, &authorities, check)? else { return Ok(()) };
            central.change_identity(&identity).map_err(|problem| problem.to_string())
        });
        if let Some(Err(error)) = shown.await {
            tracing::warn!(error, "the certificate in this terminal's parcel is not used");
        }
    }

    /// A feed of this epoch is served: the keys of earlier ones open nothing that is still here.
    pub(crate) fn forget_before(&self, epoch: u32) {
        let bundle = self.bundle.clone();
        self.keys.hand_in(move |home| {
            let forgotten = forget(home, &bundle, epoch);
            match forgotten {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, epoch, "keys of earlier epochs were destroyed"),
                Err(error) => tracing::warn!(%error, "keys of earlier epochs are still kept"),
            }
        });
    }
}

/// Keeps a newer certificate in place of the one in force; what is to be shown from now on, if it is one that can be.
/// It is on the disk before it is shown: shown, it ends the old one at central.
fn replaced(
    home: &KeysHome,
    certificate: Certificate,
    authorities: &[Vec<u8>],
    check: impl FnOnce(&Identity) -> Result<(), Problem>,
) -> Result<Option<Identity>, String> {
    let mut kept = home.read().map_err(|error| error.to_string())?;
    let renewing = kept.next.is_some();
    let Some(own) = kept.own.as_mut().filter(|_| !renewing) else { return Ok(None) };
    if own.tls.certificate.as_ref().is_some_and(|held| held.expires >= certificate.expires) {
        return Ok(None);
    }
    own.tls.certificate = Some(certificate);
    let identity = identity_of(&own.tls, authorities).map_err(|error| error.to_string())?;
    check(&identity).map_err(|problem| problem.to_string())?;
    home.write(&kept).map_err(|error| error.to_string())?;
    Ok(Some(identity))
}

fn forget(home: &KeysHome, bundle: &Path, epoch: u32) -> Result<usize, KioskError> {
    let old = |kept: &Kept| {
        let epochs = kept.parcel.iter().flat_map(|parcel| &parcel.epochs);
        epochs.filter(|key| key.epoch < epoch).count()
    };
    let kept = home.read()?;
    // What is kept here need not lie in the bundle too.
    let keeps = kept.parcel.iter().any(|parcel| parcel.epochs.iter().any(|key| key.epoch == epoch));
    if keeps && !read_enrolment(bundle)?.epoch_keys.is_empty() {
        empty_bundle(bundle);
    }
    // Nothing is written where nothing changes.
    if old(&kept) == 0 {
        return Ok(0);
    }
    home.change(|kept| {
        let count = old(kept);
        if let Some(parcel) = &mut kept.parcel {
            parcel.epochs.retain(|key| key.epoch >= epoch);
        }
        count
    })
}

fn keep(kept: &mut Kept, opened: Parcel) -> Opened {
    let mut parcel = kept.parcel.take().unwrap_or_default();
    let newer = |certificate: &Certificate| {
        let held = kept.own.as_ref().and_then(|own| own.tls.certificate.as_ref());
        held.is_none_or(|held| held.expires < certificate.expires)
    };
    let certificate = opened.certificate.filter(newer);
    parcel.epochs = merged(parcel.epochs, opened.epoch_keys);
    if !opened.read_keys.is_empty() {
        parcel.read = opened.read_keys.into_iter().map(|read| read.key).collect();
        parcel.uid = opened.uid_key;
    }
    let codes = opened.codes.filter(|codes| {
        let digest: [u8; 32] = Sha256::digest(codes).into();
        let known = parcel.codes_sha256.as_ref().is_some_and(|known| *known.expose() == digest);
        // Written down before the codes are: a batch is lost in a power cut rather than used twice.
        parcel.codes_sha256 = Some(Secret32::new(digest));
        !known
    });
    let epochs = parcel.epochs.clone();
    kept.parcel = Some(parcel);
    Opened { epochs, codes, certificate }
}

/// Newest first, each epoch once. What is held stays until a newer feed is served.
pub(crate) fn merged(held: Vec<EpochKey>, mut brought: Vec<EpochKey>) -> Vec<EpochKey> {
    let missing: Vec<EpochKey> =
        held.into_iter().filter(|key| brought.iter().all(|other| other.epoch != key.epoch)).collect();
    brought.extend(missing);
    brought.sort_by_key(|key| std::cmp::Reverse(key.epoch));
    brought
}

/// The epoch keys to begin with, and what else parcels brought before in place of what the bundle holds. Epoch keys that
/// are kept here are taken out of the bundle, so that one which is destroyed is nowhere.
pub(crate) fn settle(path: &Path, enrolment: &mut Enrolment, parcel: Option<&FromParcel>) -> Vec<EpochKey> {
    // Until a parcel came they are nowhere else.
    let Some(parcel) = parcel.filter(|parcel| !parcel.epochs.is_empty()) else { return enrolment.epoch_keys.clone() };
    let in_bundle = std::mem::take(&mut enrolment.epoch_keys);
    if !parcel.read.is_empty() {
        enrolment.read_base_keys.clone_from(&parcel.read);
        enrolment.uid_key.clone_from(&parcel.uid);
    }
    if !in_bundle.is_empty() {
        empty_bundle(path);
    }
    parcel.epochs.clone()
}

fn empty_bundle(path: &Path) {
    let emptied = read_enrolment(path).map_err(|error| error.to_string()).and_then(|mut bundle| {
        bundle.epoch_keys.clear();
        rewritten(path, &bundle).map_err(|error| error.to_string())
    });
    match emptied {
        Ok(()) => tracing::info!(path = %path.display(), "the epoch keys were taken out of the enrolment bundle"),
        Err(error) => tracing::warn!(path = %path.display(), %error, "epoch keys still lie in the enrolment bundle"),
    }
}

#[cfg(test)]
pub(crate) mod tests;
