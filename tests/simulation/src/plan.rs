//! What happens in a history: steps of citizens and street, and faults that lie in wait. All of it is data, so that a
//! history can be told, replayed, and made smaller.

use crate::Dice;
use crate::fault::Fault;
use crate::point::{Cell, Cut, Deed, Point, Transition, cells};
use crate::world::paying::RESERVATION_MS;
use crate::world::till::{RECEIPT_MAX, Ways};
use domain::device::PaymentOrder;
use ledger::Kind;
use std::sync::OnceLock;

/// How many terminals a history may have.
pub const KIOSKS_MAX: u64 = 3;
/// The amounts on the screen, cents.
pub const AMOUNTS: [i64; 4] = [500, 1000, 2000, 3000];

/// What a citizen does beside paying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Gives up, so many milliseconds after pressing Pay.
    pub aborts_ms: Option<u32>,
    /// Takes the card and walks away, so many milliseconds after pressing Pay.
    pub leaves_ms: Option<u32>,
    /// Lays a card that was torn or lifted back after so many milliseconds; otherwise never in this visit.
    pub lays_back_ms: Option<u32>,
}

impl Manner {
    /// Somebody who does as the screen says.
    pub const CALM: Self = Self { aborts_ms: None, leaves_ms: None, lays_back_ms: Some(2_000) };
}

/// One thing that happens in the street.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Somebody tops up.
    Visit {
        /// Where.
        kiosk: usize,
        /// Which card.
        card: usize,
        /// How much, cents.
        amount: i64,
        /// How.
        manner: Manner,
    },
    /// A card is laid down, looked at, and taken away.
    Look {
        /// Where.
        kiosk: usize,
        /// Which card.
        card: usize,
    },
    /// A validator debits a card.
    Debit {
        /// Which card.
        card: usize,
        /// How much, cents.
        price: i64,
    },
    /// Time passes.
    Pass {
        /// Milliseconds.
        ms: u64,
    },
    /// The process of an idle terminal ends.
    Stop {
        /// Which.
        kiosk: usize,
        /// By a power cut rather than by a kill.
        power: bool,
    },
    /// At one of the next operations of a terminal's disk everything stops.
    StopDisk {
        /// Which terminal.
        kiosk: usize,
        /// At the how-manieth operation.
        operation: u64,
        /// By a power cut rather than by a kill.
        power: bool,
    },
    /// The bank's operator does something at the payment terminal's own menu.
    Operator {
        /// Where.
        kiosk: usize,
        /// What: `OperatorSale`, `OperatorReverses`, `OperatorEndsDay`, `TillReplaced`, `TillForgets`.
        does: Fault,
    },
    /// The wall clock of a terminal jumps.
    Clock {
        /// Which terminal.
        kiosk: usize,
        /// Milliseconds, forward or back.
        ms: i64,
    },
    /// A terminal loses or finds its way to central.
    Network {
        /// Which terminal.
        kiosk: usize,
        /// It finds it.
        online: bool,
    },
    /// What waits is uploaded.
    Upload {
        /// From which terminal.
        kiosk: usize,
    },
    /// A copy of the terminal's disk is taken.
    TakeImage {
        /// Which terminal.
        kiosk: usize,
    },
    /// The copy is put back.
    PutImage {
        /// Which terminal.
        kiosk: usize,
    },
    /// The journal cannot be read any more.
    Spoil {
        /// Which terminal.
        kiosk: usize,
    },
}

/// A fault in wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Armed {
    /// Where and what.
    pub cell: Cell,
    /// How often the point is passed unharmed first.
    pub spares: u8,
}

/// A whole history before it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Whatever is left to chance while it happens.
    pub seed: u64,
    /// In which order payments are made.
    pub order: PaymentOrder,
    /// On SQLCipher.
    pub keyed: bool,
    /// How many terminals.
    pub kiosks: usize,
    /// How their payment terminals behave.
    pub ways: Ways,
    /// After a first visit a reservation's time is waited out.
    pub waits_out: bool,
    /// After a first visit the card is taken to another terminal.
    pub elsewhere: bool,
    /// What is taken up there on the city's order is not carried out before the order's end.
    pub lapses: bool,
    /// The payment terminals are told to end their day in the course of it.
    pub ends_day: bool,
    /// Nothing comes out of the printers.
    pub printer_fails: bool,
    /// What is uploaded is receipted in the journal, as a terminal does, also when all is over.
    pub receipts: bool,
    /// What is written is uploaded at once, not only now and then.
    pub talks: bool,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// What lies in wait.
    pub armed: Vec<Armed>,
}

