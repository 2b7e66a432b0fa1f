//! The thread that runs the session: takes what happened, steps, routes the effects, paints.

use crate::attempts::Attempts;
use crate::handle::Screen;
use crate::journal::{self, JournalDesk, Page};
use crate::meter::{Meter, micros};
use crate::paper::{self, PaperDesk};
use crate::printer::{self, PrinterDesk};
use crate::reader::ReaderDesk;
use crate::records::{self, RecordsDesk};
use crate::runner::{Outlets, Runner};
use crate::service::ServiceDesk;
use crate::sound::SoundDesk;
use crate::vault::Vault;
use domain::card::CardReport;
use domain::device::{CreditOrder, Cue, PaymentRequest, PrinterRequest, ReaderEvent, ReaderRequest};
use domain::service::{ServiceEvent, ServiceRequest};
use domain::{FailureCode, Handle, Now};
use ledger::Entry;
use session::wire::Painting;
use session::{Action, Devices, Effect, Event, PaperOrder, Session, View};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use sync::WallClock;
use tokio::sync::watch;

/// The exit code that tells systemd that a technician wants the program started again.
const EXIT_RESTART: i32 = 75;
/// So long nobody has been at the terminal before it starts again by itself.
const QUIET: Duration = Duration::from_secs(10);
/// The shortest wait for the next tick.
const WAIT_MIN_MS: u64 = 5;

/// What reaches the session's thread.
pub(crate) enum Input {
    Event(Event),
    Act(Action),
    Painted(u64),
    Attach(Screen),
    /// The feed brings another city pack: it is shown from the next start on, which is soon.
    NewPack {
        /// It was said before, and somebody was here.
        again: bool,
    },
    /// The program is to be started again, for the sake of this request.
    Restart(ServiceRequest),
    Stop(Sender<()>),
}

/// Where inputs are handed in.
#[derive(Clone)]
pub(crate) struct Inputs(pub(crate) Sender<Input>);

impl Inputs {
    /// When the session has ended there is nobody to tell.
    pub(crate) fn send(&self, input: Input) {
        let _ = self.0.send(input);
    }
}

/// Both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    wall: WallClock,
}

impl Clock {
    pub(crate) fn start(wall: WallClock) -> Self {
        Self { started: Instant::now(), wall }
    }

    pub(crate) fn now(self) -> Now {
        let monotonic_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { wall: self.wall.now(), monotonic_ms }
    }
}

/// The ways to everything.
pub(crate) struct Desks {
    pub(crate) reader: ReaderDesk,
    pub(crate) payment: tokio::sync::mpsc::Sender<PaymentRequest>,
    pub(crate) printer: PrinterDesk,
    pub(crate) journal: JournalDesk,
    pub(crate) records: RecordsDesk,
    pub(crate) paper: PaperDesk,
    pub(crate) service: ServiceDesk,
    pub(crate) sound: SoundDesk,
    pub(crate) vault: Vault,
    pub(crate) inputs: Inputs,
    pub(crate) wake: Arc<sync::Wake>,
    /// What the step under way has for the journal.
    pub(crate) page: Page,
}

impl Desks {
    /// The step has ended: what it had for the journal is written, in one commit.
    fn turn_page(&mut self, meter: &Meter) {
        let page = std::mem::take(&mut self.page);
        journal::write(&self.journal, &self.inputs, &self.wake, meter, page);
    }
}

impl Outlets for Desks {
    fn reader(&mut self, request: ReaderRequest) {
        self.reader.request(request);
    }

    fn credit(&mut self, order: CreditOrder) {
        self.reader.request(ReaderRequest::Credit(order));
    }

    fn payment(&mut self, request: PaymentRequest) {
        if let Err(error) = self.payment.try_send(request) {
            tracing::error!(%error, "the payment terminal's desk takes nothing more");
        }
    }

