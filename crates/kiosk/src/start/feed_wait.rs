//! The first feed of a new terminal: waited for, but not before a dark screen for ever. When central cannot be reached
//! or gives nothing that can be used, the start ends, the screen says so, and the next start asks again.

use crate::KioskError;
use crate::pack::{self, Pack};
use crate::uplink::Uplink;
use domain::FailureCode;
use std::time::Duration;
use sync::SyncState;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// How long the screen may stay dark when there is no hope of a feed.
const DARK_MAX: Duration = Duration::from_secs(30);
/// Between two looks at what sync says, when it says nothing by itself.
const LOOK: Duration = Duration::from_secs(1);

/// The pack of the feed that is held, or of the first one.
pub(super) async fn pack(uplink: &Uplink, mut states: watch::Receiver<SyncState>) -> Result<Pack, KioskError> {
    let until = Instant::now() + DARK_MAX;
    let mut said = false;
    loop {
        let state = *states.borrow_and_update();
        let hopeless = match uplink.records.call(pack::load).await {
            Some(Ok(Some(pack))) => return Ok(pack),
            // A publication that cannot be used must not keep the terminal from fetching the next one.
            Some(Err(error)) => Some(error),
            Some(Ok(None)) | None => why_hopeless(&state).map(KioskError::NoFeed),
        };
        if !said {
            said = true;
            let problem = hopeless.as_ref().map(ToString::to_string);
            tracing::warn!(problem, "this terminal has no feed yet that it can use: it waits for central");
        }
        if let Some(error) = hopeless.filter(|_| Instant::now() >= until) {
            return Err(error);
        }
        if timeout(LOOK, states.changed()).await.is_ok_and(|changed| changed.is_err()) {
            return Err(KioskError::Pack("there is no feed, and sync has ended".into()));
        }
    }
}

/// Why no feed is on its way; `None` while the first one may still be arriving, which can take long.
fn why_hopeless(state: &SyncState) -> Option<FailureCode> {
    match state.feed_failure {
        // Heard since: it is being asked again.
        Some(FailureCode::CentralUnreachable) if state.online => None,
        Some(code) => Some(code),
        // There is one, and it cannot be served.
        None => state.last_feed.is_some().then_some(FailureCode::FeedUntrusted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_on_its_way_is_waited_for_and_nothing_else() {
        let state = |online, feed_failure| SyncState { online, feed_failure, ..SyncState::default() };
        assert_eq!(why_hopeless(&state(false, None)), None, "the first one is being fetched");
        assert_eq!(why_hopeless(&state(true, None)), None);
        let away = Some(FailureCode::CentralUnreachable);
        assert_eq!(why_hopeless(&state(false, away)), away);
        assert_eq!(why_hopeless(&state(true, away)), None, "it is back");
        let forged = Some(FailureCode::FeedUntrusted);
        assert_eq!(why_hopeless(&state(true, forged)), forged);
    }
}
