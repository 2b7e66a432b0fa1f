//! The bank behind the payment terminals: which payments exist, and what became of the citizen's money. This is the
//! truth about money outside the city; the acquirer's settlement file is made from it.

use domain::{Timestamp, TopUpId};

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Paid {
    /// Approved; the payment terminal waits for an answer.
    Waiting,
    /// Reserved on the citizen's account; nothing is charged.
    Reserved,
    /// The citizen is charged.
    Kept,
    /// The citizen is not charged.
    Undone,
}

/// One payment or reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Whose it is; an operator's own has none. The payment terminal itself does not know it.
    pub top_up: Option<TopUpId>,
    /// The payment terminal's identity.
    pub till: u32,
    /// The receipt number.
    pub receipt: u32,
    /// The trace number.
    pub trace: u32,
    /// Cents.
    pub amount: i64,
    /// When it was made, by the payment terminal's clock.
    pub at: Timestamp,
    /// What became of it.
    pub paid: Paid,
    /// Made as a reservation, which lapses then.
    pub lapses_ms: Option<u64>,
}

/// The bank.
#[derive(Debug, Clone, Default)]
pub struct Bank {
    /// Every payment that was ever approved.
    pub payments: Vec<Payment>,
}

impl Bank {
    /// Takes up an approval; its place is how it is found again.
    pub fn approve(&mut self, payment: Payment) -> usize {
        self.payments.push(payment);
        self.payments.len() - 1
    }

    /// What became of a payment.
    #[must_use]
    pub fn paid(&self, place: usize) -> Paid {
        self.payments.get(place).map_or(Paid::Undone, |payment| payment.paid)
    }

    /// The citizen is charged, unless the payment is undone already.
    pub fn keep(&mut self, place: usize) {
        self.turn(place, Paid::Kept);
    }

    /// The amount stays reserved.
    pub fn reserve(&mut self, place: usize) {
        self.turn(place, Paid::Reserved);
    }

    /// The citizen is not charged.
    pub fn undo(&mut self, place: usize) {
        self.turn(place, Paid::Undone);
    }

    fn turn(&mut self, place: usize, to: Paid) {
        if let Some(payment) = self.payments.get_mut(place).filter(|payment| payment.paid != Paid::Undone) {
            payment.paid = to;
        }
    }

    /// Reservations whose time is over are released.
    pub fn lapse(&mut self, now_ms: u64) {
        for payment in &mut self.payments {
            if payment.paid == Paid::Reserved && payment.lapses_ms.is_some_and(|at| now_ms >= at) {
                payment.paid = Paid::Undone;
            }
        }
    }

    /// The payments made for a top-up.
    pub fn of(&self, id: TopUpId) -> impl Iterator<Item = &Payment> {
        self.payments.iter().filter(move |payment| payment.top_up == Some(id))
    }

    /// How often the citizen is charged for a top-up.
    #[must_use]
    pub fn times_charged(&self, id: TopUpId) -> usize {
        self.of(id).filter(|payment| payment.paid == Paid::Kept).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment(paid: Paid, lapses_ms: Option<u64>) -> Payment {
        Payment {
            top_up: Some(TopUpId([1; 16])),
            till: 1,
            receipt: 1,
            trace: 1,
            amount: 500,
            at: Timestamp(0),
            paid,
            lapses_ms,
        }
    }

    #[test]
    fn what_was_undone_is_never_charged_again() {
        let mut bank = Bank::default();
        let place = bank.approve(payment(Paid::Waiting, None));
        bank.undo(place);
        bank.keep(place);
        assert_eq!((bank.paid(place), bank.times_charged(TopUpId([1; 16]))), (Paid::Undone, 0));
    }

    #[test]
    fn a_reservation_lapses_in_its_time_and_a_booked_one_does_not() {
        let mut bank = Bank::default();
        let (lapsing, booked) =
            (bank.approve(payment(Paid::Reserved, Some(9))), bank.approve(payment(Paid::Reserved, Some(9))));
        bank.keep(booked);
        bank.lapse(8);
        assert_eq!(bank.paid(lapsing), Paid::Reserved);
        bank.lapse(9);
        assert_eq!((bank.paid(lapsing), bank.paid(booked)), (Paid::Undone, Paid::Kept));
    }
}
