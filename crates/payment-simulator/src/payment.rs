//! One payment (06 01) or reservation (06 22): card, PIN, bank, then the outcome until it is answered.

use crate::apdu::Apdu;
use crate::choices::{AfterRefusal, Answer, Unanswered, Waits};
use crate::events::{Event, Waiting};
use crate::faults::{Mishap, Moment};
use crate::fields::{find, from_bcd, parse};
use crate::ledger::Kind;
use crate::line::Line;
use crate::shared::Shared;
use crate::status::{self, Step, code};
use domain::Cents;
use std::time::Duration;

/// Registration's configuration byte: the cash register wants 04 FF.
const WANTS_INTERMEDIATE_STATUS: u8 = 0x08;
/// For the answer to 04 0F, when the command names no time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What 06 01 or 06 22 asks for.
pub(crate) struct Order {
    kind: Kind,
    amount: Cents,
    answer_timeout: Duration,
    outcomes_max: Option<u8>,
}

impl Order {
    /// Reads a command's data: BMP 04 amount, 49 currency (euro, or absent), 01 time in seconds and 02 count of
    /// outcomes.
    ///
    /// # Errors
    /// The code of the 84 xx that refuses the command.
    pub(crate) fn read(shared: &Shared, kind: Kind, data: &[u8]) -> Result<Self, u8> {
        let config = shared.config();
        let fields = parse(data).ok_or(code::PROTOCOL_ERROR)?;
        let amount = find(&fields, 0x04).and_then(from_bcd).and_then(|amount| i64::try_from(amount).ok());
        let amount = amount.filter(|amount| *amount > 0).map(Cents).ok_or(code::PROTOCOL_ERROR)?;
        if find(&fields, 0x49).is_some_and(|currency| currency != [0x09, 0x78]) {
            return Err(code::WRONG_CURRENCY);
        }
        let byte = |tag| find(&fields, tag).and_then(|value| value.first().copied());
        let named = byte(0x01).map(|seconds| Duration::from_secs(u64::from(seconds)));
        let limit = byte(0x02).unwrap_or(1).min(config.waits_max.saturating_add(1)).max(1);
        Ok(Self {
            kind,
            amount,
            answer_timeout: config.answer_timeout.or(named).unwrap_or(ANSWER_TIMEOUT),
            outcomes_max: (config.waits != Waits::Unlimited).then_some(limit),
        })
    }
}

/// What the cash register made of an approved outcome.
enum Verdict {
    Accepted,
    Refused,
    Nothing,
}

/// One payment on one line.
pub(crate) struct Payment<'a, 'l> {
    shared: &'a Shared,
    line: &'a mut Line<'l>,
}

impl<'a, 'l> Payment<'a, 'l> {
    pub(crate) fn new(shared: &'a Shared, line: &'a mut Line<'l>) -> Self {
        Self { shared, line }
    }

    /// Carries the command out to its end.
    pub(crate) async fn run(mut self, order: &Order) {
        self.line.abort_asked = false;
        self.line.write(&Apdu::acknowledgement()).await;
        self.step(Step::InsertCard).await;
        match self.card(order.amount).await {
            Answer::Cancel => self.unpaid(code::ABORTED).await,
            Answer::Decline(code) => {
                self.pin_and_bank().await;
                self.unpaid(code).await;
            }
            Answer::Silence => self.silence().await,
            Answer::ApproveSilently => {
                self.host_approves(order).await;
                self.silence().await;
                self.shared.settle_unanswered();
            }
            Answer::Approve => {
                self.pin_and_bank().await;
                self.approved(order).await;
            }
        }
    }

    /// Waits for the payer; a lost line or an abort counts as the payer's own.
    async fn card(&mut self, amount: Cents) -> Answer {
        self.shared.wait_for(Waiting::Card { amount });
        let config = self.shared.config();
        let deadline = tokio::time::Instant::now() + config.card_timeout;
        loop {
            if self.line.abort_asked {
                self.line.write(&Apdu::acknowledgement()).await;
                return Answer::Cancel;
            }
            if self.line.is_lost() && !config.goes_on_without_line {
                return Answer::Cancel;
            }
            if let Some(answer) = self.shared.take_answer() {
                return answer;
            }
            let lost = self.line.is_lost();
            tokio::select! {
                () = self.shared.operator.notified() => {}
                () = tokio::time::sleep_until(deadline) => return Answer::Cancel,
                apdu = self.line.read(), if !lost => {
                    self.line.abort_asked = apdu.is_some_and(|apdu| apdu.control() == (0x06, 0xB0));
                }
            }
        }
    }

