//! `personalise`: cards out of blank chips, one or a list of them.
//!
//! For each card, in this order, each step on the disk or on the card before the next: the chip is looked at; the log
//! says *begun* on this chip; the card is made and read back; its registration is sealed on the disk; the log says
//! *written*; central receipts it; the log says *registered*. Until *written* only the same chip goes on; from then on
//! no other is made at all. So one person cannot get two cards that could both become active.

mod judge;

use crate::central::CentralLine;
use crate::cli::{DeskArguments, Personalise, TechnologyName};
use crate::desk::Desk;
use crate::error::OfficeError;
use crate::files::MayMake;
use crate::key_file::OfficeKeys;
use crate::log::{Log, Mark, Stage};
use crate::order::{self, Order};
use crate::register::{Sender, Standings, tell};
use crate::registrations::Registrations;
use crate::run::city_and_keys;
use crate::view;
use card::CardSecret;
use card::personalise::{BlankKeys, CardOrder, PersonaliseError, Personalised, Step, Workpiece};
use domain::CardNumber;
use domain::card::{Technology, Wishes};
use domain::city_pack::CityPack;
use judge::{Next, is_lifting, is_of_no_use, is_wrong_chip, next, was_lifted};
use keys::SoftIssuer;
use protocol::CardRegistration;
use protocol::cards::WireTechnology;
use zeroize::Zeroizing;

/// How often one card may be lifted before the list is left.
const LIFTED_MAX: u32 = 10;
/// How many wrong chips may be laid down for one row of a list before it is left.
const WRONG_MAX: u32 = 10;

/// Makes the cards that were asked for.
///
/// # Errors
/// `OfficeError`; the same command goes on. A card that could only not be registered does not stop the list; the
/// error comes at the end.
pub fn run(office: &DeskArguments, arguments: &Personalise, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let orders = order::read(arguments)?;
    let (city, keys) = city_and_keys(office, "personalise")?;
    let sender = match (&arguments.central.central, &arguments.central.token) {
        (Some(base), Some(token)) => Some(Sender::new(CentralLine::new(base, token, &city.id)?)),
        _ => None,
    };
    let mut workshop = Workshop::open(city, &keys, arguments, sender)?;
    for number in &arguments.abandon {
        workshop.abandon(CardNumber(*number), desk)?;
    }
    desk.tray.reader()?;
    let mut tally = Tally::default();
    if let Err(error) = workshop.all(&orders, &mut tally, desk) {
        if workshop.list {
            desk.say(&tally.left(orders.len()))?;
        }
        workshop.tell_kept(desk);
        return Err(error);
    }
    desk.say(&tally.line())?;
    workshop.end(tally.refused, desk)
}

#[derive(Default)]
struct Tally {
    made: usize,
    before: usize,
    /// The last row that central refused in an earlier run.
    refused: Option<OfficeError>,
    refusals: usize,
}

impl Tally {
    fn line(&self) -> String {
        let refused = match self.refusals {
            0 => String::new(),
            rows => format!(", {rows} were refused by central before"),
        };
        format!("{} made, {} were finished before{refused}", self.made, self.before)
    }

    /// Of a list that was left.
    fn left(&self, of: usize) -> String {
        let before = if self.before == 0 { String::new() } else { format!(", {} were finished before", self.before) };
        format!("{} of {of} made{before}; run the same command again", self.made)
    }

    /// A row that central refused in an earlier run. Each is told once, the last one at the end.
    fn refused(&mut self, error: OfficeError, desk: &mut Desk<'_>) {
        self.refusals += 1;
        if let Some(before) = self.refused.replace(error) {
            tell(&before, desk);
        }
    }
}

struct Workshop {
    city: CityPack,
    issuer: SoftIssuer,
    blank: BlankKeys,
    log: Log,
    kept: Registrations,
    /// `None` without central, and once it could not be reached.
    sender: Option<Sender>,
    random_uid: bool,
    /// The chip that this run began, as long as no step that writes was taken on it.
    untouched: Option<Mark>,
    /// A list, whose wrong chips are waited out.
    list: bool,
    /// Why the last registration was not receipted.
    unregistered: Option<OfficeError>,
}

impl Workshop {
    fn open(
        city: CityPack,
        keys: &OfficeKeys,
        arguments: &Personalise,
        sender: Option<Sender>,
    ) -> Result<Self, OfficeError> {
        Ok(Self {
            city,
            issuer: keys.issuer()?,
            blank: keys.blank(),
            log: Log::open(&arguments.log, keys.office("log")?, MayMake::Yes)?,
            kept: Registrations::open(&arguments.registrations, &*keys.office("registrations")?, MayMake::Yes)?,
            sender,
            random_uid: arguments.random_uid,
            untouched: None,
            list: arguments.batch.is_some(),
            unregistered: None,
        })
    }

