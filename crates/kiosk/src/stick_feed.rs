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

/// What is known of the feed on a stick that is plugged in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    stick: PathBuf,
    /// The signed head.
    head: String,
    /// It was loaded, or never will be: it is not read again while the stick stays.
    done: bool,
    /// What the log was told of it last.
    said: Option<String>,
}

/// Looks for ever.
pub(crate) async fn watch<C: protocol::Central, H: Host>(config: ServiceConfig, driver: Arc<Driver<C, H>>) {
    let mut known = Vec::new();
    loop {
        known = look(&config, &driver, &known).await;
        tokio::time::sleep(LOOK).await;
    }
}

/// One look: each stick's head that was not there before is followed once. What lies there now.
async fn look<C: protocol::Central, H: Host>(
    config: &ServiceConfig,
    driver: &Driver<C, H>,
    known: &[Seen],
) -> Vec<Seen> {
    let mounted = {
        let config = config.clone();
        tokio::task::spawn_blocking(move || usb::sticks(&config)).await.unwrap_or_default()
    };
    let mut found = Vec::new();
    for stick in mounted {
        let folder = FeedFolder::new(&stick.join(FOLDER));
        let Ok(head) = folder.newest().await else { continue };
        let before = known.iter().find(|seen| seen.stick == stick && seen.head == head.head).cloned();
        let mut seen = before.unwrap_or(Seen { stick, head: head.head, done: false, said: None });
        if !seen.done {
            follow(driver, &folder, &mut seen).await;
        }
        found.push(seen);
    }
    found
}

/// Takes the feed from the stick. What was cut off half-way is gone on with at the next look; what does not change is
/// said once.
async fn follow<C: protocol::Central, H: Host>(driver: &Driver<C, H>, folder: &FeedFolder, seen: &mut Seen) {
    match driver.pull_from(folder).await {
        Ok(Pulled::Loaded(feed)) => tracing::info!(sequence = feed.sequence, "a feed was loaded from a USB stick"),
        Ok(Pulled::Unchanged(feed)) => tracing::info!(sequence = feed.sequence, "the USB stick holds the feed in use"),
        Err(error) => {
            seen.done = is_final(&error);
            let said = error.to_string();
            if seen.said.as_ref() != Some(&said) {
                tracing::warn!(code = %error.code(), %error, "the feed on the USB stick is not used");
            }
            seen.said = Some(said);
            return;
        }
    }
    seen.done = true;
}

/// Whether the same stick would meet the same error again. A clock may be set, and a disk gets room again.
fn is_final(error: &FeedError) -> bool {
    match error {
        FeedError::Head(_) | FeedError::Contradiction(_) | FeedError::Incomplete(_) => true,
        FeedError::Store(error) => matches!(error, StoreError::NoEpochKey(_) | StoreError::Feed(_)),
        FeedError::Ahead { .. } | FeedError::Central(_) => false,
    }
}

#[cfg(test)]
mod tests;
