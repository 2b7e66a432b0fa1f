//! Uploads that arrive together are committed together: one sync of the disk serves them all, and each gets its own
//! answer. Whoever comes while a commit is under way waits for the next.

use crate::clock;
use crate::error::CentralError;
use crate::metrics::UploadOutcome;
use crate::server::{CityServer, Place};
use crate::uploads::{self, Journal, Sent, journal_of};
use domain::Timestamp;
use protocol::central::behind;
use protocol::{Outcome, Upload};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// The most uploads of one commit, and of their bytes; one group more may be in it.
const TOGETHER_MAX: usize = 512;
const TOGETHER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Uploads that came together, and whoever waits for what becomes of them.
struct Waiting {
    sent: Vec<Sent>,
    answer: oneshot::Sender<Vec<Outcome>>,
    /// Among the envelopes of its terminal, until these are taken.
    place: Option<Place>,
}

impl Waiting {
    fn bytes(&self) -> usize {
        self.sent.iter().map(|sent| sent.bytes.len()).sum()
    }
}

/// What waits.
#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Somebody takes what waits.
    is_served: bool,
}

/// The uploads that wait for the next commit.
#[derive(Default)]
pub(crate) struct Intake(Mutex<Queue>);

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Intake({})", self.queue().waiting.len())
    }
}

impl Intake {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing in here is half-done when a thread that held it panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts uploads into the queue; `true` when nobody serves it.
    fn put(&self, waiting: Waiting) -> bool {
        let mut queue = self.queue();
        queue.waiting.push(waiting);
        !std::mem::replace(&mut queue.is_served, true)
    }

    /// The next uploads to be committed; none when nothing waits, and then nobody serves the queue. Whoever has hung up
    /// gets no answer, and will send the same again.
    fn next(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        queue.waiting.retain(|one| !one.answer.is_closed());
        let (mut uploads, mut bytes) = (0, 0);
        let count = queue.waiting.iter().take_while(|one| {
            let fits = uploads < TOGETHER_MAX && bytes < TOGETHER_BYTES_MAX;
            uploads += one.sent.len();
            bytes += one.bytes();
            fits
        });
        let count = count.count();
        let next: Vec<Waiting> = queue.waiting.drain(..count).collect();
        queue.is_served = !next.is_empty();
        next
    }
}

/// Takes uploads, in one commit with those that wait too: an outcome for each, in their order.
///
/// # Errors
/// `NotReady` when central stops before they were taken.
pub(crate) async fn take(
    server: &CityServer,
    sent: Vec<Sent>,
    place: Option<Place>,
) -> Result<Vec<Outcome>, CentralError> {
    if sent.is_empty() {
        return Ok(Vec::new());
    }
    let (answer, received) = oneshot::channel();
    if server.intake().put(Waiting { sent, answer, place }) {
        tokio::spawn(serve(server.clone()));
    }
    received.await.map_err(|_| CentralError::NotReady("central stopped before the upload was taken".to_owned()))
}

fn outcome(taken: Result<protocol::Receipt, CentralError>) -> Outcome {
    match taken {
        Ok(receipt) => Outcome::Taken(receipt),
        Err(CentralError::Kept(kept, _)) => Outcome::Kept(*kept),
        Err(error) => Outcome::Refused(error.into()),
    }
}

/// Takes these in one commit; each alone when that brings central's work down.
async fn take_all(server: &CityServer, sent: Vec<Sent>) -> Vec<Outcome> {
    let sent = Arc::new(sent);
    if let Ok(outcomes) = take_some(server, &sent, 0..sent.len()).await {
        return outcomes;
    }
    let journals = sent.iter().map(|one| journal_of(&Upload::decode(&one.bytes).ok()?)).collect();
    one_by_one(journals, |at| take_some(server, &sent, at..at + 1)).await
}

/// Takes each alone. The server may be back from one to the next: an entry behind one that failed waits with it, or its
/// journal would seem to have a gap.
async fn one_by_one<F>(journals: Vec<Option<Journal>>, mut take: impl FnMut(usize) -> F) -> Vec<Outcome>
where
    F: Future<Output = Result<Vec<Outcome>, CentralError>>,
{
    let (mut outcomes, mut stopped) = (Vec::with_capacity(journals.len()), HashSet::new());
    for (at, journal) in journals.into_iter().enumerate() {
        if journal.is_some_and(|journal| stopped.contains(&journal)) {
            outcomes.push(Outcome::Refused(behind()));
            continue;
        }
        match take(at).await {
            Ok(one) => {
                // Central may have failed at this one alone.
                if one.iter().any(|outcome| matches!(outcome, Outcome::Refused(_))) {
                    stopped.extend(journal);
                }
                outcomes.extend(one);
            }
            Err(error) => {
                stopped.extend(journal);
                outcomes.push(Outcome::Refused(error.into()));
            }
        }
    }
    outcomes
}

