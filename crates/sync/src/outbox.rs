//! The outbox up: money first, the oldest first, each under the key it was written with. An answer decides between
//! "has it", "never will" (quarantine) and "later"; nothing is ever deleted.

use crate::feed::is_silence;
use crate::{CityTrust, KeyRing, OutboxHost};
use protocol::{Central, IdempotencyKey, Problem, ProblemCode, SignedCreditOrder, Upload, UploadBody};
use std::collections::HashSet;
use store::{OutboxItem, StoreError};

/// Uploads asked of the journal at once.
const BATCH: u32 = 16;
/// Uploads that may fail one after the other, each for itself, before the attempt ends.
const FAILURES_MAX: u32 = 3;

/// What a pass did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pushed {
    /// Receipted.
    pub sent: u32,
    /// Refused for good.
    pub quarantined: u32,
    /// Still waiting after an attempt.
    pub later: u32,
    /// The problem that ended the pass or the last upload that has to wait.
    pub problem: Option<Problem>,
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

/// What became of one upload.
enum Fate {
    Sent,
    Quarantined,
    Later(Problem),
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
    let mut pass = Pass { pushed: Pushed::default(), waiting: HashSet::new(), chain_waits: false, failures: 0 };
    loop {
        let limit = BATCH.saturating_add(pass.pushed.later);
        let items = host.next(limit).await?;
        let fresh: Vec<OutboxItem> = items.into_iter().filter(|item| !pass.waiting.contains(&item.key)).collect();
        if fresh.is_empty() {
            return Ok(pass.pushed);
        }
        for item in fresh {
            if !pass.step(central, host, trust, ring, item).await? {
                return Ok(pass.pushed);
            }
        }
    }
}

struct Pass {
    pushed: Pushed,
    /// Tried in this pass, or held back behind one that was.
    waiting: HashSet<IdempotencyKey>,
    /// An entry of the chain has to wait, so those behind it wait too: central takes a chain in order.
    chain_waits: bool,
    failures: u32,
}

impl Pass {
    /// One upload; `false` ends the pass.
    async fn step(
        &mut self,
        central: &impl Central,
        host: &impl OutboxHost,
        trust: &CityTrust,
        ring: &KeyRing,
        item: OutboxItem,
    ) -> Result<bool, StoreError> {
        let Some(upload) = read(&item) else {
            host.quarantine(item.key, "the bytes in the journal are no upload".to_owned()).await?;
            self.pushed.quarantined += 1;
            return Ok(true);
        };
        let chained = matches!(upload.body, UploadBody::LedgerEntry(_));
        if chained && self.chain_waits {
            self.wait(item.key);
            return Ok(true);
        }
        match send(central, host, trust, ring, &item, &upload).await? {
            Fate::Sent => {
                self.pushed.sent += 1;
                self.failures = 0;
                Ok(true)
            }
            Fate::Quarantined => {
                self.pushed.quarantined += 1;
                Ok(true)
            }
            Fate::Later(problem) => {
                self.wait(item.key);
                self.chain_waits |= chained;
                self.failures += 1;
                let ends =
                    is_silence(&problem) || problem.code == ProblemCode::Unauthorised || self.failures >= FAILURES_MAX;
                self.pushed.problem = Some(problem);
                Ok(!ends)
            }
        }
    }

    fn wait(&mut self, key: IdempotencyKey) {
        self.waiting.insert(key);
        self.pushed.later += 1;
    }
}

fn read(item: &OutboxItem) -> Option<Upload> {
    Upload::decode(&item.bytes).ok().filter(|upload| upload.key == item.key)
}

async fn send(
    central: &impl Central,
    host: &impl OutboxHost,
    trust: &CityTrust,
    ring: &KeyRing,
    item: &OutboxItem,
    upload: &Upload,
) -> Result<Fate, StoreError> {
    let answer = match central.upload(upload).await {
        Ok(receipt) if is_receipted(central, trust, ring, item, &receipt).await => Ok(receipt),
        Ok(_) => Err(Problem::new(ProblemCode::Untrusted, "the receipt is not the city's for this upload")),
        Err(problem) => Err(problem),
    };
    match answer {
        Ok(mut receipt) => {
            let order = receipt.order.take();
            host.settle(receipt).await?;
            hand_over(host, ring, order).await?;
            Ok(Fate::Sent)
        }
        Err(problem) if problem.is_permanent() => {
            tracing::error!(key = %item.key, kind = item.kind, %problem, "central refuses an upload: quarantined");
            host.quarantine(item.key, problem.to_string()).await?;
            Ok(Fate::Quarantined)
        }
        Err(problem) => {
            host.attempted(item.key).await?;
            Ok(Fate::Later(problem))
        }
    }
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

/// Whether the city signed this receipt for these bytes. A key that is not known yet is looked for in central's head,
/// which the root key vouches for.
async fn is_receipted(
    central: &impl Central,
    trust: &CityTrust,
    ring: &KeyRing,
    item: &OutboxItem,
    receipt: &protocol::Receipt,
) -> bool {
    if receipt.key != item.key {
        return false;
    }
    if ring.accepts(receipt, &item.bytes) {
        return true;
    }
    if let Ok(signed) = central.head().await
        && let Ok(verified) = trust.verify(&signed)
    {
        ring.learn(&verified.keys);
    }
    ring.accepts(receipt, &item.bytes)
}
