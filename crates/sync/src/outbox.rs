//! The outbox up, in batches: money first, the oldest first, each upload under the key it was written with. The answer
//! decides for each between "has it", "never will" (quarantine) and "later"; nothing is ever deleted. A batch that is
//! refused as a whole is halved until the one that is at fault stands alone. What is not chained holds nothing back.

mod again;

pub use again::ask_again;

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
/// Requests one after the other that may bring nothing but refusals that pass, before the attempt ends: a central in
/// trouble is spared.
const VAIN_MAX: u32 = 3;

/// What was met in vain by passes that gave up. The next pass begins behind it, so that whatever waits has its turn
/// however much central fails at; once a pass has come to the end, everything is tried again. Entries of the chain are
/// never among it: they go in their order, and one that has to wait costs a pass one request.
#[derive(Debug, Default)]
pub struct Behind(HashSet<IdempotencyKey>);

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

/// Sends what waits, until nothing is left, central falls silent, or request after request is in vain.
///
/// # Errors
/// `StoreError` when the journal fails; fatal ones end the process.
pub async fn push(
    central: &impl Central,
    host: &impl OutboxHost,
    trust: &CityTrust,
    ring: &KeyRing,
    behind: &mut Behind,
) -> Result<Pushed, StoreError> {
    let state = State { waiting: behind.0.clone(), ..State::default() };
    let mut pass = Pass { central, host, trust, ring, state };
    loop {
        let limit = BATCH.saturating_add(u32::try_from(pass.state.waiting.len()).unwrap_or(u32::MAX));
        let items = host.next(limit).await?;
        let fresh: Vec<OutboxItem> = items.into_iter().filter(|item| !pass.state.waiting.contains(&item.key)).collect();
        if fresh.is_empty() {
            behind.0.clear();
            return Ok(pass.state.pushed);
        }
        if !pass.send_all(fresh).await? {
            behind.0.extend(pass.state.in_vain);
            return Ok(pass.state.pushed);
        }
    }
}

#[derive(Default)]
struct State {
    pushed: Pushed,
    /// Tried in this pass, held back behind one that was, or passed over this time.
    waiting: HashSet<IdempotencyKey>,
    /// Refused in this pass, for now; none of them chained.
    in_vain: HashSet<IdempotencyKey>,
    /// An entry of the chain has to wait, so those behind it wait too: central takes a chain in order.
    chain_waits: bool,
    /// The status that is sent for the first time.
    first_status: Option<IdempotencyKey>,
    /// Requests in a row that brought nothing.
    vain: u32,
    /// Central's head was asked for the keys of answers.
    has_looked: bool,
}

impl State {
    fn wait(&mut self, key: IdempotencyKey) {
        if self.waiting.insert(key) {
            self.pushed.later += 1;
        }
    }
}

/// What an outcome means for the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// It is off the list.
    Settled,
    /// It waits, and says nothing of central.
    Held,
    /// Central will not take it now.
    InVain,
    /// Nothing more can be sent now.
    Ends,
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
            if !self.settle_all(&batch, outcomes).await? || ends {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Notes what became of each upload that was answered, whatever became of those before it: a receipt that was given
    /// is never thrown away. `false` ends the pass.
    async fn settle_all(&mut self, batch: &[Outgoing], outcomes: Vec<Outcome>) -> Result<bool, StoreError> {
        let mut afters = Vec::with_capacity(batch.len());
        for (one, outcome) in batch.iter().zip(outcomes) {
            afters.push(self.settle(one, outcome).await?);
        }
        if afters.contains(&After::Settled) {
            self.state.vain = 0;
        } else {
            self.state.vain += u32::from(afters.contains(&After::InVain));
        }
        Ok(!afters.contains(&After::Ends) && self.state.vain < VAIN_MAX)
    }

    /// What can be read, in batches that are not too large.
    async fn batches(&mut self, items: Vec<OutboxItem>) -> Result<VecDeque<Vec<Outgoing>>, StoreError> {
        let mut readable = Vec::with_capacity(items.len());
        for item in items {
            let Some(upload) = read(&item) else {
                self.host.quarantine(item.key, "the bytes in the journal are no upload".to_owned()).await?;
                self.state.pushed.quarantined += 1;
                continue;
            };
            if item.kind == STATUS && item.attempts == 0 {
                self.state.first_status = Some(item.key);
            }
            readable.push(Outgoing { upload, bytes: item.bytes });
        }
        Ok(grouped(readable))
    }

    /// Notes what became of one upload.
    async fn settle(&mut self, one: &Outgoing, outcome: Outcome) -> Result<After, StoreError> {
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
                Ok(After::Settled)
            }
            Outcome::Kept(kept) => self.put_aside(one, kept.to_string()).await,
            Outcome::Refused(problem) if problem.is_permanent() && !self.central.is_sealed() => {
                self.put_aside(one, problem.to_string()).await
            }
            // Nobody tried it: it waits for the one before it.
            Outcome::Refused(_) if self.state.chain_waits && is_chained(one) => {
                self.state.wait(key);
                Ok(After::Held)
            }
            Outcome::Refused(problem) => {
                unless_replaced(one, self.host.attempted(key).await)?;
                self.state.wait(key);
                self.state.chain_waits |= is_chained(one);
                let after = match &problem {
                    problem if ends(problem) => After::Ends,
                    // Refused for good without the city's signature: it waits, and holds nothing back but its chain.
                    problem if problem.is_permanent() => After::Held,
                    _ => After::InVain,
                };
                if after == After::InVain && !is_chained(one) {
                    self.state.in_vain.insert(key);
                }
                self.state.pushed.problem = Some(problem);
                Ok(after)
            }
        }
    }

    async fn put_aside(&mut self, one: &Outgoing, reason: String) -> Result<After, StoreError> {
        let (key, kind) = (one.upload.key, one.upload.body.name());
        tracing::error!(%key, kind, reason, "central cannot book an upload: quarantined");
        unless_replaced(one, self.host.quarantine(key, reason).await)?;
        self.state.pushed.quarantined += 1;
        Ok(After::Settled)
    }

    /// An outcome that the city has signed where it has to be; else a problem with whoever answered.
    async fn believed(&mut self, one: &Outgoing, outcome: Outcome) -> Outcome {
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
    /// which the root key vouches for; once in a pass.
    async fn is_signed(&mut self, accepts: impl Fn(&KeyRing) -> bool + Send) -> bool {
        if accepts(self.ring) || std::mem::replace(&mut self.state.has_looked, true) {
            return accepts(self.ring);
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

/// In batches of so many bytes; what is longer goes alone.
fn grouped(uploads: Vec<Outgoing>) -> VecDeque<Vec<Outgoing>> {
    let (mut batches, mut bytes) = (VecDeque::<Vec<Outgoing>>::new(), 0_usize);
    for one in uploads {
        bytes = bytes.saturating_add(one.bytes.len());
        match batches.back_mut() {
            Some(batch) if bytes <= BATCH_BYTES_MAX => batch.push(one),
            _ => {
                bytes = one.bytes.len();
                batches.push_back(vec![one]);
            }
        }
    }
    batches
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
