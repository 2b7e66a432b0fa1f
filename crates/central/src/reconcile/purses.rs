//! Purses against books: between two sights of a card its purse may have changed by the credits that the books have
//! and by the debits that the validators told of, and by nothing else. Both counters on the card say which of them
//! had happened when it was seen, so no clock is believed.

use super::{Books, Cause, Difference};
use crate::db::{Connection, params};
use crate::error::CentralError;
use crate::seen::{self, Sight};
use crate::statements::validators::{self, Debit};
use domain::{CardNumber, Cents, Generation, TopUpId};
use std::collections::{BTreeMap, BTreeSet};

/// A credit of the books: its counter on the card, and how much.
type Credits = BTreeMap<(CardNumber, Generation), Vec<Credit>>;

struct Credit {
    top_up: TopUpId,
    counter: Option<u32>,
    amount: Cents,
}

pub(super) fn differences(connection: &Connection, books: &Books) -> Result<Vec<Difference>, CentralError> {
    let credits = credits(books);
    let mut found = Vec::new();
    for (card, generation) in seen::cards(connection)? {
        let sights = seen::sights(connection, card, generation)?;
        let debits = validators::of_card(connection, card, generation)?;
        let empty = begins_empty(connection, card, generation)?;
        let purse = Purse { books, sights, debits, credits: credits.get(&(card, generation)), empty };
        let told = purse.needs_check().into_iter().chain(purse.difference());
        found.extend(told.map(|difference| Difference { card_last_four: Some(card.last_four()), ..difference }));
    }
    Ok(found)
}

fn credits(books: &Books) -> Credits {
    let mut all = Credits::new();
    for view in &books.views {
        let subject = view.top_up.subject();
        for credit in view.credits.iter().filter(|credit| credit.posted) {
            let (top_up, amount) = (subject.top_up, subject.amount);
            let counter = credit.counter;
            all.entry((subject.card, subject.generation)).or_default().push(Credit { top_up, counter, amount });
        }
    }
    all
}

/// A card that a card office made begins with an empty purse.
fn begins_empty(connection: &Connection, card: CardNumber, generation: Generation) -> Result<bool, CentralError> {
    let query = "SELECT 1 FROM issued_card WHERE number = ?1 AND generation = ?2";
    let number = i64::try_from(card.0).unwrap_or(i64::MAX);
    Ok(connection.query_opt(query, params![number, generation.0], |_| Ok(()))?.is_some())
}

struct Purse<'a> {
    books: &'a Books,
    sights: Vec<Sight>,
    debits: Vec<Debit>,
    credits: Option<&'a Vec<Credit>>,
    empty: bool,
}

/// A sight with a purse: what was read, and at which counters.
#[derive(Clone, Copy)]
struct Reading<'a> {
    sight: &'a Sight,
    purse: Cents,
}

