//! How this terminal behaves: what payer and bank answer, and how it differs from other makes.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What payer and bank do with a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Card, PIN and bank are in order.
    Approve,
    /// The bank refuses, with this result code (BMP 27; 1 to 99 are the network operator's).
    Decline(u8),
    /// The payer presses the abort key: result code 6C.
    Cancel,
    /// The terminal falls silent before the bank was asked, and stays so until the line is closed.
    Silence,
    /// The bank approves, and the terminal falls silent before it says so.
    ApproveSilently,
}

/// Where the line is dropped, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// The bank has approved, the outcome is not yet sent.
    BeforeOutcome,
    /// The outcome (04 0F) was sent, the answer to it is not processed.
    AfterOutcome,
    /// The answer was processed, the completion (06 0F) is not sent.
    BeforeCompletion,
}

/// What becomes of an approved payment whose outcome nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// The terminal reverses it by itself.
    Reverse,
    /// The money stays taken.
    Keep,
}

/// How a payment ends on the line after the answer 84 66 (goods not issued), once it is reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterRefusal {
    /// 06 1E with result code 66.
    Abort,
    /// 06 0F.
    Completion,
}

/// What 06 20 gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatReceipt {
    /// 04 0F of the last transaction, then 06 0F.
    StatusInformation,
    /// 06 0F alone, as some makes do: it says nothing about the payment.
    CompletionOnly,
}

/// How a reversal reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReversalReceipt {
    /// A transaction of its own: new receipt and trace numbers, result code 0, the amount, the original's trace
    /// number in BMP 37 and the command 06 30 in TLV tag 0A.
    OfItsOwn,
    /// The payment's own receipt and trace numbers, with result code B4 (already reversed) instead of 0.
    Original,
}

/// Which receipt number 06 30 must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReversalCheck {
    /// The last payment's; another one is refused with B5.
    LastOnly,
    /// Any: the last payment is reversed whatever number is given, as some makes do.
    IgnoresNumber,
}

/// One terminal. `Config::default()` listens on a free port of 127.0.0.1 and waits for an operator.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// BMP 29, eight digits.
    pub terminal_id: u32,
    /// The ECR's password, six digits; `None` takes any.
    pub password: Option<u32>,
    /// Given to every payment without asking an operator.
    pub auto_answer: Option<Answer>,
    /// How long each step of payer and bank takes.
    pub pace: Duration,
    /// How long a card is waited for; then the payment is aborted with 6C.
    pub card_timeout: Duration,
    /// How long an acknowledgement of 04 FF and the like is waited for; then the line counts as lost.
    pub acknowledge_timeout: Duration,
    /// How long an answer to 04 0F is waited for; `None`: BMP 01 of the command in seconds, or 10 s.
    pub answer_timeout: Option<Duration>,
    /// How many answers 84 9C (wait) are granted. The command's BMP 02 limits the outcomes sent as well; a command
    /// without BMP 02 gets one outcome and no wait.
    pub waits_max: u8,
    /// How long after 84 9C the outcome is sent again.
    pub outcome_interval: Duration,
    /// An approved payment nobody answered for.
    pub unanswered: Unanswered,
    /// After 84 66.
    pub after_refusal: AfterRefusal,
    /// 06 20.
    pub repeat_receipt: RepeatReceipt,
    /// Reversals.
    pub reversal_receipt: ReversalReceipt,
    /// 06 30.
    pub reversal_check: ReversalCheck,
    /// When the line goes away while the payer is busy: go on with the payment instead of giving it up.
    pub goes_on_without_line: bool,
    /// Send 04 0F with the result code before the 06 1E of a payment that failed.
    pub outcome_before_abort: bool,
    /// Receipt number of the first payment of a new terminal, 1 to 9999.
    pub first_receipt: u16,
    /// IANA name of the zone the terminal's clock is set to.
    pub time_zone: String,
    /// The scheme's name (BMP 8B).
    pub scheme: String,
    /// Where the terminal's memory is kept; `None`: it is lost with the process, not with a power cycle.
    pub state_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            terminal_id: 52_500_021,
            password: None,
            auto_answer: None,
            pace: Duration::ZERO,
            card_timeout: Duration::from_secs(90),
            acknowledge_timeout: Duration::from_secs(5),
            answer_timeout: None,
            waits_max: 3,
            outcome_interval: Duration::from_secs(2),
            unanswered: Unanswered::Reverse,
            after_refusal: AfterRefusal::Abort,
            repeat_receipt: RepeatReceipt::StatusInformation,
            reversal_receipt: ReversalReceipt::OfItsOwn,
            reversal_check: ReversalCheck::LastOnly,
            goes_on_without_line: false,
            outcome_before_abort: true,
            first_receipt: 1,
            time_zone: "UTC".to_owned(),
            scheme: "Debit Mastercard".to_owned(),
            state_file: None,
        }
    }
}