    fn printer(&mut self, request: PrinterRequest) {
        printer::request(&self.printer, request);
    }

    fn journal(&mut self, entry: Entry) {
        self.page.entries.push(entry);
    }

    fn report(&mut self, report: CardReport) {
        self.page.reports.push(report);
    }

    fn records(&mut self, effect: Effect) {
        records::open(&self.records, &effect);
    }

    fn paper(&mut self, order: PaperOrder) {
        paper::order(&self.paper, order);
    }

    fn service(&mut self, request: ServiceRequest) {
        self.service.request(request);
    }

    fn sound(&mut self, cue: Cue) {
        self.sound.play(cue);
    }

    fn wipe(&mut self, keep: Option<Handle>) {
        self.vault.wipe(keep);
    }

    fn forget(&mut self, handle: Handle) {
        self.vault.forget(handle);
    }

    fn clear_pin(&mut self) {
        drop(self.vault.take_pin());
    }
}

/// The session's thread.
pub(crate) struct Machine {
    pub(crate) session: Session,
    pub(crate) runner: Runner,
    pub(crate) attempts: Attempts,
    pub(crate) desks: Desks,
    pub(crate) clock: Clock,
    pub(crate) screen: Option<Screen>,
    pub(crate) shown: Option<View>,
    pub(crate) painted: Paints,
    pub(crate) meter: Meter,
    /// Where it can be watched how the devices are.
    pub(crate) devices: watch::Sender<Devices>,
    /// Since when the invitation stands.
    pub(crate) quiet_since: Option<Instant>,
    /// Another city pack waits for a start.
    pub(crate) pack_waits: bool,
}

/// What was sent to the screen, and when.
#[derive(Debug, Default)]
pub(crate) struct Paints {
    seq: u64,
    sent: Option<(u64, Instant)>,
    /// When a card was laid down whose home screen is not painted yet.
    card: Option<Instant>,
    /// Its record was looked for.
    opened: bool,
}

