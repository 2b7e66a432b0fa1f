//! Where the session's effects go. The one rule it has is about money: an effect whose journal sequence is not
//! durable is refused, whatever the session asked for.

use domain::card::CardReport;
use domain::device::{CreditOrder, Cue, PaymentRequest, PrinterRequest, ReaderRequest};
use domain::service::ServiceRequest;
use ledger::{Entry, Permit};
use session::effect::{Effect, MoneyRequest, PaperOrder};

/// What a runner hands effects to. The kiosk's are channels to threads; a simulation has its own.
pub trait Outlets {
    /// To the card reader: nothing that moves money.
    fn reader(&mut self, request: ReaderRequest);
    /// To the card reader: a credit whose permit was checked.
    fn credit(&mut self, order: CreditOrder);
    /// To the payment terminal; what moves money had its permit checked.
    fn payment(&mut self, request: PaymentRequest);
    /// To the printer.
    fn printer(&mut self, request: PrinterRequest);
    /// To the journal; `Runner::durable` must follow once it is durable. The entries of one step may be one commit.
    fn journal(&mut self, entry: Entry);
    /// To the outbox: what was seen on a card. It may be in the commit of the step's entries.
    fn report(&mut self, report: CardReport);
    /// To whoever opens records: `Effect::OpenTap` and `Effect::OpenPin`.
    fn records(&mut self, effect: Effect);
    /// To whoever prepares papers.
    fn paper(&mut self, order: PaperOrder);
    /// To the service desk.
    fn service(&mut self, request: ServiceRequest);
    /// To the loudspeaker.
    fn sound(&mut self, cue: Cue);
    /// To the vault.
    fn wipe(&mut self, keep: Option<domain::Handle>);
    /// To the vault.
    fn forget(&mut self, handle: domain::Handle);
    /// To the vault.
    fn clear_pin(&mut self);
}

macro_rules! moves_money {
    () => {
        PaymentRequest::Authorise { .. }
            | PaymentRequest::Reserve { .. }
            | PaymentRequest::Settle(_)
            | PaymentRequest::Refuse(_)
            | PaymentRequest::Acknowledge(_)
            | PaymentRequest::Capture(..)
            | PaymentRequest::Release(..)
            | PaymentRequest::Reverse(..)
    };
}

/// Routes effects, in order.
#[derive(Debug, Default)]
pub struct Runner {
    durable_seq: u64,
    wake_at_ms: Option<u64>,
    refused: u64,
}

impl Runner {
    /// A runner over a journal whose newest durable entry is `durable_seq`.
    #[must_use]
    pub fn new(durable_seq: u64) -> Self {
        Self { durable_seq, wake_at_ms: None, refused: 0 }
    }

    /// The journal has become durable up to `seq`.
    pub fn durable(&mut self, seq: u64) {
        self.durable_seq = self.durable_seq.max(seq);
    }

    /// When the session wants to be woken, in milliseconds of the monotonic clock.
    #[must_use]
    pub fn wake_at_ms(&self) -> Option<u64> {
        self.wake_at_ms
    }

    /// How many effects on money were refused. More than none is a mistake in the session.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Carries out one effect.
    pub fn run(&mut self, effect: Effect, outlets: &mut impl Outlets) {
        match effect {
            Effect::Reader(ReaderRequest::Credit(_)) | Effect::Payment(moves_money!()) => {
                self.refused += 1;
                tracing::error!("money was to be moved without a permit");
            }
            Effect::Reader(request) => outlets.reader(request),
            Effect::Payment(request) => outlets.payment(request),
            Effect::Money(permit, request) => self.money(permit, request, outlets),
            Effect::Printer(request) => outlets.printer(request),
            Effect::Journal(entry) => outlets.journal(*entry),
            Effect::Report(report) => outlets.report(*report),
            Effect::OpenTap { .. } | Effect::OpenPin { .. } => outlets.records(effect),
            Effect::ClearPin => outlets.clear_pin(),
            Effect::Paper(order) => outlets.paper(*order),
            Effect::Service(request) => outlets.service(request),
            Effect::Sound(cue) => outlets.sound(cue),
            Effect::Wipe { keep } => outlets.wipe(keep),
            Effect::Forget(handle) => outlets.forget(handle),
            Effect::WakeAt(at) => self.wake_at_ms = Some(at),
        }
    }

