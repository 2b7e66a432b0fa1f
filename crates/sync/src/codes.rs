//! Verification codes: when few are left, more are fetched, so that documents can be issued without a network.

use crate::{CityTrust, CodesHost, KeyRing, SyncSettings};
use protocol::{Central, Problem, ProblemCode};
use store::StoreError;

/// Why no codes came.
#[derive(Debug, thiserror::Error)]
pub enum CodesError {
    /// Central did not answer as hoped, or the batch is not to be believed.
    #[error(transparent)]
    Central(#[from] Problem),
    /// The journal failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Fetches a batch if fewer codes are left than the settings' mark. Returns how many were added.
///
/// # Errors
/// `CodesError`.
pub async fn refill(
    central: &impl Central,
    host: &impl CodesHost,
    trust: &CityTrust,
    ring: &KeyRing,
    settings: &SyncSettings,
) -> Result<usize, CodesError> {
    if host.codes_left().await? >= u64::from(settings.codes_low) {
        return Ok(0);
    }
    if ring.is_empty() {
        let verified = trust.verify(&central.head().await?).map_err(|_| untrusted())?;
        ring.learn(&verified.keys);
    }
    let signed = central.code_batch(trust.terminal, settings.codes_batch).await?;
    let batch = ring.heads().iter().find_map(|key| signed.verify(trust.terminal, key).ok()).ok_or_else(untrusted)?;
    Ok(host.add_codes(batch.codes).await?)
}

fn untrusted() -> Problem {
    Problem::new(ProblemCode::Untrusted, "the batch of codes is not the city's")
}