impl Machine {
    /// Runs until told to stop.
    pub(crate) fn run(mut self, inputs: &Receiver<Input>) {
        loop {
            let input = match self.runner.wake_at_ms() {
                Some(at) => {
                    // A moment that is past must not make the thread spin.
                    let wait = at.saturating_sub(self.clock.now().monotonic_ms).max(WAIT_MIN_MS);
                    inputs.recv_timeout(Duration::from_millis(wait))
                }
                None => inputs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match input {
                Ok(Input::Stop(done)) => {
                    self.desks.vault.wipe(None);
                    let _ = done.send(());
                    return;
                }
                Ok(input) => self.take(input),
                Err(RecvTimeoutError::Timeout) => self.step(Event::Tick),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Event(event) => self.step(event),
            Input::Act(action) => self.act(action),
            Input::Painted(seq) => self.on_glass(seq),
            Input::Attach(screen) => {
                self.screen = Some(screen);
                self.shown = None;
                self.paint();
            }
            Input::NewPack { again } => self.show_new_pack(again),
            Input::Restart(request) => self.restart(request),
            Input::Stop(_) => {}
        }
    }

    /// Ends the program so that systemd starts it again, unless somebody has come to the terminal meanwhile or money
    /// moves: then the technician has to ask again.
    fn restart(&mut self, request: ServiceRequest) {
        if self.session.may_restart() {
            tracing::info!("starting again, as a technician asked");
            self.desks.vault.wipe(None);
            std::process::exit(EXIT_RESTART);
        }
        tracing::warn!("not started again: the terminal is in use");
        self.step(Event::Service(ServiceEvent::Failed(request, FailureCode::ServiceUnanswered)));
    }

    /// New tariffs, limits and words count from a start: it comes once nobody has been here for a while, and is put off
    /// while somebody is.
    fn show_new_pack(&mut self, again: bool) {
        if std::mem::replace(&mut self.pack_waits, true) && !again {
            return;
        }
        let quiet = self.quiet_since.is_some_and(|since| since.elapsed() >= QUIET);
        if quiet && self.session.may_restart() {
            tracing::info!("starting again with the new city pack");
            std::process::exit(EXIT_RESTART);
        }
        let inputs = self.desks.inputs.clone();
        let again = move || {
            std::thread::sleep(QUIET);
            inputs.send(Input::NewPack { again: true });
        };
        if let Err(error) = std::thread::Builder::new().name("new pack".into()).spawn(again) {
            tracing::error!(%error, "the new city pack waits for the next start");
        }
    }

    /// The digits of a PIN turn off here: they go to the vault, and the session learns how many there are.
    fn act(&mut self, action: Action) {
        match action {
            Action::PinDigit { .. } | Action::PinErase if !self.session.takes_digits() => {}
            Action::PinDigit { digit } => {
                let digits = self.desks.vault.pin_digit(digit);
                self.step(Event::PinEntered(digits));
            }
            Action::PinErase => {
                let digits = self.desks.vault.pin_erase();
                self.step(Event::PinEntered(digits));
            }
            action => self.step(Event::Act(action)),
        }
    }

    fn step(&mut self, event: Event) {
        if let Event::Reader(ReaderEvent::CardArrived(_)) = event {
            self.painted.card = Some(Instant::now());
            self.painted.opened = false;
        }
        if let Event::Reader(event) = &event {
            self.attempts.saw(event);
        }
        let opened = matches!(event, Event::Tap(..));
        if let Event::Durable(seq) = event {
            self.runner.durable(seq);
        }
        let mut entropy = [0; 32];
        if let Err(error) = getrandom::fill(&mut entropy) {
            // Without randomness no identifier is safe: better to start afresh than to go on.
            tracing::error!(%error, "no randomness");
            std::process::exit(70);
        }
        let meter = self.meter.clone();
        meter.count(|| {
            for effect in self.session.step(event, self.clock.now(), entropy) {
                self.runner.run(effect, &mut self.desks);
            }
            self.desks.turn_page(&meter);
            self.paint();
        });
        let devices = self.session.devices();
        self.devices.send_if_modified(|told| std::mem::replace(told, devices) != devices);
        if opened {
            self.painted.opened = true;
            self.tap_ended();
        }
    }

    fn paint(&mut self) {
        let Some(screen) = &self.screen else { return };
        let view = self.session.view();
        if self.shown.as_ref() == Some(&view) {
            return;
        }
        let invites = view.screen.kind() == "attract";
        self.quiet_since = self.quiet_since.filter(|_| invites).or_else(|| invites.then(Instant::now));
        self.painted.seq += 1;
        self.painted.sent = Some((self.painted.seq, Instant::now()));
        screen(Painting { seq: self.painted.seq, view: view.clone() });
        self.shown = Some(view);
    }

    fn on_glass(&mut self, seq: u64) {
        let Some((sent, at)) = self.painted.sent.filter(|(sent, _)| *sent <= seq) else { return };
        self.painted.sent = None;
        let screen = self.shown.as_ref().map_or("", |view| view.screen.kind());
        let (paint_us, own_us) = (micros(at.elapsed()), self.meter.own_us());
        tracing::debug!(target: "kiosk::paint", seq = sent, screen, paint_us, own_us, "painted");
        self.tap_ended();
    }

    /// A tap has ended when the home screen is on the glass and so is what the opened record adds to it.
    fn tap_ended(&mut self) {
        let at_home = self.shown.as_ref().is_some_and(|view| view.screen.kind() == "home");
        if !at_home || !self.painted.opened || self.painted.sent.is_some() {
            return;
        }
        if let Some(card) = self.painted.card.take() {
            let (card_us, own_us) = (micros(card.elapsed()), self.meter.own_us());
            tracing::debug!(target: "kiosk::paint", card_us, own_us, "tap");
        }
    }
}
