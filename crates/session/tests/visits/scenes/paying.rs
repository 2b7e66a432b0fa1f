//! The top-up at each of its moments, and what came of it.

use super::Way;
use crate::bank::{DayFate, Paid, PaymentFate};
use crate::money::top_up;
use crate::street::Street;
use crate::world::CreditFate;
use domain::device::{PaymentEvent, PaymentOrder, PaymentProgress};
use domain::{Cents, FailureCode};
use session::{Action, Event, TillProfile};

pub(crate) const SCENES: &[(&str, Way)] = &[
    ("amount-other", |street| {
        street.lay(0);
        street.press("top-up");
        street.press("amount-5000");
    }),
    ("amount-purse-full", |street| {
        street.cards[0].purse = Cents(19_000);
        street.lay(0);
        street.press("top-up");
    }),
    ("amount-limit-of-the-day", |street| {
        street.lay(0);
        for amount in ["amount-10000", "amount-5000"] {
            street.press("top-up");
            street.press(amount);
            street.press("pay");
            street.press("home");
        }
        street.press("top-up");
    }),
    ("amount-help", |street| {
        street.lay(0);
        street.press("top-up");
        street.press("help");
    }),
    ("paying-proving", |street| {
        street.slow_reader = true;
        top_up(street);
    }),
    ("paying-enter-pin", |street| progress(street, PaymentProgress::EnterPin)),
    ("paying-asking-bank", |street| progress(street, PaymentProgress::AskingBank)),
    ("paying-take-card", |street| progress(street, PaymentProgress::TakeCard)),
    ("paying-working", |street| progress(street, PaymentProgress::Working)),
    ("paying-lifted", |street| {
        street.terminal.next = PaymentFate::Waits;
        top_up(street);
        street.lift();
    }),
    ("paying-help", |street| {
        street.terminal.next = PaymentFate::Waits;
        top_up(street);
        street.press("help");
    }),
    ("paying-cancelling", |street| {
        street.slow_journal = true;
        top_up(street);
        street.press("cancel-payment");
    }),
    ("paying-resolving", |street| {
        street.terminal.next = PaymentFate::Breaks { made: true };
        street.terminal.tells = false;
        top_up(street);
    }),
    ("paying-put-back", |street| {
        street.terminal.next = PaymentFate::Waits;
        top_up(street);
        street.lift();
        street.bank_card();
    }),
    ("paying-crediting", |street| {
        street.terminal.next = PaymentFate::Waits;
        top_up(street);
        street.slow_reader = true;
        street.bank_card();
    }),
    ("paying-giving-back", |street| {
        street.terminal.next = PaymentFate::Waits;
        street.credit = CreditFate::NotSent;
        top_up(street);
        street.slow_reader = true;
        street.bank_card();
        street.slow_journal = true;
        street.let_answer();
    }),
    ("torn-c-08", |street| {
        street.credit = CreditFate::Torn { credited: true };
        top_up(street);
    }),
    ("torn-laid-back-c-08", |street| {
        street.credit = CreditFate::Torn { credited: false };
        top_up(street);
        street.slow_reader = true;
        street.lay(0);
    }),
    ("paying-put-back-c-11", |street| {
        street.terminal.next = PaymentFate::Waits;
        top_up(street);
        street.lay_on_top(1);
        street.bank_card();
    }),
    ("unclear-p-04", unclear),
    ("cancelled-unanswered-p-04", |street| {
        street.terminal.next = PaymentFate::Waits;
        top_up(street);
        street.terminal.deaf = true;
        street.press("cancel-payment");
        street.pass(20_500);
    }),
    ("unclear-slip-out-p-04", |street| {
        unclear(street);
        street.press("print-claim");
    }),
    ("unclear-slip-failed-p-04", |street| {
        street.print = Some(FailureCode::PaperJam);
        unclear(street);
        street.press("print-claim");
    }),
    ("printing-slip", |street| {
        street.slow_printer = true;
        unclear(street);
        street.press("print-claim");
    }),
    ("printing-receipt", |street| {
        street.slow_printer = true;
        top_up(street);
        street.press("print-receipt");
    }),
    ("topped-up-receipt-out", |street| {
        top_up(street);
        street.press("print-receipt");
    }),
    ("topped-up-receipt-failed-i-03", |street| {
        street.print = Some(FailureCode::PaperJam);
        top_up(street);
        street.press("print-receipt");
    }),
    ("topped-up-help", |street| {
        top_up(street);
        street.press("help");
    }),
    ("home-settled", |street| {
        street.credit = CreditFate::Torn { credited: true };
        top_up(street);
        street.pass(92_000);
        street.lay(0);
    }),
    ("receipt-code", |street| {
        top_up(street);
        street.press("show-receipt");
    }),
    ("topped-up-receipt-seen", |street| {
        top_up(street);
        street.press("show-receipt");
        street.press("on-paper");
    }),
    ("owed-p-04", |street| {
        not_given_back(street);
        street.pass(10_000);
    }),
    ("returning-p-04", |street| {
        not_given_back(street);
        street.terminal_leaves();
        street.pass(21_000);
    }),
    ("interrupted-s-07", |street| {
        street.terminal.next = PaymentFate::Waits;
        top_up(street);
        street.restart(Paid::Reversed);
        street.lay(0);
    }),
    ("home-pending", |street| {
        unclear(street);
        street.press("finish");
        street.lay(0);
    }),
    ("home-day-ending", |street| {
        day_ending(street);
        street.lay(0);
    }),
    ("day-ending-p-10", |street| {
        day_ending(street);
        street.lay(0);
        street.press("top-up");
    }),
    ("day-ended-p-10", |street| {
        day_ending(street);
        street.lay(0);
        street.press("top-up");
        street.say(Event::Payment(PaymentEvent::DayEnded));
    }),
    ("home-no-top-up-now", |street| {
        unclear(street);
        street.act(Action::Finish);
        street.lay(1);
    }),
];

/// Kept first, not credited, and the payment terminal cannot tell whether it could be given back.
fn not_given_back(street: &mut Street) {
    street.under_profile(TillProfile { order: PaymentOrder::CaptureFirst, ..TillProfile::default() });
    street.credit = CreditFate::NotSent;
    street.terminal.tells = false;
    street.key_line_cut = true;
    top_up(street);
    street.lift();
}

/// The payment terminal is at its end-of-day.
fn day_ending(street: &mut Street) {
    street.under_profile(crate::days::profile(PaymentOrder::Vending));
    street.terminal.day = DayFate::Silent;
    street.pass(31 * 60_000);
}

fn progress(street: &mut Street, progress: PaymentProgress) {
    street.terminal.next = PaymentFate::Waits;
    top_up(street);
    let id = street.terminal.asked.unwrap().0;
    street.say(Event::Payment(PaymentEvent::Progress(id, progress)));
}

/// The bank may have charged: the payment terminal cannot tell.
fn unclear(street: &mut Street) {
    street.terminal.next = PaymentFate::Breaks { made: true };
    street.terminal.tells = false;
    top_up(street);
    street.pass(10_000);
}
