//! A feed that a technician brings on a USB stick, for a terminal without a network: whoever plugs it in need do nothing
//! else, and nothing but a newer feed that the city signed is ever taken from it.

use crate::usb::{self, ServiceConfig};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use sync::{Driver, FeedError, FeedFolder, FeedSource, Host, Pulled};

/// The folder on a stick: central's feed folder under another name.
const FOLDER: &str = "citizen-feed";
/// Between two looks at what is mounted.
const LOOK: Duration = Duration::from_secs(5);

/// Looks for ever.
pub(crate) async fn watch<C: protocol::Central, H: Host>(config: ServiceConfig, driver: Arc<Driver<C, H>>) {
    let mut known = Vec::new();
    loop {
        known = look(&config, &driver, known).await;
        tokio::time::sleep(LOOK).await;
    }
}

/// One look: each stick's head that was not there before is followed once. The heads that lie there now.
async fn look<C: protocol::Central, H: Host>(
    config: &ServiceConfig,
    driver: &Driver<C, H>,
    known: Vec<(PathBuf, String)>,
) -> Vec<(PathBuf, String)> {
    let mounted = {
        let config = config.clone();
        tokio::task::spawn_blocking(move || usb::sticks(&config)).await.unwrap_or_default()
    };
    let mut found = Vec::new();
    for stick in mounted {
        let folder = FeedFolder::new(&stick.join(FOLDER));
        let Ok(head) = folder.newest().await else { continue };
        let seen = (stick, head.head);
        if known.contains(&seen) || follow(driver, &folder).await {
            found.push(seen);
        }
    }
    found
}

/// Whether the stick has been dealt with: what was cut off half-way is gone on with at the next look.
async fn follow<C: protocol::Central, H: Host>(driver: &Driver<C, H>, folder: &FeedFolder) -> bool {
    match driver.pull_from(folder).await {
        Ok(Pulled::Loaded(feed)) => tracing::info!(sequence = feed.sequence, "a feed was loaded from a USB stick"),
        Ok(Pulled::Unchanged(feed)) => tracing::info!(sequence = feed.sequence, "the USB stick holds the feed in use"),
        Err(error) => {
            tracing::warn!(code = %error.code(), %error, "the feed on the USB stick is not used");
            return is_final(&error);
        }
    }
    true
}

/// Whether the same stick would meet the same error again.
fn is_final(error: &FeedError) -> bool {
    match error {
        FeedError::Head(_) | FeedError::Contradiction(_) | FeedError::Incomplete(_) => true,
        FeedError::Store(error) => matches!(error, StoreError::NoEpochKey(_)),
        FeedError::Central(_) => false,
    }
}
