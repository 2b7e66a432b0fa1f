//! Terminal parcels: what the city hands to each live terminal with the feed, sealed to that terminal's own key, so that
//! it comes by network and by stick alike and a withdrawn terminal gets nothing. All parcels are one file of the feed
//! (integers big-endian): `"CKTP" | version u8 = 1 | count u32 | (terminal u32, length u32)* | bodies`, by rising
//! terminal. A body is HPKE under `citizen-kiosk parcel v1` with `city id || terminal` bound to it; its plain text is a
//! version byte and CBOR keyed by small integers. Fields may be added under new keys, which older readers skip; what an
//! older reader must not half understand gets a new version.

use crate::first_trust::Certificate;
use crate::hpke::{self, ENCAPSULATED_BYTES, HpkePublic, HpkeSecret, TAG_BYTES};
use crate::secret::{BaseKey, EpochKey, Secret32};
use domain::{TerminalId, Timestamp};
use minicbor::{CborLen, Decode, Encode};
use std::collections::BTreeSet;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const MAGIC: [u8; 4] = *b"CKTP";
/// The file's version that this program writes and reads.
const FILE_VERSION: u8 = 1;
/// The version of a parcel's plain text.
const PARCEL_VERSION: u8 = 1;
const INFO: &[u8] = b"citizen-kiosk parcel v1";
/// Bytes of magic, version and count.
const HEADER_BYTES: usize = 9;
/// Bytes of one line of the index.
const LINE_BYTES: usize = 8;
/// The shortest body: an ephemeral key, a version byte, a tag.
const BODY_BYTES_MIN: usize = ENCAPSULATED_BYTES + 1 + TAG_BYTES;
/// No sealed parcel is longer, in bytes: a full batch of codes and a certificate fit three times.
pub const PARCEL_BYTES_MAX: usize = 64 << 10;
/// No file holds more parcels.
pub const PARCELS_MAX: usize = 65_536;
/// No file of parcels is longer, in bytes; as the manifest's limit for its kind.
pub const PARCELS_BYTES_MAX: usize = 32 << 20;
/// No parcel holds more keys of a sort.
const KEYS_MAX: usize = 256;

/// Parcels that cannot be used. The terminal keeps what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParcelError {
    /// Not a file of parcels, or not a whole one.
    #[error("not a whole file of parcels")]
    File,
    /// File or parcel of a newer central: kept, not used.
    #[error("parcels of version {0} are not known")]
    UnknownVersion(u8),
    /// Sealed to another terminal, for another city, or changed.
    #[error("the parcel does not open: another terminal's, another city's, or changed")]
    DoesNotOpen,
    /// It opened, and does not say what a parcel says.
    #[error("the parcel is malformed")]
    Malformed,
    /// More or longer than a parcel or its file may be.
    #[error("the parcels go beyond a limit")]
    TooLong,
}

/// One version of the cards' read key.
#[derive(Debug, Clone)]
pub struct ReadKey {
    /// The version byte that cards tell.
    pub version: u8,
    /// The base key.
    pub key: BaseKey,
}

/// What one terminal is handed.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The fleet's epoch keys, newest first; one at least.
    pub epoch_keys: Vec<EpochKey>,
    /// The cards' read keys, newest first.
    pub read_keys: Vec<ReadKey>,
    /// The key of real UIDs.
    pub uid_key: Option<BaseKey>,
    /// A batch of verification codes, signed by the head key (`CodeBatch`).
    pub codes: Option<Vec<u8>>,
    /// The terminal's next certificate, for the TLS key it has.
    pub certificate: Option<Certificate>,
}

#[derive(Encode, Decode, CborLen, Zeroize, ZeroizeOnDrop)]
#[cbor(map)]
struct WireEpoch {
    #[n(0)]
    epoch: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    key: [u8; 32],
}

#[derive(Encode, Decode, CborLen, Zeroize, ZeroizeOnDrop)]
#[cbor(map)]
struct WireReadKey {
    #[n(0)]
    version: u8,
    #[cbor(n(1), with = "minicbor::bytes")]
    key: [u8; 16],
}

#[derive(Encode, Decode, CborLen, Zeroize, ZeroizeOnDrop)]
#[cbor(map)]
struct WireCertificate {
    #[cbor(n(0), with = "minicbor::bytes")]
    der: Vec<u8>,
    #[n(1)]
    issued: i64,
    #[n(2)]
    expires: i64,
}