async fn take_some(
    server: &CityServer,
    sent: &Arc<Vec<Sent>>,
    which: std::ops::Range<usize>,
) -> Result<Vec<Outcome>, CentralError> {
    let (sent, now, metrics) = (Arc::clone(sent), clock::now(), server.metrics().clone());
    let work = move |database: &mut crate::Database, keys: &crate::KeyFile| {
        let (begun, some) = (Instant::now(), sent.get(which).unwrap_or_default());
        let taken = uploads::take_batch(database, keys, some, now);
        metrics.committed(some.len(), begun.elapsed());
        for (sent, taken) in some.iter().zip(&taken) {
            metrics.upload(kind_of(&sent.bytes), counted(taken, now));
        }
        Ok(taken)
    };
    Ok(server.with_database(work).await?.into_iter().map(outcome).collect())
}

/// The kind of an upload, for the metrics.
fn kind_of(bytes: &[u8]) -> &'static str {
    Upload::decode(bytes).map_or("unreadable", |upload| upload.body.name())
}

/// A receipt of an earlier moment is of an upload that was known.
fn counted(taken: &Result<protocol::Receipt, CentralError>, now: Timestamp) -> UploadOutcome {
    match taken {
        Ok(receipt) if receipt.received == now.0 => UploadOutcome::Taken,
        Ok(_) => UploadOutcome::Known,
        Err(CentralError::Kept(..)) => UploadOutcome::Refused,
        Err(CentralError::Problem(problem)) if problem.is_permanent() => UploadOutcome::Refused,
        Err(_) => UploadOutcome::Postponed,
    }
}

/// Takes what waits until nothing does.
async fn serve(server: CityServer) {
    loop {
        let next = server.intake().next();
        if next.is_empty() {
            return;
        }
        let (groups, answers): (Vec<Vec<Sent>>, Vec<_>) =
            next.into_iter().map(|one| (one.sent, (one.answer, one.place))).unzip();
        let counts: Vec<usize> = groups.iter().map(Vec::len).collect();
        let mut outcomes = take_all(&server, groups.concat()).await;
        for (count, (answer, place)) in counts.into_iter().zip(answers) {
            let rest = outcomes.split_off(count.min(outcomes.len()));
            drop(place);
            // Who has hung up will ask again, and get the same receipt.
            let _ = answer.send(std::mem::replace(&mut outcomes, rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{ENVELOPES_AT_ONCE, Opening};
    use domain::TerminalId;

    const SEVEN: TerminalId = TerminalId(7);

    fn waiting(place: Option<Place>) -> (Waiting, oneshot::Receiver<Vec<Outcome>>) {
        let (answer, asker) = oneshot::channel();
        (Waiting { sent: vec![Sent::unsigned(SEVEN, vec![7; 1_000])], answer, place }, asker)
    }

    #[tokio::test]
    async fn an_entry_behind_one_that_failed_waits_with_it_though_the_server_is_back() {
        let (ours, other) = (Some((7, 1)), Some((8, 1)));
        let signer = protocol::NoteKey::from_seed("city", &[1; 32]).unwrap();
        let receipt = protocol::Receipt::sign(protocol::IdempotencyKey([1; 16]), b"", 1, Timestamp(1), &signer);
        for is_answered in [false, true] {
            let mut asked = Vec::new();
            let outcomes = one_by_one(vec![other, ours, ours, None, other, ours], |at| {
                asked.push(at);
                std::future::ready(match (at, is_answered) {
                    (1, false) => Err(CentralError::NotReady("the server is away".to_owned())),
                    (1, true) => Ok(vec![Outcome::Refused(behind())]),
                    _ => Ok(vec![Outcome::Taken(receipt.clone())]),
                })
            });
            let outcomes = outcomes.await;
            let taken = outcomes.iter().map(|outcome| matches!(outcome, Outcome::Taken(_)));
            assert_eq!(taken.collect::<Vec<_>>(), [true, false, false, true, true, false]);
            assert_eq!(asked, [0, 1, 3, 4], "what keeps no order, and other journals, go on");
        }
    }

    #[test]
    fn an_envelope_keeps_its_place_after_its_sender_has_hung_up_and_is_then_dropped() {
        let (intake, opening) = (Intake::default(), Opening::default());
        for sent in 0..5 {
            // Each hangs up at once; those that find no place are refused.
            let Ok(place) = Place::take(&opening, SEVEN) else {
                assert!(sent >= ENVELOPES_AT_ONCE);
                continue;
            };
            intake.put(waiting(Some(place)).0);
        }
        assert_eq!(intake.queue().waiting.len(), ENVELOPES_AT_ONCE);
        assert!(Place::take(&opening, SEVEN).is_err());
        let (patient, _asker) = waiting(None);
        intake.put(patient);
        assert_eq!(intake.next().len(), 1, "only the one that somebody waits for is taken");
        assert!(Place::take(&opening, SEVEN).is_ok(), "and the places of the others are free");
        assert!(intake.next().is_empty());
    }
}