/// What a run may choose for all its histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// This order only.
    pub order: Option<PaymentOrder>,
    /// How many histories of a hundred are keyed.
    pub keyed_percent: u64,
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64, choice: &Choice) -> Self {
        let mut dice = Dice::new(seed ^ 0x5EED_0F70_7A15_u64);
        let keyed = dice.below(100) < choice.keyed_percent;
        let orders =
            [PaymentOrder::Vending, PaymentOrder::Vending, PaymentOrder::CaptureFirst, PaymentOrder::PreAuthorise];
        let thrown = orders[dice.index(orders.len())];
        let order = choice.order.unwrap_or(thrown);
        let kiosks = [1, 1, 1, 1, 2, 2, 3][dice.index(7)];
        let mut plan = Self {
            seed: dice.bits(),
            order,
            keyed,
            kiosks,
            ways: ways(&mut dice),
            waits_out: false,
            ends_day: dice.one_in(30),
            elsewhere: false,
            lapses: false,
            printer_fails: dice.one_in(10),
            receipts: dice.one_in(8),
            talks: dice.one_in(10),
            steps: Vec::new(),
            armed: Vec::new(),
        };
        plan.arm(&mut dice);
        plan.fill(&mut dice);
        plan
    }

    /// Chooses the faults, and for a rare one whatever leads to it.
    fn arm(&mut self, dice: &mut Dice) {
        if dice.one_in(50) {
            return self.meet_a_stranger(dice);
        }
        let all = all_cells();
        for _ in 0..=dice.below(3) {
            let Some(cell) = dice.pick(all).copied() else { return };
            if !reachable(cell.point, self.order) || (cell.fault.is_beyond_contract() && !dice.one_in(6)) {
                continue;
            }
            let spares = if dice.one_in(4) { u8::try_from(dice.below(3)).unwrap_or(0) } else { 0 };
            self.armed.push(Armed { cell, spares });
            let another = matches!(cell.fault, Fault::OperatorSale | Fault::OperatorSameSale | Fault::TillReplaced);
            if another && cell.point == Point::deed(Deed::Resolve, Cut::Undone) {
                // Ours was never made, and the last receipt is somebody else's.
                let asks = if self.order == PaymentOrder::PreAuthorise { Deed::Reserve } else { Deed::Authorise };
                self.add(asks, Cut::Undone, if dice.one_in(3) { Fault::Kill } else { Fault::ApprovedWhileDying });
                continue;
            }
            self.lead_to(cell.point.transition, dice);
        }
    }

    /// The payment terminal that is asked again is another one, or somebody else was its last payer.
    fn meet_a_stranger(&mut self, dice: &mut Dice) {
        let asks = if self.order == PaymentOrder::PreAuthorise { Deed::Reserve } else { Deed::Authorise };
        self.add(asks, Cut::Undone, if dice.one_in(4) { Fault::Kill } else { Fault::ApprovedWhileDying });
        let stranger = if dice.one_in(2) { Fault::TillReplaced } else { Fault::OperatorSale };
        self.add(Deed::Resolve, Cut::Undone, stranger);
    }

    fn add(&mut self, deed: Deed, cut: Cut, fault: Fault) {
        let cell = Cell { point: Point::deed(deed, cut), fault };
        if fault.applies_at(cell.point) {
            self.armed.push(Armed { cell, spares: 0 });
        }
    }

    /// What is needed for a transition to happen at all.
    fn lead_to(&mut self, transition: Transition, dice: &mut Dice) {
        let asks = if self.order == PaymentOrder::PreAuthorise { Deed::Reserve } else { Deed::Authorise };
        match transition {
            Transition::Fact(kind) => self.lead_to_fact(kind, asks, dice),
            Transition::Deed(Deed::OrderCredit) => self.lead_elsewhere(asks, dice),
            Transition::Deed(deed) => self.lead_to_deed(deed, asks, dice),
        }
    }

    fn lead_to_fact(&mut self, kind: Kind, asks: Deed, dice: &mut Dice) {
        match kind {
            Kind::Ordered | Kind::OrderCredited | Kind::CreditedElsewhere => self.lead_elsewhere(asks, dice),
            Kind::OrderLapsed => {
                self.lead_elsewhere(asks, dice);
                self.lapses = true;
                let taken = Point::fact(Kind::Ordered, Cut::Untold);
                self.armed.push(Armed { cell: Cell { point: taken, fault: Fault::CardLifted }, spares: 0 });
            }
            Kind::ReversalStarted => self.lead_to_deed(Deed::Reverse, asks, dice),
            Kind::CaptureOwed => self.add(Deed::Capture, Cut::Undone, Fault::CaptureRefused),
            Kind::LossCaptureExpired => {
                self.waits_out = true;
                for _ in 0..14 {
                    self.add(Deed::Capture, Cut::Undone, Fault::CaptureRefused);
                }
            }
            Kind::Declined => self.add(asks, Cut::Undone, Fault::Declined),
            Kind::PaymentUnknown => self.add(asks, Cut::Unanswered, Fault::LineDrops),
            Kind::NeverMade => self.add(asks, Cut::Undone, Fault::Kill),
            Kind::InDoubt => self.tear(dice),
            Kind::NotCredited | Kind::Voided => self.fail_credit(dice),
            Kind::AnswerInDoubt => self.lose_answer(dice),
            Kind::Claimed => {
                self.tear(dice);
                self.ways.waits = 1;
            }
            Kind::LeftToCentral => {
                self.add(asks, Cut::Unanswered, if dice.one_in(2) { Fault::TillForgets } else { Fault::TillReplaced });
            }
            Kind::LossCreditedButReversed => {
                self.ways.reverses_alone = true;
                self.add(Deed::Settle, Cut::Undone, Fault::AckLostReversed);
            }
            _ => {}
        }
    }

    /// A claim on kept money, and the card at another terminal that hears from central.
    fn lead_elsewhere(&mut self, asks: Deed, dice: &mut Dice) {
        (self.talks, self.kiosks, self.elsewhere) = (true, self.kiosks.max(2), true);
        self.ways.reverses_alone = false;
        self.ways.waits = 0;
        if dice.one_in(3) {
            self.add(Deed::Credit, Cut::Undone, Fault::TornUncommitted);
        } else {
            self.add(asks, Cut::Unanswered, Fault::LineDrops);
            self.add(Deed::Credit, Cut::Undone, Fault::TornUncommitted);
        }
    }

    fn lead_to_deed(&mut self, deed: Deed, asks: Deed, dice: &mut Dice) {
        match deed {
            Deed::EndOfDay => self.ends_day = true,
            Deed::Refuse | Deed::Release => self.fail_credit(dice),
            Deed::Reverse => {
                self.ways.reverses_alone = false;
                self.add(asks, Cut::Unanswered, if dice.one_in(2) { Fault::Kill } else { Fault::LineDrops });
                self.fail_credit(dice);
            }
            Deed::Resolve => self.lose_answer(dice),
            Deed::CreditAgain => self.add(Deed::Credit, Cut::Undone, Fault::TornUncommitted),
            Deed::AskCard => self.tear(dice),
            _ => {}
        }
    }

    fn tear(&mut self, dice: &mut Dice) {
        if dice.one_in(2) {
            self.add(Deed::Credit, Cut::Undone, Fault::TornUncommitted);
        } else {
            self.add(Deed::Credit, Cut::Unanswered, Fault::TornCommitted);
        }
    }

    fn fail_credit(&mut self, dice: &mut Dice) {
        let fault = dice.pick(&[Fault::CardLifted, Fault::CardSwapped, Fault::ReaderGone]);
        self.add(Deed::Credit, Cut::Undone, fault.copied().unwrap_or(Fault::CardLifted));
    }

    fn lose_answer(&mut self, dice: &mut Dice) {
        let answer = if self.order == PaymentOrder::PreAuthorise { Deed::Acknowledge } else { Deed::Settle };
        let fault = dice.pick(&[Fault::AckLostKept, Fault::AckLostReversed]);
        self.add(answer, Cut::Undone, fault.copied().unwrap_or(Fault::AckLostKept));
    }

    /// The steps: one visit in which the faults wait, and what else happens around it.
    fn fill(&mut self, dice: &mut Dice) {
        if dice.one_in(8) {
            self.around(dice);
        }
        let kiosk = dice.index(self.kiosks);
        let mut first = manner(dice);
        if self.elsewhere {
            first = Manner { lays_back_ms: None, ..Manner::CALM };
        }
        self.steps.push(Step::Visit { kiosk, card: 0, amount: amount(dice), manner: first });
        if self.ends_day {
            self.steps.push(Step::Pass { ms: 290_000 });
        }
        if self.waits_out {
            self.steps.push(Step::Pass { ms: RESERVATION_MS + 3_600_000 });
        }
        if self.elsewhere {
            self.go_elsewhere(kiosk, dice);
        }
        for _ in 0..[0, 0, 0, 0, 1, 2][dice.index(6)] {
            if dice.one_in(2) {
                self.around(dice);
            }
            self.come_again(kiosk, dice);
        }
    }

    fn go_elsewhere(&mut self, kiosk: usize, dice: &mut Dice) {
        let other = usize::from(kiosk == 0);
        let calm = |kiosk| Step::Visit { kiosk, card: 0, amount: 500, manner: Manner::CALM };
        if self.lapses {
            self.talks = true;
            self.steps.extend([Step::Upload { kiosk }, Step::Look { kiosk: other, card: 0 }]);
            self.steps.extend([Step::Pass { ms: 9 * 86_400_000 }, Step::Look { kiosk: other, card: 0 }]);
            return;
        }
        if dice.one_in(3) {
            // The card moves on before anybody knows of the claim.
            self.steps.push(calm(other));
        }
        self.talks = dice.one_in(2);
        self.steps.push(Step::Upload { kiosk });
        self.steps.push(Step::Look { kiosk: other, card: 0 });
        self.steps.push(Step::Upload { kiosk: other });
        match dice.below(4) {
            0 => self.steps.push(Step::Pass { ms: 9 * 86_400_000 }),
            1 => self.steps.push(calm(other)),
            _ => {}
        }
        self.steps.push(Step::Look { kiosk: if dice.one_in(3) { kiosk } else { other }, card: 0 });
    }

    fn come_again(&mut self, before: usize, dice: &mut Dice) {
        let kiosk = if dice.one_in(2) { before } else { dice.index(self.kiosks) };
        let card = usize::from(dice.one_in(3));
        self.steps.push(match dice.below(4) {
            0 => Step::Look { kiosk, card },
            _ => Step::Visit { kiosk, card, amount: amount(dice), manner: manner(dice) },
        });
    }

    fn around(&mut self, dice: &mut Dice) {
        let kiosk = dice.index(self.kiosks);
        let card = dice.index(2);
        match dice.below(15) {
            0 => self.steps.push(Step::Debit { card: 0, price: 95 }),
            1 => self.steps.push(Step::Debit { card, price: 60 }),
            2 => self.steps.push(Step::Stop { kiosk, power: dice.one_in(2) }),
            3 | 4 => {
                let (operation, power) = (1 + dice.below(60), dice.one_in(2));
                self.steps.push(Step::StopDisk { kiosk, operation, power });
            }
            5 => self.steps.push(Step::Operator { kiosk, does: Fault::OperatorSale }),
            6 => {
                let does = [Fault::TillReplaced, Fault::TillForgets, Fault::OperatorEndsDay];
                self.steps.push(Step::Operator { kiosk, does: does[dice.index(does.len())] });
            }
            7 => self.steps.push(Step::Clock { kiosk, ms: jump(dice) }),
            8 => {
                self.steps.push(Step::Network { kiosk, online: false });
                self.steps.push(Step::Pass { ms: 90 * 86_400_000 });
            }
            9 | 10 => self.steps.push(Step::Upload { kiosk }),
            11 => self.steps.push(Step::Pass { ms: [30_000, 200_000, 86_400_000, 9 * 86_400_000][dice.index(4)] }),
            12 if dice.one_in(6) => (0..7).for_each(|_| self.visit_elsewhere(dice)),
            _ if dice.one_in(4) => self.beyond(kiosk, dice),
            _ => self.steps.push(Step::Look { kiosk, card }),
        }
    }

    /// The card is topped up elsewhere until its file has rolled on.
    fn visit_elsewhere(&mut self, dice: &mut Dice) {
        let kiosk = dice.index(self.kiosks);
        self.steps.push(Step::Visit { kiosk, card: 0, amount: 500, manner: Manner::CALM });
        self.steps.push(Step::Debit { card: 0, price: 400 });
        if dice.one_in(5) {
            self.steps.push(Step::Pass { ms: 86_400_000 });
        }
    }

    /// What no terminal is built for.
    fn beyond(&mut self, kiosk: usize, dice: &mut Dice) {
        match dice.below(3) {
            0 => {
                self.steps.push(Step::TakeImage { kiosk });
                self.steps.push(Step::Visit { kiosk, card: 0, amount: amount(dice), manner: manner(dice) });
                self.steps.push(Step::PutImage { kiosk });
            }
            1 => self.steps.push(Step::Spoil { kiosk }),
            _ => self.steps.push(Step::Operator { kiosk, does: Fault::OperatorReverses }),
        }
    }

    /// Whether hardware or people go beyond their contract in it.
    #[must_use]
    pub fn is_beyond_contract(&self) -> bool {
        let step = |step: &Step| match step {
            Step::PutImage { .. } | Step::Spoil { .. } => true,
            Step::Operator { does, .. } => does.is_beyond_contract(),
            _ => false,
        };
        self.armed.iter().any(|armed| armed.cell.fault.is_beyond_contract()) || self.steps.iter().any(step)
    }
}

