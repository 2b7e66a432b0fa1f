//! The parts of a commissioning that charge a bank card once and look what becomes of it.

use super::assumption::Assumption;
use super::examination::{Charge, Examination, RECEIPT_MAX};
use crate::zvt::{Approach, Heard};
use crate::{PaymentTerminal, Reversal};
use domain::device::PaymentVerdict;
use std::time::Duration;
use tokio::time::Instant;

/// For a word that is due at once.
const PROMPT: Duration = Duration::from_secs(20);

impl Examination<'_> {
    /// A payment that is kept: 06 20 in both ways, a new line, a power cut, then its reversal.
    pub(super) async fn kept_payment(&mut self) {
        let about = [
            Assumption::RepeatPlain,
            Assumption::RepeatService,
            Assumption::ClockRight,
            Assumption::KeptThroughReconnect,
            Assumption::KeptThroughPowerCut,
            Assumption::WrongReceiptRefused,
            Assumption::Reverses,
        ];
        let charge = match self.kept("it is kept, and reversed at the end (06 20, 06 30)").await {
            Ok(charge) => charge,
            Err(why) => return self.not_tried(&about, &why),
        };
        self.repeats(&charge).await;
        self.clock().await;
        self.new_line(&charge).await;
        self.power_cut(&charge).await;
        if self.wrong_receipt(&charge).await {
            return self.reversal(&charge).await;
        }
        // It is gone already: another one, to see what the right number does.
        match self.kept("it is reversed at once, by its own number (06 30)").await {
            Ok(charge) => self.reversal(&charge).await,
            Err(why) => self.not_tried(&[Assumption::Reverses], &why),
        }
    }

    async fn kept(&mut self, what: &str) -> Result<Charge, String> {
        let charge = self.charge(Approach::Payment, self.probe.config().waits_max, what).await?;
        if self.probe.keep(&charge.approval).await.unwrap_or(false) {
            return Ok(charge);
        }
        self.probe.close();
        self.make_good(&charge.approval).await;
        Err("its answer was not taken".to_owned())
    }

    async fn repeats(&mut self, charge: &Charge) {
        for (service, assumption) in [(false, Assumption::RepeatPlain), (true, Assumption::RepeatService)] {
            if !self.come_back().await {
                return self.not_tried(&[assumption], "the payment terminal stays away");
            }
            match self.probe.last(service).await {
                Ok(Some((last, 0))) if last == charge.approval.reference => {
                    self.found(assumption, true, format!("receipt {}, trace {}", last.receipt, last.trace));
                }
                Ok(Some((last, code))) => {
                    self.found(assumption, false, format!("receipt {}, result {code:02X}", last.receipt));
                }
                Ok(None) => self.found(assumption, false, "it ended without a status"),
                Err(error) => {
                    self.probe.close();
                    self.found(assumption, false, error.to_string());
                }
            }
        }
        self.identity();
        let plain_only = self.holds(Assumption::RepeatPlain) && !self.holds(Assumption::RepeatService);
        self.probe.repeat_with_service(!plain_only);
    }

    /// The payment was made a moment ago.
    async fn clock(&mut self) {
        let about = [Assumption::ClockRight];
        let Some(tolerance) = self.probe.config().clock.as_ref().map(|clock| clock.tolerance) else {
            return self.not_tried(&about, "its time zone is not known");
        };
        let told = if self.come_back().await { self.probe.last_ahead_ms().await } else { Ok(None) };
        match told {
            Ok(Some(ahead)) => {
                let (off, which) = (ahead.unsigned_abs(), if ahead < 0 { "behind" } else { "ahead" });
                let seen = format!("{} s {which}", off / 1_000);
                self.found(Assumption::ClockRight, u128::from(off) <= tolerance.as_millis(), seen);
            }
            Ok(None) => self.not_tried(&about, "it does not say when"),
            Err(error) => {
                self.probe.close();
                self.not_tried(&about, &error.to_string());
            }
        }
    }

    async fn new_line(&mut self, charge: &Charge) {
        let back = self.reconnect().await;
        let last = if back { self.last().await } else { None };
        self.still(Assumption::KeptThroughReconnect, charge, last.map(|(reference, _)| reference.receipt));
    }

    async fn power_cut(&mut self, charge: &Charge) {
        if !self.technician.does("Switch the payment terminal off and on again; say when it is ready") {
            return self.not_tried(&[Assumption::KeptThroughPowerCut], "not wanted");
        }
        let back = self.reconnect().await;
        let last = if back { self.last().await } else { None };
        self.still(Assumption::KeptThroughPowerCut, charge, last.map(|(reference, _)| reference.receipt));
    }

    fn still(&mut self, assumption: Assumption, charge: &Charge, receipt: Option<u32>) {
        let seen = receipt.map_or_else(|| "nothing is told".to_owned(), |receipt| format!("receipt {receipt}"));
        self.found(assumption, receipt == Some(charge.approval.reference.receipt), seen);
    }

    /// Whether the payment is still there afterwards.
    async fn wrong_receipt(&mut self, charge: &Charge) -> bool {
        let wrong = (charge.approval.reference.receipt + 6) % RECEIPT_MAX + 1;
        if !self.come_back().await {
            self.not_tried(&[Assumption::WrongReceiptRefused], "the payment terminal stays away");
            return true;
        }
        match self.probe.reverse(wrong).await {
            Ok(Some(_)) => {
                self.found(Assumption::WrongReceiptRefused, true, format!("receipt {wrong} was refused"));
                true
            }
            Ok(None) => {
                let seen = format!("asked for receipt {wrong}, it reversed another");
                self.found(Assumption::WrongReceiptRefused, false, seen);
                false
            }
            Err(error) => {
                self.probe.close();
                self.found(Assumption::WrongReceiptRefused, false, error.to_string());
                true
            }
        }
    }

    async fn reversal(&mut self, charge: &Charge) {
        let _ = self.come_back().await;
        let reversal = self.probe.till().reverse(&charge.approval).await;
        let seen = match reversal {
            Reversal::Voided => "reversed",
            Reversal::Stands => "refused",
            Reversal::NotTried => "not tried: 06 20 does not tell that it is the last",
            Reversal::InDoubt => "its answer names no reversal",
        };
        self.found(Assumption::Reverses, reversal == Reversal::Voided, seen);
        if reversal == Reversal::Voided {
            return self.tells_reversal(charge).await;
        }
        self.make_good(&charge.approval).await;
    }

    async fn tells_reversal(&mut self, charge: &Charge) {
        let verdict = self.outcome(charge).await;
        let ours = matches!(&verdict, PaymentVerdict::Reversed(found) if found.reference == charge.approval.reference);
        self.found(Assumption::TellsReversal, ours, told(&verdict));
    }

    /// 84 66 at once.
    pub(super) async fn given_back(&mut self) {
        let about = [Assumption::GivesBack, Assumption::TellsReversal];
        let charge = match self.charge(Approach::Payment, 0, "it is given back at once (84 66)").await {
            Ok(charge) => charge,
            Err(why) => return self.not_tried(&about, &why),
        };
        let said = self.probe.give_back(&charge.approval).await;
        if said.is_err() {
            self.probe.close();
        }
        self.was_given_back(&charge, said.unwrap_or(false)).await;
    }

    async fn was_given_back(&mut self, charge: &Charge, said: bool) {
        let verdict = self.outcome(charge).await;
        self.found(Assumption::GivesBack, said, if said { "given back" } else { "it does not say so" });
        let reversed = matches!(verdict, PaymentVerdict::Reversed(_));
        self.found(Assumption::TellsReversal, reversed, told(&verdict));
        if matches!(verdict, PaymentVerdict::Paid(_)) {
            self.found(Assumption::GivesBack, false, "it is still paid");
        }
        if !said && !reversed {
            self.make_good(&charge.approval).await;
        }
    }

    /// 84 9C as often as it is granted, then 84 66.
    pub(super) async fn waits(&mut self) {
        let about = [Assumption::GrantsWaits, Assumption::RepeatsSame];
        let most = self.options.waits_tried;
        let charge = match self.charge(Approach::Payment, most, "it is told to wait, then given back (84 9C)").await {
            Ok(charge) => charge,
            Err(why) => return self.not_tried(&about, &why),
        };
        let (mut granted, mut last) = (0, Heard::Again);
        while granted < most && last == Heard::Again {
            last = match self.probe.wait().await {
                Ok(()) => self.probe.hear(&charge.approval, PROMPT).await,
                Err(_) => Heard::Lost,
            };
            granted += u8::from(last == Heard::Again);
        }
        self.measured.waits = Some(granted);
        self.found(Assumption::GrantsWaits, granted > 0, format!("{granted} of {most} granted"));
        self.same(granted, last);
        if last == Heard::Again {
            let said = self.probe.give_back(&charge.approval).await;
            return self.was_given_back(&charge, said.unwrap_or(false)).await;
        }
        self.was_left(&charge, Assumption::SilenceTold).await;
    }

    fn same(&mut self, again: u8, last: Heard) {
        match (again, last) {
            (_, Heard::Other) => self.found(Assumption::RepeatsSame, false, "another one was said"),
            (0, _) => self.not_tried(&[Assumption::RepeatsSame], "nothing was said again"),
            (again, _) => self.found(Assumption::RepeatsSame, true, format!("{again} times the same")),
        }
    }

    /// No answer at all, with the line open.
    pub(super) async fn silence(&mut self) {
        let about = [Assumption::AnswerTime, Assumption::SilenceTold];
        let waits = self.probe.config().waits_max;
        let charge = match self.charge(Approach::Payment, waits, "its outcome is not answered").await {
            Ok(charge) => charge,
            Err(why) => return self.not_tried(&about, &why),
        };
        let asked = Duration::from_secs(self.probe.config().answer_timeout_s.into());
        let (began, limit) = (Instant::now(), asked * 2 + PROMPT);
        let first = self.probe.hear(&charge.approval, limit).await;
        let waited = began.elapsed();
        let (mut again, mut last) = (0_u8, first);
        while last == Heard::Again && again < u8::MAX {
            again += 1;
            last = self.probe.hear(&charge.approval, limit).await;
        }
        self.measured.answer_s = Some(waited.as_secs());
        let seen = format!("{}.{} s, then {}", waited.as_secs(), waited.subsec_millis() / 100, heard(first));
        // As early as the till tells it to wait.
        self.found(Assumption::AnswerTime, waited >= asked * 3 / 4, seen);
        if again > 0 || last == Heard::Other {
            self.same(again, last);
        }
        self.probe.close();
        self.was_left(&charge, Assumption::SilenceTold).await;
    }

    /// The line is closed as soon as the outcome is there.
    pub(super) async fn lost_line(&mut self) {
        let waits = self.probe.config().waits_max;
        match self.charge(Approach::Payment, waits, "the line is dropped before the answer").await {
            Ok(charge) => {
                self.probe.close();
                self.was_left(&charge, Assumption::LostLineTold).await;
            }
            Err(why) => self.not_tried(&[Assumption::LostLineTold], &why),
        }
    }

    /// What became of a charge that nobody answered.
    async fn was_left(&mut self, charge: &Charge, assumption: Assumption) {
        let verdict = self.outcome(charge).await;
        let decided = matches!(verdict, PaymentVerdict::Paid(_) | PaymentVerdict::Reversed(_));
        self.found(assumption, decided, told(&verdict));
        if !matches!(verdict, PaymentVerdict::Reversed(_)) {
            self.make_good(&charge.approval).await;
        }
    }
}

fn told(verdict: &PaymentVerdict) -> &'static str {
    match verdict {
        PaymentVerdict::Paid(_) => "it is paid",
        PaymentVerdict::Reversed(_) => "it is reversed",
        PaymentVerdict::Reserved(_) => "it is reserved",
        PaymentVerdict::NeverMade => "it was never made, which is wrong",
        PaymentVerdict::Unknown => "06 20 does not tell",
    }
}

fn heard(heard: Heard) -> &'static str {
    match heard {
        Heard::Again => "the outcome again",
        Heard::Other => "another outcome",
        Heard::Done => "a completion",
        Heard::Aborted(_) => "an abort",
        Heard::Nothing => "still nothing",
        Heard::Lost => "the line was closed",
    }
}