    fn money(&mut self, permit: Permit, request: MoneyRequest, outlets: &mut impl Outlets) {
        if permit.after_seq() > self.durable_seq {
            self.refused += 1;
            tracing::error!(
                top_up = %permit.top_up(), effect = ?permit.effect(), after = permit.after_seq(),
                durable = self.durable_seq, "money was to be moved before its journal entry was durable"
            );
            return;
        }
        match request {
            MoneyRequest::Payment(request) => outlets.payment(request),
            MoneyRequest::Credit(order) => outlets.credit(order),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::device::PaymentApproval;
    use domain::{CardNumber, Cents, Day, Generation, Handle, TerminalId, Timestamp, TopUpId};
    use ledger::{Fact, Ledger, MoneyEffect, Subject};

    #[derive(Default)]
    struct Seen {
        payments: Vec<PaymentRequest>,
        forgotten: Vec<Handle>,
        reports: Vec<CardReport>,
    }

    impl Outlets for Seen {
        fn reader(&mut self, _: ReaderRequest) {}
        fn credit(&mut self, _: CreditOrder) {}
        fn payment(&mut self, request: PaymentRequest) {
            self.payments.push(request);
        }
        fn printer(&mut self, _: PrinterRequest) {}
        fn journal(&mut self, _: Entry) {}
        fn report(&mut self, report: CardReport) {
            self.reports.push(report);
        }
        fn records(&mut self, _: Effect) {}
        fn paper(&mut self, _: PaperOrder) {}
        fn service(&mut self, _: ServiceRequest) {}
        fn sound(&mut self, _: Cue) {}
        fn wipe(&mut self, _: Option<Handle>) {}
        fn forget(&mut self, handle: Handle) {
            self.forgotten.push(handle);
        }
        fn clear_pin(&mut self) {}
    }

    const TOP_UP: TopUpId = TopUpId([7; 16]);

    fn permit() -> Permit {
        let subject = Subject { top_up: TOP_UP, card: CardNumber(1), generation: Generation(1), amount: Cents(500) };
        let intent = Fact::Intent {
            counter_seen: 0,
            purse_seen: Cents(0),
            receipt_before: 0,
            day: Day(20_000),
            order: domain::device::PaymentOrder::Vending,
            payment_terminal: None,
        };
        let mut ledger = Ledger::new(TerminalId(21), 1);
        ledger.intend(Timestamp(0), subject, intent).unwrap();
        ledger.top_up(TOP_UP).unwrap().permit(MoneyEffect::Authorise).unwrap()
    }

    #[test]
    fn money_moves_only_once_its_entry_is_durable() {
        let (mut runner, mut seen) = (Runner::new(0), Seen::default());
        let request = PaymentRequest::Authorise { top_up: TOP_UP, amount: Cents(500) };
        let effect = || Effect::Money(permit(), MoneyRequest::Payment(request.clone()));
        runner.run(effect(), &mut seen);
        assert_eq!((runner.refused(), seen.payments.len()), (1, 0));
        runner.durable(1);
        runner.run(effect(), &mut seen);
        assert_eq!((runner.refused(), seen.payments), (1, vec![request]));
    }

    #[test]
    fn a_request_that_moves_money_without_a_permit_is_refused() {
        let (mut runner, mut seen) = (Runner::new(9), Seen::default());
        let approval = PaymentApproval::default;
        let moving = [
            PaymentRequest::Authorise { top_up: TOP_UP, amount: Cents(500) },
            PaymentRequest::Reserve { top_up: TOP_UP, amount: Cents(500) },
            PaymentRequest::Settle(TOP_UP),
            PaymentRequest::Refuse(TOP_UP),
            PaymentRequest::Acknowledge(TOP_UP),
            PaymentRequest::Capture(TOP_UP, approval()),
            PaymentRequest::Release(TOP_UP, approval()),
            PaymentRequest::Reverse(TOP_UP, approval()),
        ];
        let count = u64::try_from(moving.len()).unwrap();
        moving.into_iter().for_each(|request| runner.run(Effect::Payment(request), &mut seen));
        assert_eq!((runner.refused(), seen.payments.as_slice()), (count, &[][..]));
        for request in [PaymentRequest::Abort(TOP_UP), PaymentRequest::EndOfDay] {
            runner.run(Effect::Payment(request), &mut seen);
        }
        assert_eq!(
            (runner.refused(), seen.payments),
            (count, vec![PaymentRequest::Abort(TOP_UP), PaymentRequest::EndOfDay])
        );
    }

    #[test]
    fn what_was_seen_on_a_card_goes_to_the_outbox() {
        let (mut runner, mut seen) = (Runner::new(0), Seen::default());
        let report = CardReport {
            card: CardNumber(1),
            generation: Generation(1),
            counter: 4,
            purse: Some(Cents(50)),
            records: Vec::new(),
            movement_counter: None,
            needs_check: true,
            claim: Some(TOP_UP),
            at: Timestamp(0),
        };
        runner.run(Effect::Report(Box::new(report.clone())), &mut seen);
        assert_eq!(seen.reports, [report]);
    }

    #[test]
    fn a_handle_to_be_forgotten_reaches_the_vault() {
        let (mut runner, mut seen) = (Runner::new(0), Seen::default());
        runner.run(Effect::Forget(Handle(3)), &mut seen);
        assert_eq!(seen.forgotten, [Handle(3)]);
    }
}