impl Purse<'_> {
    /// The newest sight says that the card needs a check.
    fn needs_check(&self) -> Option<Difference> {
        let sight =
            self.sights.iter().max_by_key(|sight| (sight.received, sight.id)).filter(|sight| sight.needs_check)?;
        let reading = Reading { sight, purse: sight.purse.unwrap_or_default() };
        let detail = "its purse is not plausible: it is not topped up until the card office has looked".to_owned();
        Some(self.told(Cause::PurseNeedsCheck, reading.purse, reading, detail))
    }

    fn difference(&self) -> Option<Difference> {
        let mut readings: Vec<Reading<'_>> =
            self.sights.iter().filter_map(|sight| sight.purse.map(|purse| Reading { sight, purse })).collect();
        readings.sort_by_key(|reading| (reading.sight.counter, reading.sight.movement_counter, reading.sight.id));
        let base = if self.empty { None } else { Some(*readings.first()?) };
        let newest = *readings.last()?;
        let too_much = self.compare(base, newest).filter(|(amount, _)| *amount > Cents::ZERO);
        if let Some((amount, detail)) = too_much
            && !self.is_pending(base, newest, amount)
        {
            return Some(self.told(Cause::PurseHigherThanBooks, amount, newest, detail));
        }
        // A debit may come late: a shortfall counts once the city has waited for it.
        let days = self.books.settings.debit_days;
        let settled = readings.iter().rev().find(|reading| self.books.is_past(reading.sight.received, days))?;
        let (amount, detail) = self.compare(base, *settled)?;
        let cause = if amount > Cents::ZERO { Cause::PurseHigherThanBooks } else { Cause::PurseLowerThanBooks };
        (amount != Cents::ZERO && !self.is_pending(base, *settled, amount))
            .then(|| self.told(cause, amount, *settled, detail))
    }

    /// What a reading has above the books, from the base on.
    fn compare(&self, base: Option<Reading<'_>>, reading: Reading<'_>) -> Option<(Cents, String)> {
        let (from, value) = base.map_or((None, Cents::ZERO), |base| (Some(base.sight), base.purse));
        let credited: Cents = self.credits_between(from, reading.sight).map(|credit| credit.amount).sum();
        let debited: Cents = self.debits_between(from, reading.sight).map(|debit| debit.amount).sum();
        let expected = value.checked_add(credited)?.checked_sub(debited)?;
        let difference = reading.purse.checked_sub(expected)?;
        let detail = format!(
            "read {} cents at terminal {}, the books say {} ({} before, {} credited, {} debited)",
            reading.purse.0, reading.sight.terminal.0, expected.0, value.0, credited.0, debited.0
        );
        Some((difference, detail))
    }

    fn credits_between<'s>(&'s self, from: Option<&'s Sight>, to: &'s Sight) -> impl Iterator<Item = &'s Credit> {
        self.credits.into_iter().flatten().filter(move |credit| {
            let counter = credit.counter.or_else(|| self.counter_of(credit.top_up));
            counter.is_some_and(|counter| counter <= to.counter && from.is_none_or(|from| counter > from.counter))
        })
    }

    /// The counter of a credit that only a card's record tells.
    fn counter_of(&self, top_up: TopUpId) -> Option<u32> {
        let records = self.sights.iter().flat_map(|sight| &sight.records);
        records.filter(|record| record.top_up == top_up).map(|record| record.counter).max()
    }

    /// Debits by the card's own counter; where it was not read, by the clocks.
    fn debits_between<'s>(&'s self, from: Option<&'s Sight>, to: &'s Sight) -> impl Iterator<Item = &'s Debit> {
        let is_after = move |debit: &Debit| match from {
            None => true,
            Some(sight) => sight.movement_counter.map_or(debit.at > sight.at, |counter| debit.counter > counter),
        };
        let is_before =
            move |debit: &Debit| to.movement_counter.map_or(debit.at <= to.at, |counter| debit.counter <= counter);
        self.debits.iter().filter(move |debit| is_after(debit) && is_before(debit))
    }

    /// Whether a surplus is within the credits of top-ups whose terminal has not uploaded them yet, and still may. Less
    /// than all of them, since a bus may have taken something that no validator has told of yet.
    fn is_pending(&self, base: Option<Reading<'_>>, reading: Reading<'_>, amount: Cents) -> bool {
        if self.books.is_past(reading.sight.received, self.books.settings.upload_days) {
            return false;
        }
        let booked: BTreeSet<TopUpId> = self.credits.into_iter().flatten().map(|credit| credit.top_up).collect();
        let above = base.map_or(0, |base| base.sight.counter);
        let records = reading.sight.records.iter();
        let is_between = |counter| counter > above && counter <= reading.sight.counter;
        let unbooked = records.filter(|record| is_between(record.counter) && !booked.contains(&record.top_up));
        unbooked.map(|record| record.amount).sum::<Cents>() >= amount
    }

    fn told(&self, cause: Cause, amount: Cents, reading: Reading<'_>, detail: String) -> Difference {
        Difference {
            cause,
            amount,
            since: reading.sight.received,
            top_up: None,
            card_last_four: None,
            terminal: Some(reading.sight.terminal),
            detail,
        }
    }
}