#[derive(Encode, Decode, CborLen, Zeroize, ZeroizeOnDrop)]
#[cbor(map)]
struct Wire {
    #[n(0)]
    epochs: Vec<WireEpoch>,
    #[n(1)]
    read: Vec<WireReadKey>,
    #[cbor(n(2), with = "minicbor::bytes")]
    uid: Option<[u8; 16]>,
    #[cbor(n(3), with = "minicbor::bytes")]
    codes: Option<Vec<u8>>,
    #[n(4)]
    certificate: Option<WireCertificate>,
}

fn bound(city: &str, terminal: TerminalId) -> Vec<u8> {
    [city.as_bytes(), &terminal.0.to_be_bytes()].concat()
}

impl Parcel {
    /// Seals the parcel to a terminal's own key. `ephemeral` is fresh randomness, used for this once.
    ///
    /// # Errors
    /// `Malformed` for a parcel that would not be read back, `TooLong`, `DoesNotOpen` when the key is none.
    pub fn seal(
        &self,
        to: &HpkePublic,
        city: &str,
        terminal: TerminalId,
        ephemeral: [u8; 32],
    ) -> Result<Vec<u8>, ParcelError> {
        self.check()?;
        let plain = self.encode()?;
        let sealed = hpke::seal(to, INFO, &bound(city, terminal), &plain, ephemeral);
        let sealed = sealed.map_err(|_| ParcelError::DoesNotOpen)?;
        if sealed.len() > PARCEL_BYTES_MAX { Err(ParcelError::TooLong) } else { Ok(sealed) }
    }

    /// Opens this terminal's parcel.
    ///
    /// # Errors
    /// `DoesNotOpen`, `UnknownVersion`, `Malformed`.
    pub fn open(secret: &HpkeSecret, city: &str, terminal: TerminalId, sealed: &[u8]) -> Result<Self, ParcelError> {
        if sealed.len() > PARCEL_BYTES_MAX {
            return Err(ParcelError::TooLong);
        }
        let plain = hpke::open(secret, INFO, &bound(city, terminal), sealed);
        let parcel = Self::decode(&plain.map_err(|_| ParcelError::DoesNotOpen)?)?;
        parcel.check()?;
        Ok(parcel)
    }

    /// Version byte and CBOR. It tells whether two parcels hold the same.
    ///
    /// # Errors
    /// `Malformed`, which these types do not meet.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, ParcelError> {
        let wire = self.to_wire();
        // As long as it can get: a vector that grows leaves copies behind that nobody wipes.
        let mut out = Zeroizing::new(Vec::with_capacity(minicbor::len(&wire) + 1));
        out.push(PARCEL_VERSION);
        minicbor::encode(&wire, &mut *out).map_err(|_| ParcelError::Malformed)?;
        Ok(out)
    }

    fn decode(plain: &[u8]) -> Result<Self, ParcelError> {
        match plain.split_first() {
            Some((&PARCEL_VERSION, body)) => {
                minicbor::decode::<Wire>(body).map(Self::from_wire).map_err(|_| ParcelError::Malformed)
            }
            Some((&version, _)) => Err(ParcelError::UnknownVersion(version)),
            None => Err(ParcelError::Malformed),
        }
    }

    /// Epochs fall, versions of read keys are each another, and there are not too many of either.
    fn check(&self) -> Result<(), ParcelError> {
        let falling = self.epoch_keys.is_sorted_by(|newer, older| newer.epoch > older.epoch);
        let versions: BTreeSet<u8> = self.read_keys.iter().map(|read| read.version).collect();
        let several = (1..=KEYS_MAX).contains(&self.epoch_keys.len()) && self.read_keys.len() == versions.len();
        if falling && several { Ok(()) } else { Err(ParcelError::Malformed) }
    }

    fn to_wire(&self) -> Wire {
        let epoch = |key: &EpochKey| WireEpoch { epoch: key.epoch, key: *key.key.expose() };
        let read = |key: &ReadKey| WireReadKey { version: key.version, key: *key.key.expose() };
        let certificate =
            |c: &Certificate| WireCertificate { der: c.der.clone(), issued: c.issued.0, expires: c.expires.0 };
        Wire {
            epochs: self.epoch_keys.iter().map(epoch).collect(),
            read: self.read_keys.iter().map(read).collect(),
            uid: self.uid_key.as_ref().map(|key| *key.expose()),
            codes: self.codes.clone(),
            certificate: self.certificate.as_ref().map(certificate),
        }
    }

    fn from_wire(mut wire: Wire) -> Self {
        let epoch = |key: &WireEpoch| EpochKey { epoch: key.epoch, key: Secret32::new(key.key) };
        let read = |key: &WireReadKey| ReadKey { version: key.version, key: BaseKey::new(key.key) };
        let certificate = |c: &WireCertificate| Certificate {
            der: c.der.clone(),
            issued: Timestamp(c.issued),
            expires: Timestamp(c.expires),
        };
        Self {
            epoch_keys: wire.epochs.iter().map(epoch).collect(),
            read_keys: wire.read.iter().map(read).collect(),
            uid_key: wire.uid.map(BaseKey::new),
            codes: wire.codes.take(),
            certificate: wire.certificate.as_ref().map(certificate),
        }
    }
}

