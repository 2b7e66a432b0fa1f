//! Real top-ups, with SIGKILL for kiosk, central and payment terminal at random moments. Each of the three is a process
//! of its own here; the card is torn off now and then as well. After a kill everything is started again and brought to
//! an end; at the close all books are compared: the card's memory, central's ledger and the payment terminal's.

mod commits;
mod parties;
mod steering;
mod tally;

pub use steering::Steering;
pub use tally::Tally;

use crate::books::{Witness, differences};
use crate::headless::PATIENCE;
use crate::{Headless, Seen, Street, StreetConfig, StreetError};
use commits::Commits;
use domain::Cents;
use domain::device::PaymentOrder;
use parties::{CentralProcess, TerminalProcess};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use steering::Course;

/// What is topped up each time: the smallest amount, so that the day's limit of the card is not reached.
const AMOUNT: Cents = Cents(500);
/// Commits of a top-up's journal, at most; a kill falls after one of them.
const COMMITS: u32 = 10;
/// A kill falls up to this long after the commit: before its flush, before the effect, in it or after it.
const JITTER: Duration = Duration::from_micros(4_000);
/// A top-up whose commit never comes is killed all the same.
const NO_COMMIT: Duration = Duration::from_secs(3);
/// Steps of payer and bank, so that a kill meets a payment under way.
const PACE_MS: [u64; 3] = [1, 15, 60];
/// Between two looks at what tells nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// The end of everything that is open: three questions to the payment terminal and the way to central.
const SETTLED: Duration = Duration::from_secs(45);

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each names its processes")]
pub enum Victim {
    Kiosk,
    Central,
    PaymentTerminal,
    KioskAndPaymentTerminal,
    All,
}

impl Victim {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Kiosk, Self::Central, Self::PaymentTerminal, Self::KioskAndPaymentTerminal, Self::All];

    /// The name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kiosk => "kiosk",
            Self::Central => "central",
            Self::PaymentTerminal => "payment terminal",
            Self::KioskAndPaymentTerminal => "kiosk and payment terminal",
            Self::All => "all three",
        }
    }

    fn kiosk(self) -> bool {
        matches!(self, Self::Kiosk | Self::KioskAndPaymentTerminal | Self::All)
    }

    fn central(self) -> bool {
        matches!(self, Self::Central | Self::All)
    }

    fn payment_terminal(self) -> bool {
        matches!(self, Self::PaymentTerminal | Self::KioskAndPaymentTerminal | Self::All)
    }
}

/// A street whose parties are killed.
pub struct Kills {
    street: Street,
    central: CentralProcess,
    terminal: TerminalProcess,
    kiosk: Headless,
    order: PaymentOrder,
    steering: Arc<Steering>,
    random: ChaCha8Rng,
    spent: Cents,
    tally: Tally,
}