fn all_cells() -> &'static [Cell] {
    static CELLS: OnceLock<Vec<Cell>> = OnceLock::new();
    CELLS.get_or_init(cells)
}

/// Whether a payment in this order can come to this point.
#[must_use]
pub fn reachable(point: Point, order: PaymentOrder) -> bool {
    let reserves = order == PaymentOrder::PreAuthorise;
    match point.transition {
        Transition::Deed(Deed::Authorise | Deed::Settle | Deed::Refuse | Deed::Reverse) => !reserves,
        Transition::Deed(Deed::Reserve | Deed::Acknowledge | Deed::Capture | Deed::Release) => reserves,
        _ => true,
    }
}

fn amount(dice: &mut Dice) -> i64 {
    dice.pick(&AMOUNTS).copied().unwrap_or(500)
}

fn jump(dice: &mut Dice) -> i64 {
    [-3_600_000, 3_600_000, 86_400_000, -86_400_000, 30 * 86_400_000][dice.index(5)]
}

fn manner(dice: &mut Dice) -> Manner {
    let throw =
        |dice: &mut Dice, one_in, up_to| dice.one_in(one_in).then(|| u32::try_from(dice.below(up_to)).unwrap_or(0));
    let lays_back_ms = match dice.below(6) {
        0 => None,
        1 => Some(15_000 + u32::try_from(dice.below(70_000)).unwrap_or(0)),
        _ => Some(500 + u32::try_from(dice.below(4_000)).unwrap_or(0)),
    };
    Manner { aborts_ms: throw(dice, 12, 4_000), leaves_ms: throw(dice, 12, 6_000), lays_back_ms }
}

fn ways(dice: &mut Dice) -> Ways {
    let receipt = match dice.below(8) {
        0 => 0,
        1 => RECEIPT_MAX - u32::try_from(dice.below(4)).unwrap_or(0),
        _ => 470,
    };
    Ways {
        reverses_alone: dice.one_in(2),
        reversal_has_receipt: dice.one_in(2),
        waits: u8::try_from(dice.below(4)).unwrap_or(0),
        names_itself: true,
        is_deaf: dice.one_in(12),
        receipt,
    }
}