/// All sealed parcels of one publication, over borrowed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcels<'a>(Vec<(TerminalId, &'a [u8])>);

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

impl<'a> Parcels<'a> {
    /// Checks the whole file: header, order, lengths; the bodies follow each other and nothing follows them.
    ///
    /// # Errors
    /// `File`, `UnknownVersion`, `TooLong`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParcelError> {
        if bytes.len() > PARCELS_BYTES_MAX {
            return Err(ParcelError::TooLong);
        }
        let version = bytes.strip_prefix(&MAGIC).and_then(|rest| rest.first()).ok_or(ParcelError::File)?;
        if *version != FILE_VERSION {
            return Err(ParcelError::UnknownVersion(*version));
        }
        let count = number(bytes, MAGIC.len() + 1).and_then(|count| usize::try_from(count).ok());
        let count = count.ok_or(ParcelError::File)?;
        if count > PARCELS_MAX {
            return Err(ParcelError::TooLong);
        }
        let index = bytes.get(HEADER_BYTES..HEADER_BYTES + count * LINE_BYTES).ok_or(ParcelError::File)?;
        let bodies = bytes.get(HEADER_BYTES + count * LINE_BYTES..).ok_or(ParcelError::File)?;
        Self::cut(index, bodies)
    }

    fn cut(index: &[u8], mut bodies: &'a [u8]) -> Result<Self, ParcelError> {
        let mut parcels = Vec::<(TerminalId, &[u8])>::with_capacity(index.len() / LINE_BYTES);
        for line in index.chunks_exact(LINE_BYTES) {
            let (terminal, length) = number(line, 0).zip(number(line, 4)).ok_or(ParcelError::File)?;
            let terminal = TerminalId(terminal);
            let rises = parcels.last().is_none_or(|(before, _)| *before < terminal);
            let length = usize::try_from(length).map_err(|_| ParcelError::File)?;
            if !rises || !(BODY_BYTES_MIN..=PARCEL_BYTES_MAX).contains(&length) {
                return Err(ParcelError::File);
            }
            let (body, rest) = bodies.split_at_checked(length).ok_or(ParcelError::File)?;
            parcels.push((terminal, body));
            bodies = rest;
        }
        if bodies.is_empty() { Ok(Self(parcels)) } else { Err(ParcelError::File) }
    }

    /// This terminal's sealed parcel; `None` for one that gets nothing: it was withdrawn, or has no key of its own.
    #[must_use]
    pub fn find(&self, terminal: TerminalId) -> Option<&'a [u8]> {
        let at = self.0.binary_search_by_key(&terminal, |(of, _)| *of).ok()?;
        self.0.get(at).map(|(_, body)| *body)
    }

    /// Whose there are, by rising number.
    pub fn terminals(&self) -> impl Iterator<Item = TerminalId> + '_ {
        self.0.iter().map(|(terminal, _)| *terminal)
    }
}

/// This terminal's sealed parcel in a file of parcels; `None` when the file is not whole as well. [`Parcels::parse`]
/// tells the two apart.
#[must_use]
pub fn find(bytes: &[u8], terminal: TerminalId) -> Option<&[u8]> {
    Parcels::parse(bytes).ok()?.find(terminal)
}

/// Writes the file of these sealed parcels, in any order.
///
/// # Errors
/// `File` when a terminal comes twice or a body is no parcel's, `TooLong` beyond a limit.
pub fn encode_all(parcels: &[(TerminalId, &[u8])]) -> Result<Vec<u8>, ParcelError> {
    let mut parcels = parcels.to_vec();
    parcels.sort_unstable_by_key(|(terminal, _)| *terminal);
    let count = u32::try_from(parcels.len()).map_err(|_| ParcelError::TooLong)?;
    let mut out = [&MAGIC[..], &[FILE_VERSION], &count.to_be_bytes()].concat();
    for (terminal, body) in &parcels {
        let length = u32::try_from(body.len()).map_err(|_| ParcelError::TooLong)?;
        out.extend(terminal.0.to_be_bytes());
        out.extend(length.to_be_bytes());
    }
    for (_, body) in &parcels {
        out.extend(*body);
    }
    Parcels::parse(&out)?;
    Ok(out)
}

#[cfg(test)]
#[path = "parcel_tests.rs"]
mod tests;
