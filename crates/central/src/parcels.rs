//! Terminal parcels: what each live terminal is handed with the feed, sealed to its own key. A parcel is kept as it was
//! sealed and sealed anew only when it holds something else, so that the file of the feed stays the same for as long as
//! nothing changed.

mod spare_codes;

use crate::ca::Authority;
use crate::db::{Connection, Row, Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::{DataFolder, Database, ca_store, enrol};
use domain::{TerminalId, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use protocol::first_trust::{Certificate, fingerprint};
use protocol::parcel::encode_all;
use protocol::{BaseKey, HpkePublic, Parcel, ReadKey};
use sha2::Sha256;
use spare_codes::SpareCodes;
use std::collections::HashMap;
use zeroize::Zeroizing;

fn feed(error: impl std::fmt::Display) -> CentralError {
    CentralError::Feed(error.to_string())
}

/// A parcel as the database keeps it.
struct Kept {
    digest: Vec<u8>,
    certificate: Option<Certificate>,
    /// A signed batch.
    codes: Option<Vec<u8>>,
}

fn kept(row: &Row<'_>) -> crate::db::Result<(u32, Kept)> {
    let der: Option<Vec<u8>> = row.get(2)?;
    let (issued, expires): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
    let certificate = der.zip(issued.zip(expires)).map(|(der, (issued, expires))| Certificate {
        der,
        issued: Timestamp(issued),
        expires: Timestamp(expires),
    });
    Ok((row.get(0)?, Kept { digest: row.get(1)?, certificate, codes: row.get(5)? }))
}

/// Seals the parcels that hold something else than before, and drops those of terminals that were withdrawn. Of a terminal
/// that has not asked for its next certificate in time, the parcel carries it; of one that may run out of verification
/// codes, a batch of them.
///
/// # Errors
/// `CentralError`.
pub fn renew(data: &DataFolder, database: &mut Database, keys: &KeyFile, now: Timestamp) -> Result<(), CentralError> {
    let life_days = enrol::life_days(database)?;
    let mut certifier = Certifier { data, city: &keys.city, authority: None, now, life_days };
    database.write(|transaction| {
        let gone = "DELETE FROM terminal_parcel WHERE NOT EXISTS
                    (SELECT 1 FROM terminal_key WHERE terminal_key.terminal = terminal_parcel.terminal)";
        transaction.execute(gone, params![])?;
        let sql = "SELECT terminal, digest, certificate, certificate_issued, certificate_expires, codes
                   FROM terminal_parcel";
        let kept: HashMap<u32, Kept> = transaction.query(sql, params![], kept)?.into_iter().collect();
        let spare = SpareCodes::of(transaction, keys, now)?;
        let live = "SELECT terminal, parcel_key FROM terminal_key ORDER BY terminal";
        let live: Vec<(u32, [u8; 32])> = transaction.query(live, params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (terminal, parcel_key) in live {
            let (id, kept) = (TerminalId(terminal), kept.get(&terminal));
            let carried = kept.and_then(|kept| kept.certificate.clone());
            let certificate = certifier.certificate(transaction, id, carried)?;
            let carried = kept.and_then(|kept| kept.codes.as_deref());
            let codes = spare.for_terminal(transaction, id, carried)?;
            let parcel = parcel(keys, certificate, codes);
            let digest = digest(keys, &parcel, &parcel_key)?;
            if kept.is_none_or(|kept| kept.digest != digest) {
                put(transaction, keys, id, &parcel, &HpkePublic::new(parcel_key), &digest, now)?;
            }
        }
        Ok(())
    })
}

/// Certificates for terminals that did not ask in time.
struct Certifier<'a> {
    data: &'a DataFolder,
    city: &'a str,
    /// Read when it is needed.
    authority: Option<Authority>,
    now: Timestamp,
    life_days: i64,
}

impl Certifier<'_> {
    fn authority(&mut self) -> Result<&Authority, CentralError> {
        let authority = match self.authority.take() {
            Some(authority) => authority,
            None => Authority::obtain(self.data, self.city, self.now)?,
        };
        Ok(self.authority.insert(authority))
    }

    /// The certificate that a parcel carries: the next one, from when a terminal should have asked for it until it uses
    /// it.
    fn certificate(
        &mut self,
        transaction: &Transaction<'_>,
        terminal: TerminalId,
        carried: Option<Certificate>,
    ) -> Result<Option<Certificate>, CentralError> {
        let (now, life_days) = (self.now, self.life_days);
        if let Some(carried) = carried
            && ca_store::held(transaction, &fingerprint(&carried.der))?
                .is_some_and(|held| held.ended.is_none() && held.first_used.is_none() && now < held.expires)
            && ca_store::newest(transaction, terminal)?.is_some_and(|(issued, ..)| issued == carried.issued)
        {
            return Ok(Some(carried));
        }
        let Some((issued, expires, public_key)) = ca_store::to_certify_again(transaction, terminal)? else {
            return Ok(None);
        };
        let due = Certificate { der: Vec::new(), issued, expires }.renewal_due();
        // A fifth of the last third is left to the terminal: whoever reaches central asks for itself.
        if now.0 < due.0.saturating_add((expires.0 - due.0) / 5) {
            return Ok(None);
        }
        let issued = self.authority()?.certify_again(terminal, &public_key, now, life_days)?;
        ca_store::put(transaction, terminal, &issued, "certificate put into the parcel")?;
        Ok(Some(Certificate { der: issued.der, issued: issued.issued, expires: issued.expires }))
    }
}

fn parcel(keys: &KeyFile, certificate: Option<Certificate>, codes: Option<Vec<u8>>) -> Parcel {
    let read = keys.cards.read.iter().map(|read| ReadKey { version: read.version, key: read.key.clone() });
    Parcel {
        epoch_keys: keys.epochs.clone(),
        read_keys: read.collect(),
        uid_key: Some(BaseKey::new(*keys.cards.uid.expose())),
        codes,
        certificate,
    }
}

fn digest(keys: &KeyFile, parcel: &Parcel, to: &[u8; 32]) -> Result<Vec<u8>, CentralError> {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(keys.storage.expose());
    let mut mac = mac.map_err(|_| CentralError::StoredSecret)?;
    mac.update(b"v1 parcel");
    mac.update(to);
    mac.update(&parcel.encode().map_err(feed)?);
    Ok(mac.finalize().into_bytes().to_vec())
}

fn put(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    terminal: TerminalId,
    parcel: &Parcel,
    to: &HpkePublic,
    digest: &[u8],
    now: Timestamp,
) -> Result<(), CentralError> {
    let mut ephemeral = Zeroizing::new([0; 32]);
    getrandom::fill(ephemeral.as_mut())?;
    let sealed = match parcel.seal(to, &keys.city, terminal, *ephemeral) {
        Ok(sealed) => sealed,
        Err(error) => {
            // One terminal with a key that is none must not keep the others from theirs.
            tracing::error!(terminal = terminal.0, %error, "no parcel for this terminal: enrol it anew");
            return Ok(());
        }
    };
    let certificate = parcel.certificate.as_ref();
    transaction.execute(
        "INSERT INTO terminal_parcel
            (terminal, digest, sealed, made, certificate, certificate_issued, certificate_expires, codes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (terminal) DO UPDATE SET digest = ?2, sealed = ?3,
            made = ?4, certificate = ?5, certificate_issued = ?6, certificate_expires = ?7, codes = ?8",
        params![
            terminal.0,
            digest,
            sealed,
            now.0,
            certificate.map(|certificate| certificate.der.as_slice()),
            certificate.map(|certificate| certificate.issued.0),
            certificate.map(|certificate| certificate.expires.0),
            parcel.codes.as_deref(),
        ],
    )?;
    Ok(())
}

/// The file of the feed.
///
/// # Errors
/// `CentralError`.
pub fn file(connection: &Connection) -> Result<Vec<u8>, CentralError> {
    // A terminal that was withdrawn since the parcels were sealed gets none.
    let sql = "SELECT p.terminal, p.sealed FROM terminal_parcel p JOIN terminal_key k ON k.terminal = p.terminal
               ORDER BY p.terminal";
    let parcels: Vec<(u32, Vec<u8>)> = connection.query(sql, params![], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let parcels: Vec<_> = parcels.iter().map(|(terminal, body)| (TerminalId(*terminal), body.as_slice())).collect();
    encode_all(&parcels).map_err(feed)
}
