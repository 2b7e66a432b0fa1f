//! A real city: keys drawn by the operating system, its pack, and nobody in it yet. Holders come from the register
//! (`holders_import`), cards from the card office.

use crate::audit::{self, Actor};
use crate::error::CentralError;
use crate::seed::samples;
use crate::{Authority, DataFolder, Database, KeyFile, pack, restore, settings};
use domain::Timestamp;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::path::Path;
use zeroize::Zeroizing;

/// Founds a city in an empty data folder, on the database that its `central.toml` names, with the pack of this folder.
/// Its id.
///
/// # Errors
/// `CentralError::NotReady` when a city is there already; `Content` for a pack that a terminal could not use; `Entropy`.
pub fn found(data: &DataFolder, pack_folder: &Path, actor: &Actor, now: Timestamp) -> Result<String, CentralError> {
    restore::refuse_what_is_there(data)?;
    let (city, files) = pack::read_checked(pack_folder)?;
    let keys = KeyFile::draw(&city.id, &mut drawn()?);
    // An id that cannot name a key shows before anything is written.
    keys.signed_keys(now)?;
    // Public, so it is trained on people who are in no city.
    let dictionary = samples::dictionary()?;
    let mut database = Database::create(data.database())?;
    database.write(|transaction| {
        pack::store(transaction, &files)?;
        settings::put(transaction, "dictionary", dictionary.bytes())?;
        audit::note(transaction, actor, "city founded", &city.id, now)
    })?;
    // Last: with it the folder is a city.
    keys.save(&data.keys())?;
    Authority::obtain(data, &city.id, now)?;
    Ok(city.id)
}

/// 256 bits of the operating system's randomness, from which all keys are drawn.
fn drawn() -> Result<ChaCha20Rng, CentralError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut())?;
    Ok(ChaCha20Rng::from_seed(*seed))
}