    /// A chip that was begun and will not come back. One whose registration may be with central stays what it is.
    fn abandon(&mut self, number: CardNumber, desk: &Desk<'_>) -> Result<(), OfficeError> {
        match self.log.standing(number).cloned() {
            Some(standing) if standing.stage == Stage::Begun => {
                let at = desk.moment();
                self.log.note(Stage::Abandoned, number, standing.generation, &standing.chip, at)
            }
            Some(standing) if standing.stage == Stage::Abandoned => Ok(()),
            _ => Err(OfficeError::NothingToAbandon { last_four: number.last_four() }),
        }
    }

    /// All rows, then what is left to register.
    fn all(&mut self, orders: &[Order], tally: &mut Tally, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
        for (done, order) in orders.iter().enumerate() {
            self.one(order, orders.len(), done + 1 == orders.len(), tally, desk)?;
        }
        self.register(desk)
    }

    fn one(
        &mut self,
        order: &Order,
        of: usize,
        last: bool,
        tally: &mut Tally,
        desk: &mut Desk<'_>,
    ) -> Result<(), OfficeError> {
        let next = match next(&self.log, order) {
            Err(error @ OfficeError::RefusedBefore { .. }) => {
                tally.refused(error, desk);
                return Ok(());
            }
            next => next?,
        };
        if next == Next::Nothing {
            tally.before += 1;
            return Ok(());
        }
        let name = format!("row {} of {of}, card …{}", order.row, order.number.last_four());
        let made = self.make(order, &next, &name, desk)?;
        tally.made += 1;
        self.register(desk)?;
        let active = if self.log.registered(order.number) == Some(order.generation) {
            "active"
        } else if self.log.is_refused(order.number, order.generation) {
            "never active, since central refuses it: lay it aside"
        } else {
            "not active until it is registered"
        };
        desk.say(&format!("{name}: {}, {active}", view::technology(made).words()))?;
        if !last {
            desk.tell("take it away");
            desk.tray.removed(desk.wait)?;
        }
        Ok(())
    }

    /// Makes one card. In a list, a wrong chip is told and the right one waited for.
    fn make(&mut self, order: &Order, next: &Next, name: &str, desk: &mut Desk<'_>) -> Result<Technology, OfficeError> {
        let wanted = if matches!(next, Next::ThisChip(_)) { "the chip that was begun" } else { "a blank card" };
        desk.tell(&format!("{name}: lay {wanted} down"));
        for _ in 1..WRONG_MAX {
            let wrong = match self.make_of_this(order, name, desk) {
                Err(error) if self.list && is_wrong_chip(&error) => error,
                done => return done,
            };
            desk.tell(&format!("{name}: {}: {wrong}; take it away, and lay {wanted} down", wrong.code()));
            // What stopped the list is the wrong chip, not that nobody came with another one.
            if desk.tray.removed(desk.wait).is_err() {
                desk.tell("it still lies there");
                return Err(wrong);
            }
            match desk.card() {
                Err(OfficeError::NoCard) => return Err(wrong),
                there => drop(there?),
            }
        }
        self.make_of_this(order, name, desk)
    }

    /// Makes one card, lifted however often, until it is written.
    fn make_of_this(&mut self, order: &Order, name: &str, desk: &mut Desk<'_>) -> Result<Technology, OfficeError> {
        for _ in 1..LIFTED_MAX {
            match self.attempt(order, desk) {
                Err(error) if was_lifted(&error) => {
                    desk.tell(&format!("{name}: {error}; lay the same card down again"));
                    desk.tray.settle();
                }
                done => return done,
            }
        }
        self.attempt(order, desk)
    }

    fn attempt(&mut self, order: &Order, desk: &mut Desk<'_>) -> Result<Technology, OfficeError> {
        let line = desk.card()?;
        let piece = Workpiece::look(line, &self.city.card, &mut self.issuer)?;
        let chip = self.log.chip(piece.uid());
        self.admit(order, &chip, view::technology(piece.technology()), desk)?;
        if piece.technology() == Technology::Classic && order.wishes != Wishes::default() {
            desk.tell("a MIFARE Classic card keeps no wishes: they are left out");
        }
        let wanted = self.wanted(order, piece.technology(), desk)?;
        let mut touched = false;
        let mut told = |step: Step| {
            touched |= step != Step::ReadBack;
            desk.hint(&format!(" {} …", step.name()));
        };
        let made = piece.finish(&wanted, &mut self.issuer, &self.blank, &mut told);
        desk.tell("");
        if touched {
            self.untouched = None;
        }
        let untouched = self.untouched.as_ref() == Some(&chip);
        if made.as_ref().is_err_and(|error| is_of_no_use(error) || (untouched && !is_lifting(error))) {
            // Never registered, so it can never become active: the person may get another chip at once.
            self.log.note(Stage::Abandoned, order.number, order.generation, &chip, desk.moment())?;
        }
        self.written(order, &chip, made?, desk)
    }

