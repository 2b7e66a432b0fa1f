//! Uploads that arrive together are committed together: one sync of the disk serves them all, and each gets its own
//! receipt. Whoever comes while a commit is under way waits for the next.

use crate::clock;
use crate::error::CentralError;
use crate::metrics::UploadOutcome;
use crate::server::CityServer;
use crate::uploads::{self, Sent};
use domain::{TerminalId, Timestamp};
use protocol::{Problem, Receipt, Upload};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// The most uploads of one commit.
const TOGETHER_MAX: usize = 256;

/// An upload, and whoever waits for its receipt.
struct Waiting {
    sent: Sent,
    answer: oneshot::Sender<Result<Receipt, Problem>>,
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

    /// Puts an upload into the queue; `true` when nobody serves it.
    fn put(&self, waiting: Waiting) -> bool {
        let mut queue = self.queue();
        queue.waiting.push(waiting);
        !std::mem::replace(&mut queue.is_served, true)
    }

    /// The next uploads to be committed; none when nothing waits, and then nobody serves the queue.
    fn next(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        let count = queue.waiting.len().min(TOGETHER_MAX);
        let next: Vec<Waiting> = queue.waiting.drain(..count).collect();
        queue.is_served = !next.is_empty();
        next
    }
}

/// Takes an upload, in one commit with those that wait too.
///
/// # Errors
/// As `uploads::take`.
pub(crate) async fn take(server: &CityServer, terminal: TerminalId, bytes: Vec<u8>) -> Result<Receipt, CentralError> {
    let (answer, received) = oneshot::channel();
    if server.intake().put(Waiting { sent: Sent { terminal, bytes }, answer }) {
        tokio::spawn(serve(server.clone()));
    }
    let gone = || CentralError::NotReady("central stopped before the upload was taken".to_owned());
    Ok(received.await.map_err(|_| gone())??)
}

/// The kind of an upload, for the metrics.
fn kind_of(bytes: &[u8]) -> &'static str {
    Upload::decode(bytes).map_or("unreadable", |upload| upload.body.name())
}

/// A receipt of an earlier moment is of an upload that was known.
fn outcome(taken: &Result<Receipt, Problem>, now: Timestamp) -> UploadOutcome {
    match taken {
        Ok(receipt) if receipt.received == now.0 => UploadOutcome::Taken,
        Ok(_) => UploadOutcome::Known,
        Err(problem) if problem.is_permanent() => UploadOutcome::Refused,
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
        let (sent, answers): (Vec<Sent>, Vec<_>) = next.into_iter().map(|one| (one.sent, one.answer)).unzip();
        let kinds: Vec<&'static str> = sent.iter().map(|one| kind_of(&one.bytes)).collect();
        let (now, metrics) = (clock::now(), server.metrics().clone());
        let taken = server.with_database(move |database, keys| {
            let begun = Instant::now();
            let taken = uploads::take_batch(database, keys, &sent, now);
            metrics.committed(sent.len(), begun.elapsed());
            Ok(taken)
        });
        // Who has hung up will ask again, and get the same receipt.
        match taken.await {
            Ok(taken) => answers.into_iter().zip(kinds).zip(taken).for_each(|((answer, kind), taken)| {
                let taken = taken.map_err(Problem::from);
                server.metrics().upload(kind, outcome(&taken, now));
                let _ = answer.send(taken);
            }),
            Err(error) => {
                let problem = Problem::from(error);
                answers.into_iter().zip(kinds).for_each(|(answer, kind)| {
                    server.metrics().upload(kind, UploadOutcome::Postponed);
                    let _ = answer.send(Err(problem.clone()));
                });
            }
        }
    }
}
