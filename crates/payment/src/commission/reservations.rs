//! The parts of a commissioning that pre-authorise: releasing one, and booking one.

use super::assumption::Assumption;
use super::examination::{Charge, Examination};
use crate::zvt::Approach;
use crate::{Capture, PaymentTerminal, Release};
use domain::Cents;

impl Examination<'_> {
    /// 06 22, the list, 06 25, the list again.
    pub(super) async fn released(&mut self) {
        let about = [Assumption::ListsReservations, Assumption::Releases];
        let charge = match self.reserved("it is reserved, and released (06 22, 06 25)").await {
            Ok(charge) => charge,
            Err(why) => return self.not_tried(&about, &why),
        };
        let listed = self.is_listed(&charge).await;
        self.lists(listed, Some(true));
        let release = self.probe.till().release(&charge.approval).await;
        let seen = match release {
            Release::Released => "released",
            Release::Booked => "it was booked",
            Release::Stands => "refused",
            Release::NotTried => "not tried: nothing tells how it stands",
            Release::InDoubt => "its answer names no release",
        };
        self.found(Assumption::Releases, release == Release::Released, seen);
        let listed = self.is_listed(&charge).await;
        self.lists(listed, Some(release != Release::Released));
    }

    /// 06 22, 06 24, then the reversal of the booking.
    pub(super) async fn booked(&mut self) {
        let about = [Assumption::Books, Assumption::BooksWithoutCard];
        let charge = match self.reserved("it is reserved, booked, and reversed (06 22, 06 24, 06 30)").await {
            Ok(charge) => charge,
            Err(why) => return self.not_tried(&about, &why),
        };
        let capture = self.probe.till().capture(&charge.approval).await;
        let wanted_card = self.probe.wanted_card();
        let seen = match capture {
            Capture::Booked => "booked".to_owned(),
            Capture::Failed(code) => format!("refused ({})", code.code()),
            Capture::InDoubt => "its answer does not fit".to_owned(),
        };
        self.found(Assumption::Books, capture == Capture::Booked, seen);
        let card = if wanted_card { "it asked for one" } else { "none was asked for" };
        self.found(Assumption::BooksWithoutCard, !wanted_card, card);
        let listed = if matches!(capture, Capture::Failed(_)) { Some(true) } else { self.is_listed(&charge).await };
        self.set_free(&charge, listed).await;
    }

    /// 06 22, then 06 23 with one cent: what the cent is. The kiosk builds nothing on it.
    pub(super) async fn partly_reversed(&mut self) {
        let about = [Assumption::PartialReversal];
        let charge = match self.reserved("it is reserved, and 06 23 is tried with one cent").await {
            Ok(charge) => charge,
            Err(why) => return self.not_tried(&about, &why),
        };
        let (part, whole) = (Cents(1), charge.approval.amount);
        let told = self.probe.reverse_part(&charge.approval, part).await;
        if told.is_err() {
            self.probe.close();
        }
        let listed = self.is_listed(&charge).await;
        let rest = Cents(whole.0 - part.0);
        let seen = match (told.ok().flatten(), listed) {
            (None, _) => Err("refused"),
            (Some(_), Some(true)) => Ok("the amount is given back, the rest stays reserved"),
            (Some(amount), Some(false)) if amount == part && part != rest => {
                Ok("the amount is booked, the rest is free")
            }
            (Some(amount), Some(false)) if amount == rest && part != rest => {
                Ok("the amount is free, the rest is booked")
            }
            _ => Err("it does not show"),
        };
        let (shown, seen) = seen.map_or_else(|seen| (false, seen), |seen| (true, seen));
        self.found(Assumption::PartialReversal, shown, seen);
        self.set_free(&charge, listed).await;
    }

    /// Nothing stays blocked, and nothing charged.
    async fn set_free(&mut self, charge: &Charge, listed: Option<bool>) {
        if listed == Some(false) {
            return self.make_good_booking(&charge.approval).await;
        }
        let _ = self.come_back().await;
        let _ = self.probe.till().release(&charge.approval).await;
    }

    async fn reserved(&mut self, what: &str) -> Result<Charge, String> {
        let waits = self.probe.config().waits_max;
        let charge = match self.charge(Approach::Reservation, waits, what).await {
            Ok(charge) => charge,
            Err(why) => {
                self.not_tried(&[Assumption::Reserves], &why);
                return Err(why);
            }
        };
        let taken = self.probe.keep(&charge.approval).await.unwrap_or(false);
        let reference = &charge.approval.reference;
        let seen = format!("receipt {}, trace {}", reference.receipt, reference.trace);
        self.found(Assumption::Reserves, taken, seen);
        if taken {
            return Ok(charge);
        }
        self.probe.close();
        Err("its answer was not taken".to_owned())
    }

    async fn is_listed(&mut self, charge: &Charge) -> Option<bool> {
        if !self.come_back().await {
            return None;
        }
        let open = self.probe.till().open_reservations().await.ok()??;
        Some(open.contains(&charge.approval.reference.receipt))
    }

    fn lists(&mut self, listed: Option<bool>, expected: Option<bool>) {
        let seen = match listed {
            Some(true) => "it is on the list",
            Some(false) => "it is not on the list",
            None => "there is no list that could be read",
        };
        self.found(Assumption::ListsReservations, listed == expected, seen);
    }
}