impl Kills {
    /// Sets up the street, whose acquirer's profile has this order; everything follows from the seed but the time that
    /// things take, and with it what `steering` has seen.
    ///
    /// # Errors
    /// `StreetError` when a program is missing or a part does not come up.
    pub fn start(seed: u64, dir: &Path, order: PaymentOrder, steering: &Arc<Steering>) -> Result<Self, StreetError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let street = Street::start(StreetConfig::new(seed, dir))?;
        let profile = format!("[payment]\norder = \"{}\"\n", steering::name_of(order));
        street.boot().amend(|text| text.replace("[payment]\n", &profile))?;
        let central = CentralProcess::start(&dir.join("central"), &dir.join("central.port"))?;
        street.central_cable().point_to(central.address());
        let pace = PACE_MS[random.random_range(0..PACE_MS.len())];
        let terminal = TerminalProcess::start(&dir.join("payment-process.json"), pace)?;
        street.payment_cable().point_to(terminal.address());
        let mut kiosk = Headless::start(&street)?;
        kiosk.wait_screen("attract")?;
        let (steering, spent, tally) = (Arc::clone(steering), Cents::ZERO, Tally::default());
        Ok(Self { street, central, terminal, kiosk, order, steering, random, spent, tally })
    }

    /// One top-up with one kill in it, brought to its end.
    ///
    /// # Errors
    /// Something gets stuck; the street is then of no further use.
    pub fn top_up(&mut self) -> Result<(), StreetError> {
        self.begin()?;
        let victim = self.draw_victim();
        let plan = self.steering.choose(self.order, &mut self.random);
        let jitter = self.random.random_range(Duration::ZERO..=JITTER);
        if let Some(tear) = plan.course.tear() {
            self.street.tear_at(tear);
        }
        if plan.course == Course::Declined {
            self.terminal.obey("auto decline:05")?;
        }
        let mut commits = Commits::watch(&self.journal())?;
        self.kiosk.press("pay")?;
        commits.await_count(plan.after, NO_COMMIT);
        let until = Instant::now() + jitter;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        self.kill(victim)?;
        let state = tally::state_of_newest(self.street.boot())?;
        self.steering.count(self.order, plan, &state);
        self.tally.count(victim, format!("{}: {state}", steering::name_of(self.order)));
        self.recover(victim)?;
        self.bring_to_rest()
    }

    /// Compares all books.
    ///
    /// # Errors
    /// `Books` with every disagreement in words.
    pub fn close(mut self) -> Result<Tally, StreetError> {
        self.bring_to_rest()?;
        let found = self.differences()?;
        if found.is_empty() { Ok(self.tally) } else { Err(StreetError::Books(found.join("\n"))) }
    }

    fn journal(&self) -> std::path::PathBuf {
        self.street.boot().data().join("journal.db-wal")
    }

    fn draw_victim(&mut self) -> Victim {
        match self.random.random_range(0..100) {
            0..60 => Victim::Kiosk,
            60..70 => Victim::Central,
            70..84 => Victim::PaymentTerminal,
            84..95 => Victim::KioskAndPaymentTerminal,
            _ => Victim::All,
        }
    }

    /// The card lies there, and the amount is chosen.
    fn begin(&mut self) -> Result<(), StreetError> {
        self.spend()?;
        let deadline = Instant::now() + SETTLED;
        loop {
            self.lay_card()?;
            self.kiosk.press("top-up")?;
            let next = self.kiosk.wait_for("the amounts, or why not", |seen| seen.kind() != "home")?;
            if next.button("amount-500").is_some() {
                break;
            }
            // The payment terminal may still be coming up.
            if Instant::now() > deadline {
                let what = "the amounts".to_owned();
                return Err(StreetError::Late { what, patience: SETTLED, seen: next.summary() });
            }
            self.leave()?;
        }
        self.kiosk.press("amount-500")?;
        self.kiosk.wait_for("five euros marked", |seen| seen.sum().get(1) == Some(&AMOUNT)).map(drop)
    }

    /// Lays the card down until its home screen is there: after a restart it is said first what came of the top-up.
    fn lay_card(&mut self) -> Result<(), StreetError> {
        let deadline = Instant::now() + SETTLED;
        loop {
            self.street.lay_card();
            let shown = |seen: &Seen| matches!(seen.kind(), "home" | "trouble" | "done") && seen.overlay().is_none();
            let seen = self.kiosk.wait_within(SETTLED, "the home screen, or what came of the last top-up", shown)?;
            if seen.kind() == "home" {
                return Ok(());
            }
            if Instant::now() > deadline {
                let what = "the home screen".to_owned();
                return Err(StreetError::Late { what, patience: SETTLED, seen: seen.summary() });
            }
            match seen.button("home") {
                Some(home) => {
                    self.kiosk.act(&home)?;
                    self.kiosk.wait_within(PATIENCE, "another painting", |next| next.seq() > seen.seq())?;
                }
                None => self.leave()?,
            }
        }
    }

    /// Behind the kiosk's back the purse is spent from, as on a bus.
    fn spend(&mut self) -> Result<(), StreetError> {
        self.spent = Cents(self.spent.0 + self.street.ride(AMOUNT)?.0);
        Ok(())
    }

    fn kill(&mut self, victim: Victim) -> Result<(), StreetError> {
        if victim.kiosk() {
            self.kiosk.kill()?;
        }
        if victim.payment_terminal() {
            self.terminal.kill()?;
        }
        if victim.central() {
            self.central.kill()?;
        }
        Ok(())
    }

    /// Whoever was killed is started again; now and then the citizen has walked away meanwhile.
    fn recover(&mut self, victim: Victim) -> Result<(), StreetError> {
        if !victim.payment_terminal() {
            self.terminal.obey("auto approve")?;
        }
        if self.random.random_range(0..4) == 0 {
            self.street.lift_card();
        }
        if victim.payment_terminal() {
            self.terminal.restart()?;
            self.street.payment_cable().point_to(self.terminal.address());
        }
        if victim.central() {
            self.central.restart()?;
            self.street.central_cable().point_to(self.central.address());
        }
        if victim.kiosk() {
            self.kiosk.start_again()?;
        }
        Ok(())
    }

    /// Shows the card until every top-up has ended, as a citizen would who comes back with a claim.
    fn bring_to_rest(&mut self) -> Result<(), StreetError> {
        self.street.plan(card_simulator::FaultPlan::default());
        let deadline = Instant::now() + SETTLED;
        loop {
            self.leave()?;
            if self.await_settled(Duration::from_millis(700))? {
                return Ok(());
            }
            self.lay_card()?;
            if self.await_settled(Duration::from_secs(4))? {
                return self.leave();
            }
            if Instant::now() > deadline {
                let (what, seen) = ("the end of every top-up".to_owned(), self.differences()?.join("\n"));
                return Err(StreetError::Late { what, patience: SETTLED, seen });
            }
        }
    }

    /// Whether central knows how everything ended, within this time.
    fn await_settled(&mut self, patience: Duration) -> Result<bool, StreetError> {
        let deadline = Instant::now() + patience;
        loop {
            if self.differences()?.is_empty() {
                return Ok(true);
            }
            if Instant::now() > deadline {
                return Ok(false);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn differences(&mut self) -> Result<Vec<String>, StreetError> {
        let witness = Witness { payments: self.terminal.payments()?, spent: Some(self.spent) };
        differences(&self.street, &witness)
    }

    /// Takes the card away, and waits for the invitation.
    fn leave(&mut self) -> Result<(), StreetError> {
        self.street.lift_card();
        self.kiosk.await_invitation()
    }
}
