//! Publication by itself: a thread that publishes every so often for as long as its process lives. With several nodes the
//! one that comes first publishes, and the others see that it was done. It reads the key file each time, so that a
//! rotation counts at once. Its process may end at any moment: a publication that is cut off is repeated.

use super::alone::{self, Busy};
use super::publication::Publication;
use super::{Last, Order, Published, is_ahead, last};
use crate::error::CentralError;
use crate::{DataFolder, Database, KeyFile, clock};
use std::time::Duration;

/// Begins to publish every `period`, the first time at once if the last publication is as old.
///
/// # Errors
/// `CentralError::Listen` when the system has no thread left.
pub fn start(data: DataFolder, period: Duration) -> Result<(), CentralError> {
    let run = move || loop {
        match once(&data, period) {
            Ok(Some(published)) => {
                tracing::info!(sequence = published.sequence, base = published.base, "published");
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "nothing was published; it is tried again"),
        }
        std::thread::sleep(period.min(LOOK));
    };
    let started = std::thread::Builder::new().name("publish".to_owned()).spawn(run);
    started.map(drop).map_err(CentralError::Listen)
}

/// How often it looks whether a publication is due.
const LOOK: Duration = Duration::from_secs(30);

/// Publishes if it is time and nobody else does.
///
/// # Errors
/// As `publish`.
pub fn once(data: &DataFolder, period: Duration) -> Result<Option<Published>, CentralError> {
    let mut database = Database::open(data.database())?;
    let published = alone::alone(data, &mut database, Busy::Skip, |database| {
        let (now, keys) = (clock::now(), KeyFile::load(&data.keys())?);
        let period = i64::try_from(period.as_millis()).unwrap_or(i64::MAX);
        // One of a moment that has not come yet is no reason to wait: it is refused, and said.
        let fresh = |last: Last| now.0 < last.issued.0.saturating_add(period) && !is_ahead(last.issued, now);
        let fresh = last(database)?.is_some_and(fresh);
        if fresh {
            return Ok(None);
        }
        let order = Order::default();
        Publication { data, database, keys: &keys, order, now, watch: &mut |_| Ok(()) }.run().map(Some)
    })?;
    Ok(published.flatten())
}
