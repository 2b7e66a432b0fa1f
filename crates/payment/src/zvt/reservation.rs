//! A reservation once its payer has gone: which ones are open (06 23 with FF FF), booking one (06 24), releasing it
//! (06 25). Each of the two asks first, so that asking twice does nothing twice. 06 23 with an amount is never sent
//! from here: some terminals book what it names, others give it back.

use super::apdu::{Apdu, control};
use super::client::ZvtTerminal;
use super::command::open_reservations;
use super::conversation::{Carried, Last};
use super::status::{self, open_receipts};
use crate::{Capture, Release, TerminalError};
use domain::Cents;
use domain::device::PaymentApproval;

/// How a reservation stands.
enum Standing {
    /// On the list of open ones.
    Open,
    /// The last transaction is its booking.
    Booked,
    /// The last transaction is its release.
    Released,
    /// The terminal keeps no list that could be read.
    NotListed,
    /// Not on the list, and nothing says why; or another terminal stands in its place.
    Unclear,
}

impl ZvtTerminal {
    /// The receipts of the open reservations; `None` when the terminal does not list them.
    pub(super) async fn list(&mut self) -> Result<Option<Vec<u32>>, TerminalError> {
        if self.command(open_reservations()).await?.is_some() {
            return Ok(None);
        }
        loop {
            let message = self.next_result(self.config.completion_timeout).await?;
            self.say_yes().await?;
            match message.control {
                control::ABORTED => return Ok(open_receipts(&message.data)),
                control::COMPLETION => return Ok(None),
                _ => {}
            }
        }
    }

    async fn is_listed(&mut self, approval: &PaymentApproval) -> Result<Option<bool>, TerminalError> {
        Ok(self.list().await?.map(|open| open.contains(&approval.reference.receipt)))
    }

    async fn standing(&mut self, approval: &PaymentApproval) -> Result<Standing, TerminalError> {
        if self.is_elsewhere(approval) {
            return Ok(Standing::Unclear);
        }
        let listed = self.is_listed(approval).await?;
        if listed == Some(true) {
            return Ok(Standing::Open);
        }
        let currency = self.currency();
        Ok(match self.last().await? {
            Last::Transaction(last) if last.books(approval, currency) => Standing::Booked,
            Last::Transaction(last) if last.releases(approval) => Standing::Released,
            _ if listed.is_none() => Standing::NotListed,
            _ => Standing::Unclear,
        })
    }

    /// 06 24. A refusal is certain only while the reservation is still on the list.
    pub(super) async fn book(&mut self, approval: &PaymentApproval) -> Result<Capture, TerminalError> {
        match self.standing(approval).await? {
            Standing::Open | Standing::NotListed => {}
            Standing::Booked => return Ok(Capture::Booked),
            Standing::Released | Standing::Unclear => return Ok(Capture::InDoubt),
        }
        let Some(command) = self.till().book_total(approval) else { return Ok(Capture::InDoubt) };
        let carried = self.finish(command).await?;
        let currency = self.currency();
        Ok(match carried {
            Carried::Said(status) if status.answers(approval, currency, &[approval.amount]) => Capture::Booked,
            Carried::Said(_) | Carried::Unsaid => Capture::InDoubt,
            Carried::Refused(code) => match self.is_listed(approval).await? {
                Some(true) => Capture::Failed(status::declined(code)),
                _ => Capture::InDoubt,
            },
        })
    }

    /// 06 25.
    pub(super) async fn let_go(&mut self, approval: &PaymentApproval) -> Result<Release, TerminalError> {
        match self.standing(approval).await? {
            Standing::Open | Standing::NotListed => {}
            Standing::Booked => return Ok(Release::Booked),
            Standing::Released => return Ok(Release::Released),
            Standing::Unclear => return Ok(Release::NotTried),
        }
        let Some(command) = self.till().release(approval) else { return Ok(Release::NotTried) };
        let carried = self.finish(command).await?;
        let (currency, amounts) = (self.currency(), [Cents(0), approval.amount]);
        Ok(match carried {
            Carried::Said(status) if status.releases(approval) => Release::Released,
            Carried::Said(status) if status.answers(approval, currency, &amounts) => Release::Released,
            Carried::Said(_) | Carried::Unsaid => Release::InDoubt,
            Carried::Refused(_) => match self.is_listed(approval).await? {
                Some(true) => Release::Stands,
                _ => Release::InDoubt,
            },
        })
    }

    async fn finish(&mut self, command: Apdu) -> Result<Carried, TerminalError> {
        let carried = self.carry_out(command).await;
        if self.card_wanted {
            tracing::warn!("the payment terminal asks for the payer's card to finish a reservation");
        }
        carried
    }
}
