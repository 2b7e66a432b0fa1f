//! The outbox up, in batches: money first, the oldest first, each upload under the key it was written with. The answer
//! decides for each between "has it", "never will" (quarantine) and "later"; nothing is ever deleted. A batch that is
//! refused as a whole is halved until the one that is at fault stands alone.

use crate::feed::is_silence;
use crate::{CityTrust, KeyRing, OutboxHost};
use protocol::upload::STATUS;
use protocol::{
    Central, IdempotencyKey, Kept, Outcome, Outgoing, Problem, ProblemCode, Receipt, SignedCreditOrder, Upload,
    UploadBody,
};
use std::collections::{HashSet, VecDeque};
use store::{OutboxItem, StoreError};

/// Uploads asked of the journal at once, and the most of one batch.
const BATCH: u32 = 32;
/// The most bytes of one batch; an upload that is larger goes alone.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Uploads that may fail one after the other, each for itself, before the attempt ends.
const FAILURES_MAX: u32 = 3;

/// What a pass did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pushed {
    /// Receipted.
    pub sent: u32,
    /// Refused for good, or kept by central for a person.
    pub quarantined: u32,
    /// Still waiting after an attempt.
    pub later: u32,
    /// The problem that ended the pass or the last upload that has to wait.
    pub problem: Option<Problem>,
    /// When central took this pass's status, by its own clock: milliseconds since 1970, UTC. Only of one that was never
    /// sent before: a repeat is answered with its first receipt.
    pub central_clock: Option<i64>,
}

impl Pushed {
    /// Whether something is to be tried again after a wait.
    #[must_use]
    pub fn must_retry(&self) -> bool {
        self.problem.is_some()
    }

    /// Whether central was heard at all; `None` when it was not asked.
    #[must_use]
    pub fn heard(&self) -> Option<bool> {
        match &self.problem {
            Some(problem) if is_silence(problem) => Some(false),
            Some(_) => Some(true),
            None if self.sent + self.quarantined > 0 => Some(true),
            None => None,
        }
    }
}

/// What becomes of a batch that was refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    /// One of its uploads may be at fault: it is halved.
    Halved,
    /// Nothing can be sent now.
    Ends,
}

fn whole(problem: &Problem) -> Whole {
    match problem.code {
        ProblemCode::Malformed | ProblemCode::Conflict | ProblemCode::TooLarge | ProblemCode::Internal => Whole::Halved,
        _ => Whole::Ends,
    }
}

/// Whether a problem with one upload is one with all of them.
fn ends(problem: &Problem) -> bool {
    is_silence(problem)
        || matches!(problem.code, ProblemCode::Unauthorised | ProblemCode::UnknownVersion | ProblemCode::UnknownKey)
}

/// Sends what waits, until nothing is left or central falls silent.
///
/// # Errors
/// `StoreError` when the journal fails; fatal ones end the process.
pub async fn push(
    central: &impl Central,
    host: &impl OutboxHost,
    trust: &CityTrust,
    ring: &KeyRing,
) -> Result<Pushed, StoreError> {
    let mut pass = Pass { central, host, trust, ring, state: State::default() };
    loop {
        let limit = BATCH.saturating_add(pass.state.pushed.later);
        let items = host.next(limit).await?;
        let fresh: Vec<OutboxItem> = items.into_iter().filter(|item| !pass.state.waiting.contains(&item.key)).collect();
        if fresh.is_empty() || !pass.send_all(fresh).await? {
            return Ok(pass.state.pushed);
        }
    }
}

#[derive(Default)]
struct State {
    pushed: Pushed,
    /// Tried in this pass, or held back behind one that was.
    waiting: HashSet<IdempotencyKey>,
    /// An entry of the chain has to wait, so those behind it wait too: central takes a chain in order.
    chain_waits: bool,
    /// The status that is sent for the first time.
    first_status: Option<IdempotencyKey>,
    failures: u32,
}

impl State {
    fn wait(&mut self, key: IdempotencyKey) {
        if self.waiting.insert(key) {
            self.pushed.later += 1;
        }
    }
}

struct Pass<'a, C, H> {
    central: &'a C,
    host: &'a H,
    trust: &'a CityTrust,
    ring: &'a KeyRing,
    state: State,
}

fn is_chained(one: &Outgoing) -> bool {
    matches!(one.upload.body, UploadBody::LedgerEntry(_))
}