    async fn pin_and_bank(&mut self) {
        self.shared.wait_for(Waiting::Bank);
        for step in [Step::WatchPinPad, Step::PleaseWait, Step::AskingBank] {
            self.step(step).await;
            tokio::time::sleep(self.shared.config().pace).await;
        }
        self.refuse_abort().await;
    }

    /// The host takes the money; what goes wrong now goes wrong between its word and the terminal's memory.
    async fn host_approves(&mut self, order: &Order) -> usize {
        match self.shared.mishap(Moment::HostApproved) {
            Some(Mishap::PowerOff(cut)) => {
                self.shared.authorise(order.kind, order.amount, false);
                self.shared.power_off(cut).await;
            }
            Some(Mishap::Drop) => self.line.lose(),
            Some(Mishap::DelayMs(delay)) => tokio::time::sleep(Duration::from_millis(delay)).await,
            Some(_) | None => {}
        }
        self.shared.authorise(order.kind, order.amount, true)
    }

    async fn approved(&mut self, order: &Order) {
        let index = self.host_approves(order).await;
        self.step(Step::RemoveCard).await;
        self.line.moment(Moment::BeforeOutcome).await;
        match self.ask(order, index).await {
            Verdict::Accepted => {
                self.shared.accept(index);
                self.line.moment(Moment::BeforeCompletion).await;
                self.line.write(&status::completion()).await;
            }
            Verdict::Refused => self.reverse(index, self.shared.config().after_refusal).await,
            Verdict::Nothing => match self.shared.config().unanswered {
                Unanswered::Reverse => self.reverse(index, AfterRefusal::Abort).await,
                Unanswered::Keep => {
                    self.shared.accept(index);
                    self.line.write(&status::completion()).await;
                }
            },
        }
    }

    /// Sends the outcome until it is answered, as often as this payment may.
    async fn ask(&mut self, order: &Order, index: usize) -> Verdict {
        let Some(transaction) = self.shared.transaction(index) else { return Verdict::Nothing };
        let mut outcomes: u8 = 0;
        while order.outcomes_max.is_none_or(|limit| outcomes < limit) {
            outcomes = outcomes.saturating_add(1);
            let config = self.shared.config();
            self.line.write(&status::outcome(&config, &transaction)).await;
            self.shared.wait_for(Waiting::Register { receipt: transaction.receipt, outcomes });
            self.line.moment(Moment::AfterOutcome).await;
            let Some(answer) = self.line.read_answer(order.answer_timeout).await else { return Verdict::Nothing };
            self.refuse_abort().await;
            match (answer.control(), config.waits) {
                ((0x80, _) | (0x84, 0x00), _) | ((0x84, code::PLEASE_WAIT), Waits::TakenAsDone) => {
                    return Verdict::Accepted;
                }
                ((0x84, code::PLEASE_WAIT), Waits::Granted | Waits::Unlimited) => {
                    tokio::time::sleep(config.outcome_interval).await;
                }
                _ => return Verdict::Refused,
            }
        }
        Verdict::Nothing
    }

    async fn reverse(&mut self, index: usize, ending: AfterRefusal) {
        self.step(Step::Reversing).await;
        self.shared.reverse(index);
        self.line.moment(Moment::BeforeCompletion).await;
        let last = match ending {
            AfterRefusal::Abort => status::abort(code::PROCESSING_ERROR),
            AfterRefusal::Completion => status::completion(),
        };
        self.line.write(&last).await;
    }

    async fn unpaid(&mut self, code: u8) {
        self.shared.tell(Event::Unpaid(code));
        let config = self.shared.config();
        if config.outcome_before_abort {
            let terminal = self.shared.state().memory.counters.terminal;
            self.line.say(&status::failure(terminal, code), config.acknowledge_timeout).await;
        }
        self.line.write(&status::abort(code)).await;
    }

    /// Says nothing more until the line goes away.
    async fn silence(&mut self) {
        self.shared.wait_for(Waiting::Bank);
        while self.line.read().await.is_some() {}
    }

    /// 04 FF, if the cash register asked for it.
    async fn step(&mut self, step: Step) {
        let wanted = self.shared.state().registered.is_some_and(|config| config & WANTS_INTERMEDIATE_STATUS != 0);
        if wanted && !self.line.is_lost() {
            self.line.say(&status::intermediate(step), self.shared.config().acknowledge_timeout).await;
        }
    }

    /// Once the bank was asked, 06 B0 comes too late.
    async fn refuse_abort(&mut self) {
        if std::mem::take(&mut self.line.abort_asked) {
            self.line.write(&Apdu::refusal(code::NOT_POSSIBLE)).await;
        }
    }
}
