//! Where the session's effects go. The one rule it has is about money: an effect whose journal sequence is not
//! durable is refused, whatever the session asked for.

use domain::device::{CreditOrder, PaymentRequest, PrinterRequest, ReaderRequest};
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
    /// To the journal; `Runner::durable` must follow once it is durable.
    fn journal(&mut self, entry: Entry);
    /// To whoever opens records: `Effect::OpenTap` and `Effect::OpenPin`.
    fn records(&mut self, effect: Effect);
    /// To whoever prepares papers.
    fn paper(&mut self, order: PaperOrder);
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
            | PaymentRequest::Settle(_)
            | PaymentRequest::Refuse(_)
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
            Effect::OpenTap { .. } | Effect::OpenPin { .. } => outlets.records(effect),
            Effect::ClearPin => outlets.clear_pin(),
            Effect::Paper(order) => outlets.paper(*order),
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