    /// Whether this chip may become this person's card; from then on it is noted as theirs.
    fn admit(
        &mut self,
        order: &Order,
        chip: &Mark,
        technology: TechnologyName,
        desk: &Desk<'_>,
    ) -> Result<(), OfficeError> {
        let row = order.row;
        if self.log.is_anothers(chip, order.number) {
            return Err(OfficeError::ChipInUse { row });
        }
        if order.technology.is_some_and(|wanted| !wanted.fits(technology)) {
            return Err(OfficeError::OtherTechnology { row });
        }
        match next(&self.log, order)? {
            Next::ThisChip(begun) if begun != *chip => {
                Err(OfficeError::OtherChip { row, last_four: order.number.last_four() })
            }
            Next::ThisChip(_) | Next::Nothing => Ok(()),
            Next::AnyChip => {
                self.log.note(Stage::Begun, order.number, order.generation, chip, desk.moment())?;
                self.untouched = Some(chip.clone());
                Ok(())
            }
        }
    }

    /// The order for the card, with a fresh secret.
    fn wanted(&self, order: &Order, technology: Technology, desk: &Desk<'_>) -> Result<CardOrder, OfficeError> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut()).map_err(|_| PersonaliseError::Key(keys::KeyError::NoEntropy))?;
        Ok(CardOrder {
            number: order.number,
            generation: order.generation,
            secret: CardSecret::new(*secret),
            purse_max: self.city.purse_on(technology).max,
            wishes: order.wishes,
            random_uid: self.random_uid,
            today: (desk.now)().day(),
        })
    }

    /// The card is finished: its registration is kept, then noted.
    fn written(
        &mut self,
        order: &Order,
        chip: &Mark,
        made: Personalised,
        desk: &Desk<'_>,
    ) -> Result<Technology, OfficeError> {
        let Personalised { uid, technology, secret, read_key_version, .. } = made;
        self.kept.keep(CardRegistration {
            number: order.number,
            generation: order.generation,
            uid,
            technology: wire(technology),
            secret: secret.map(|secret| protocol::CardSecret::new(*secret.expose())),
            read_key_version,
        })?;
        self.log.note(Stage::Written, order.number, order.generation, chip, desk.moment())?;
        Ok(technology)
    }

    /// Sends what is kept. Without central the list goes on: the registrations are safe.
    fn register(&mut self, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
        let Some(sender) = &mut self.sender else { return Ok(()) };
        match sender.send(&mut self.log, &mut self.kept, desk) {
            Ok(_) => Ok(()),
            Err(error @ OfficeError::Central(_)) => {
                desk.tell(&format!("{}: {error}; the list goes on without it", error.code()));
                (self.unregistered, self.sender) = (Some(error), None);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// How many cards wait for `register`.
    fn tell_kept(&self, desk: &mut Desk<'_>) {
        let waiting = Standings::count(&self.log, &self.kept).waiting;
        if waiting > 0 {
            desk.tell(&format!("{waiting} registrations are kept; hand them over with citizen-card register"));
        }
    }

    /// Says what is left. The last of the errors ends the program; the others are told.
    fn end(self, refused_before: Option<OfficeError>, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
        self.tell_kept(desk);
        // Other cards than the ones that were asked for: told, and an error where they are to be handed over.
        if let Some(stuck) = Standings::count(&self.log, &self.kept).stuck() {
            tell(&stuck, desk);
        }
        let refusal = self.sender.and_then(|sender| sender.refusal);
        let mut errors = [refused_before, refusal, self.unregistered].into_iter().flatten().peekable();
        while let Some(error) = errors.next() {
            if errors.peek().is_none() {
                return Err(error);
            }
            tell(&error, desk);
        }
        Ok(())
    }
}

fn wire(technology: Technology) -> WireTechnology {
    match technology {
        Technology::DesfireEv1 => WireTechnology::DesfireEv1,
        Technology::DesfireEv2 => WireTechnology::DesfireEv2,
        Technology::Classic => WireTechnology::Classic,
    }
}
