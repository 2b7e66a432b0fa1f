//! What central would not book, and keeps for a person: asked for again now and then, since nobody tells the terminal
//! when the person has booked it. It stays aside all the while and gives way to nothing: the order in which facts are
//! sent, the chain and the attempts are as if it had not been asked. Only a receipt changes anything.

use super::{BATCH, Pass, State, Whole, ends, grouped, hand_over, whole};
use crate::{CityTrust, KeyRing, OutboxHost};
use protocol::{Central, Outcome, Outgoing, Upload};
use store::{StoreError, Unsent};

/// Sends everything that stands aside once more, under its old keys: how much of it central has booked since. `None`
/// when central fell silent meanwhile.
///
/// # Errors
/// `StoreError` when the journal fails; fatal ones end the process.
pub async fn ask_again(
    central: &impl Central,
    host: &impl OutboxHost,
    trust: &CityTrust,
    ring: &KeyRing,
) -> Result<Option<u32>, StoreError> {
    let mut pass = Pass { central, host, trust, ring, state: State::default() };
    let mut after = 0;
    loop {
        let page = host.aside(after, BATCH).await?;
        let Some(last) = page.last() else { return Ok(Some(pass.state.pushed.sent)) };
        after = last.position;
        if !pass.ask_all(page).await? {
            return Ok(None);
        }
    }
}

impl<C: Central, H: OutboxHost> Pass<'_, C, H> {
    /// `false` when central fell silent.
    async fn ask_all(&mut self, page: Vec<Unsent>) -> Result<bool, StoreError> {
        let readable = |one: Unsent| Some(Outgoing { upload: Upload::decode(&one.bytes).ok()?, bytes: one.bytes });
        let mut batches = grouped(page.into_iter().filter_map(readable).collect());
        while let Some(mut batch) = batches.pop_front() {
            let outcomes = match self.central.upload_batch(&batch).await {
                Ok(outcomes) => outcomes,
                Err(problem) if batch.len() > 1 && whole(&problem) == Whole::Halved => {
                    let half = batch.split_off(batch.len() / 2);
                    batches.push_front(half);
                    batches.push_front(batch);
                    continue;
                }
                Err(problem) => vec![Outcome::Refused(problem)],
            };
            for (one, outcome) in batch.iter().zip(outcomes) {
                match self.believed(one, outcome).await {
                    Outcome::Taken(mut receipt) => {
                        let order = receipt.order.take();
                        self.host.settle(receipt).await?;
                        hand_over(self.host, self.ring, order).await?;
                        self.state.pushed.sent += 1;
                    }
                    Outcome::Refused(problem) if ends(&problem) => return Ok(false),
                    Outcome::Kept(_) | Outcome::Refused(_) => {}
                }
            }
        }
        Ok(true)
    }
}
