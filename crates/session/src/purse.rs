//! What the purse of this visit may be trusted with: its limits, whether it needs a check, and where its credit key is.

use crate::Session;
use domain::FailureCode;
use domain::card::Technology;
use domain::city_pack::PurseLimits;
use domain::device::CreditKey;
use ledger::check_purse;

impl Session {
    /// The limits of the visit's purse: the city's, and lower ones on a card that proves less or can be copied, or while
    /// the feed is no longer current.
    pub(crate) fn limits(&self) -> PurseLimits {
        let pack = &self.terminal.pack;
        let limits =
            self.visit.as_ref().map_or_else(|| pack.purse.clone(), |visit| pack.purse_on(visit.card.technology));
        if self.feed_has_expired() { limits.under_an_old_feed() } else { limits }
    }

    /// The feed's head is past its last moment.
    fn feed_has_expired(&self) -> bool {
        self.network.feed.is_some_and(|feed| self.now.wall > feed.expires)
    }

    /// The visit's card is a MIFARE Classic.
    pub(crate) fn has_classic(&self) -> bool {
        self.visit.as_ref().is_some_and(|visit| visit.card.technology == Technology::Classic)
    }

    /// What the visit's purse holds cannot be right: it is neither shown nor topped up.
    pub(crate) fn purse_needs_check(&self) -> bool {
        self.visit.as_ref().is_some_and(|visit| {
            let outside = visit.purse.is_some_and(|purse| check_purse(&self.limits(), purse).is_err());
            visit.card.needs_check || outside
        })
    }

    /// Where the credit key of the visit's card is; `None` while its record is being opened.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn credit_key(&self) -> Result<Option<CreditKey>, FailureCode> {
        let key = self.home_of_credit_key()?;
        if key != Some(CreditKey::Central) || self.network.online {
            return Ok(key);
        }
        match self.visit.as_ref().and_then(|visit| visit.tap.as_ref()) {
            Some(Err(FailureCode::CacheUnreadable)) => Err(FailureCode::CacheUnreadable),
            _ if self.has_classic() => Err(FailureCode::CentralUnreachable),
            _ => Err(FailureCode::RecordMissing),
        }
    }

    /// The same, whether or not central can be reached in this moment. A card without a record has its key at central
    /// only; a record that cannot be opened with its card speaks against the card.
    pub(crate) fn home_of_credit_key(&self) -> Result<Option<CreditKey>, FailureCode> {
        use FailureCode as F;
        match self.visit.as_ref().and_then(|visit| visit.tap.as_ref()) {
            None => Ok(None),
            Some(Ok(facts)) => Ok(Some(facts.credit_key.map_or(CreditKey::Central, CreditKey::Record))),
            Some(Err(F::RecordMissing | F::CacheUnreadable | F::CardOld)) => Ok(Some(CreditKey::Central)),
            Some(Err(code)) => Err(*code),
        }
    }
}