impl<C: Central, H: OutboxHost> Pass<'_, C, H> {
    /// Sends these; `false` ends the pass.
    async fn send_all(&mut self, items: Vec<OutboxItem>) -> Result<bool, StoreError> {
        let mut batches = self.batches(items).await?;
        while let Some(mut batch) = batches.pop_front() {
            if self.state.chain_waits {
                batch.iter().filter(|one| is_chained(one)).for_each(|one| self.state.wait(one.upload.key));
                batch.retain(|one| !is_chained(one));
            }
            if batch.is_empty() {
                continue;
            }
            let (outcomes, ends) = match self.central.upload_batch(&batch).await {
                Ok(outcomes) if !outcomes.is_empty() => (outcomes, false),
                Ok(_) => (vec![refused(ProblemCode::Untrusted, "the answer to a batch is empty")], true),
                Err(problem) if batch.len() > 1 && whole(&problem) == Whole::Halved => {
                    let half = batch.split_off(batch.len() / 2);
                    batches.push_front(half);
                    batches.push_front(batch);
                    continue;
                }
                // The attempt is counted once, at the first.
                Err(problem) => (vec![Outcome::Refused(problem)], batch.len() > 1),
            };
            for (one, outcome) in batch.iter().zip(outcomes) {
                if !self.settle(one, outcome).await? {
                    return Ok(false);
                }
            }
            if ends {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What can be read, in batches that are not too large.
    async fn batches(&mut self, items: Vec<OutboxItem>) -> Result<VecDeque<Vec<Outgoing>>, StoreError> {
        let (mut batches, mut bytes) = (VecDeque::<Vec<Outgoing>>::new(), usize::MAX);
        for item in items {
            let Some(upload) = read(&item) else {
                self.host.quarantine(item.key, "the bytes in the journal are no upload".to_owned()).await?;
                self.state.pushed.quarantined += 1;
                continue;
            };
            bytes = bytes.saturating_add(item.bytes.len());
            if item.kind == STATUS && item.attempts == 0 {
                self.state.first_status = Some(item.key);
            }
            let one = Outgoing { upload, bytes: item.bytes };
            match batches.back_mut() {
                Some(batch) if bytes <= BATCH_BYTES_MAX => batch.push(one),
                _ => {
                    bytes = one.bytes.len();
                    batches.push_back(vec![one]);
                }
            }
        }
        Ok(batches)
    }

    /// Notes what became of one upload; `false` ends the pass.
    async fn settle(&mut self, one: &Outgoing, outcome: Outcome) -> Result<bool, StoreError> {
        let key = one.upload.key;
        match self.believed(one, outcome).await {
            Outcome::Taken(mut receipt) => {
                if self.state.first_status == Some(key) {
                    self.state.pushed.central_clock = Some(receipt.received);
                }
                let order = receipt.order.take();
                unless_replaced(one, self.host.settle(receipt).await)?;
                hand_over(self.host, self.ring, order).await?;
                self.state.pushed.sent += 1;
                self.state.failures = 0;
                Ok(true)
            }
            Outcome::Kept(kept) => self.put_aside(one, kept.to_string()).await,
            Outcome::Refused(problem) if problem.is_permanent() && !self.central.is_sealed() => {
                self.put_aside(one, problem.to_string()).await
            }
            // Nobody tried it: it waits for the one before it.
            Outcome::Refused(_) if self.state.chain_waits && is_chained(one) => {
                self.state.wait(key);
                Ok(true)
            }
            Outcome::Refused(problem) => {
                unless_replaced(one, self.host.attempted(key).await)?;
                self.state.wait(key);
                self.state.chain_waits |= is_chained(one);
                // What is refused for good without the city's signature waits, and holds nothing back but its chain.
                self.state.failures += u32::from(!problem.is_permanent());
                let goes_on = !ends(&problem) && self.state.failures < FAILURES_MAX;
                self.state.pushed.problem = Some(problem);
                Ok(goes_on)
            }
        }
    }

    async fn put_aside(&mut self, one: &Outgoing, reason: String) -> Result<bool, StoreError> {
        let (key, kind) = (one.upload.key, one.upload.body.name());
        tracing::error!(%key, kind, reason, "central cannot book an upload: quarantined");
        unless_replaced(one, self.host.quarantine(key, reason).await)?;
        self.state.pushed.quarantined += 1;
        Ok(true)
    }

    /// An outcome that the city has signed where it has to be; else a problem with whoever answered.
    async fn believed(&self, one: &Outgoing, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Taken(receipt) if !self.is_signed(|ring| is_receipted(ring, one, &receipt)).await => {
                refused(ProblemCode::Untrusted, "the receipt is not the city's for this upload")
            }
            Outcome::Kept(kept) if !self.is_signed(|ring| is_kept(ring, one, &kept)).await => {
                refused(ProblemCode::Untrusted, "that an upload is kept is not the city's word")
            }
            believed => believed,
        }
    }

    /// Whether a key of the ring vouches for an answer. A key that is not known yet is looked for in central's head,
    /// which the root key vouches for.
    async fn is_signed(&self, accepts: impl Fn(&KeyRing) -> bool + Send) -> bool {
        if accepts(self.ring) {
            return true;
        }
        if let Ok(signed) = self.central.head().await
            && let Ok(verified) = self.trust.verify(&signed)
        {
            self.ring.learn(&verified.keys);
        }
        accepts(self.ring)
    }
}

fn refused(code: ProblemCode, detail: &str) -> Outcome {
    Outcome::Refused(Problem::new(code, detail))
}

fn is_receipted(ring: &KeyRing, one: &Outgoing, receipt: &Receipt) -> bool {
    receipt.key == one.upload.key && ring.accepts(receipt, &one.bytes)
}

fn is_kept(ring: &KeyRing, one: &Outgoing, kept: &Kept) -> bool {
    ring.accepts_kept(kept, &one.bytes)
}

/// A status may have been replaced by a newer one while it was on its way.
fn unless_replaced(one: &Outgoing, written: Result<(), StoreError>) -> Result<(), StoreError> {
    match written {
        Err(StoreError::Refused(_)) if one.upload.body.name() == STATUS => Ok(()),
        other => other,
    }
}

fn read(item: &OutboxItem) -> Option<Upload> {
    Upload::decode(&item.bytes).ok().filter(|upload| upload.key == item.key)
}

/// Hands an order on that rode on a receipt. One that the city did not sign is no reason to doubt the receipt.
async fn hand_over(host: &impl OutboxHost, ring: &KeyRing, order: Option<SignedCreditOrder>) -> Result<(), StoreError> {
    match order {
        Some(order) if ring.order(&order).is_some() => host.ordered(order).await,
        Some(_) => {
            tracing::error!("an answer of central carries an order that is not the city's");
            Ok(())
        }
        None => Ok(()),
    }
}
