//! What must be true when a history is over. Written without the ledger's logic: what a journal says is read as a set
//! of words, money is counted as plain cents at the bank, on the cards and in the books, and the three are compared.

use crate::world::city::FLOAT;
use crate::world::street::Street;
use domain::TopUpId;
use ledger::{Account, Entry, Fact, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// What the journals say of one top-up: the words, and the cents booked with them.
#[derive(Debug, Clone, Default)]
pub struct Told {
    words: BTreeSet<Kind>,
    amount: i64,
    day: i32,
    booked: BTreeMap<Account, i64>,
}

/// How a top-up ended, in the words of its journals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Paid and credited.
    Completed,
    /// Neither.
    Voided,
    /// Credited, not paid, and the city knows.
    Lost,
    /// Open by name: the citizen has a claim, or the city decides.
    Named,
    /// Nothing of it.
    Nameless,
}

impl Told {
    /// Takes an entry of the journal.
    pub fn hear(&mut self, entry: &Entry) {
        self.words.insert(entry.fact.kind());
        self.amount = entry.subject.amount.0;
        if let Fact::Intent { day, .. } = &entry.fact {
            self.day = day.0;
        }
        for posting in &entry.postings {
            *self.booked.entry(posting.account).or_default() += posting.amount.0;
        }
    }

    fn says(&self, kind: Kind) -> bool {
        self.words.contains(&kind)
    }

    fn is_credited(&self) -> bool {
        self.says(Kind::Credited) || self.says(Kind::CreditedElsewhere) || self.says(Kind::OrderCredited)
    }

    /// How it ended.
    #[must_use]
    pub fn end(&self) -> End {
        let credited = self.is_credited();
        if self.says(Kind::Declined) || self.says(Kind::NeverMade) {
            return End::Voided;
        }
        if self.says(Kind::LossCreditedButReversed) || self.says(Kind::LossCaptureExpired) {
            return End::Lost;
        }
        match (self.says(Kind::Posted), self.says(Kind::Voided), credited) {
            // Taken up on the city's order, and not begun here.
            _ if self.says(Kind::Ordered) && !self.says(Kind::Intent) => {
                if credited || self.says(Kind::OrderLapsed) {
                    End::Completed
                } else {
                    End::Nameless
                }
            }
            (_, true, false) if !self.says(Kind::InDoubt) || self.says(Kind::NotCredited) => End::Voided,
            (true, false, true) => End::Completed,
            _ if self.says(Kind::Claimed) || self.says(Kind::LeftToCentral) => End::Named,
            _ => End::Nameless,
        }
    }

    /// Whether nothing more can come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !matches!(self.end(), End::Named | End::Nameless)
    }

    fn in_words(&self) -> String {
        self.words.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
    }

    fn booked(&self, account: Account) -> i64 {
        self.booked.get(&account).copied().unwrap_or(0)
    }
}

/// Looks at everything, and says what is not as it must be.
pub fn check(street: &mut Street<'_>) {
    if !street.broken.is_empty() {
        return;
    }
    let beyond = street.plan.is_beyond_contract();
    let told = read_journals(street, beyond);
    let ids: BTreeSet<TopUpId> = street.begun.keys().copied().chain(told.keys().copied()).collect();
    let mut found = Vec::new();
    for id in ids {
        let told = told.get(&id).cloned().unwrap_or_default();
        found.extend(judge(street, id, &told, beyond));
        count(street, &told);
        street.tell(|| format!("{} ended {:?}: {}", short(id), told.end(), told.in_words()));
    }
    if !beyond {
        found.extend(check_float(street, &told));
        found.extend(street.central.differences.iter().filter_map(|difference| unexplained(difference, &told)));
    }
    found.extend(check_cards(street));
    for what in found {
        street.breaks(what);
    }
}

/// What central finds may only be what an open claim or a loss names already.
fn unexplained(difference: &crate::world::central::Difference, told: &BTreeMap<TopUpId, Told>) -> Option<String> {
    use crate::world::central::Difference as D;
    let open = told.values().any(|told| matches!(told.end(), End::Named));
    match difference {
        D::Unbooked(..) | D::Purse(_) if open => None,
        D::Unbooked(till, receipt) => {
            Some(format!("the acquirer charged receipt {receipt} of {till}, and nobody booked it"))
        }
        // Central decides, and the claim says so.
        D::Unpaid(id) if told.get(id).is_some_and(|told| told.end() == End::Named) => None,
        D::Unpaid(id) => Some(format!("{id} is booked as kept, and the acquirer knows nothing of it")),
        D::Purse(card) => Some(format!("the purse of {card:?} is not what the books make it")),
        D::Forked(terminal, generation) => Some(format!("journal {generation} of {terminal:?} went back")),
        D::Gap(terminal, generation) => Some(format!("entries of journal {generation} of {terminal:?} are missing")),
        D::Contradicted(id) => Some(format!("central heard the same of {id} twice, in other words or under two keys")),
        // Open is what a claim is.
        D::Aside(_) | D::Unended(_) => None,
    }
}

fn count(street: &mut Street<'_>, told: &Told) {
    street.tally.top_ups += 1;
    match told.end() {
        End::Completed => street.tally.completed += 1,
        End::Voided => street.tally.voided += 1,
        End::Lost => street.tally.lost += 1,
        End::Named => street.tally.claimed += 1,
        End::Nameless => street.tally.endless += 1,
    }
}

/// What all journals say, each compared with what central has of it.
fn read_journals(street: &mut Street<'_>, beyond: bool) -> BTreeMap<TopUpId, Told> {
    let mut told: BTreeMap<TopUpId, Told> = BTreeMap::new();
    let mut found = Vec::new();
    for kiosk in street.kiosks.iter().filter(|kiosk| kiosk.begun) {
        let Some(process) = &kiosk.process else {
            if beyond && street.central.is_aside(kiosk.id) {
                continue;
            }
            found.push(format!("terminal {:?} does not run", kiosk.id));
            continue;
        };
        let entries = process.journal.entries().unwrap_or_default();
        let known = street.central.chain(kiosk.id, process.journal.generation());
        let same = known.map_or(entries.is_empty(), |chain| chain.values().eq(&entries));
        if !beyond && !same {
            let known = known.map_or(0, std::collections::BTreeMap::len);
            found.push(format!("{:?} has {} entries, central has {known} of them or others", kiosk.id, entries.len()));
        }
        entries.iter().for_each(|entry| told.entry(entry.subject.top_up).or_default().hear(entry));
        street.tally.commits += process.journal.commits();
    }
    if beyond {
        // What a journal lost, central may have.
        for entry in street.central.entries() {
            let told = told.entry(entry.subject.top_up).or_default();
            if !told.says(entry.fact.kind()) {
                told.hear(entry);
            }
        }
    }
    found.into_iter().for_each(|what| street.breaks(what));
    told
}

/// One top-up: what is true of it, against what is said of it.
fn judge(street: &Street<'_>, id: TopUpId, told: &Told, beyond: bool) -> Option<String> {
    let charged = street.bank.times_charged(id);
    let credited: usize = street.cards.iter().map(|card| card.times_credited(id)).sum();
    if charged > 1 {
        return Some(format!("charged {charged} times for {id}"));
    }
    if credited > 1 {
        return Some(format!("credited {credited} times for {id}"));
    }
    let end = told.end();
    let truth = (charged == 1, credited == 1);
    if told.words.is_empty() {
        // Begun, and lost with a journal before anything happened.
        return (truth != (false, false) && !beyond)
            .then(|| format!("{id} is in no journal, and truth is {}", say(truth)));
    }
    if beyond {
        return noticed(street, id, end, truth);
    }
    let fits = match end {
        End::Completed => truth == (true, true),
        End::Voided => truth == (false, false),
        End::Lost => truth == (false, true),
        End::Named => true,
        End::Nameless => false,
    };
    if !fits {
        return Some(format!("{id} ended {end:?} ({:?}), and truth is {}", told.words, say(truth)));
    }
    check_books(id, told, end)
}

/// Beyond the contract nothing may be lost in silence: whatever is not as booked has been noticed at central.
fn noticed(street: &Street<'_>, id: TopUpId, end: End, truth: (bool, bool)) -> Option<String> {
    let as_said = match end {
        End::Completed => truth == (true, true),
        End::Voided => truth == (false, false),
        End::Lost => truth == (false, true),
        End::Named => true,
        End::Nameless => false,
    };
    let silent = !as_said && street.central.differences.is_empty();
    silent.then(|| format!("{id} ended {end:?}, truth is {}, and nobody has noticed", say(truth)))
}

fn short(id: TopUpId) -> String {
    id.to_string().chars().take(6).collect()
}

fn say((charged, credited): (bool, bool)) -> &'static str {
    match (charged, credited) {
        (true, true) => "charged and credited",
        (true, false) => "charged and not credited",
        (false, true) => "credited and not charged",
        (false, false) => "neither charged nor credited",
    }
}

/// The double entry of one top-up, against how it ended.
fn check_books(id: TopUpId, told: &Told, end: End) -> Option<String> {
    let amount = told.amount;
    let expected = match end {
        End::Completed => [(Account::Acquirer, amount), (Account::Purses, -amount), (Account::Loss, 0)],
        End::Voided => [(Account::Acquirer, 0), (Account::Purses, 0), (Account::Loss, 0)],
        End::Lost => [(Account::Acquirer, 0), (Account::Purses, -amount), (Account::Loss, amount)],
        End::Named | End::Nameless => return None,
    };
    let wrong = expected.into_iter().find(|(account, cents)| told.booked(*account) != *cents);
    let open = [Account::Transit, Account::Claims].into_iter().find(|account| told.booked(*account) != 0);
    let sum: i64 = told.booked.values().sum();
    match (wrong, open) {
        (Some((account, cents)), _) => Some(format!(
            "{id} ended {end:?} with {} in {} where {cents} belongs",
            told.booked(account),
            account.name()
        )),
        (None, Some(account)) => Some(format!("{id} ended {end:?} with something left in {}", account.name())),
        (None, None) => (sum != 0).then(|| format!("the entries of {id} do not sum to zero")),
    }
}

/// No terminal credits more in a day than the city gave it, and so the city cannot lose more.
fn check_float(street: &Street<'_>, told: &BTreeMap<TopUpId, Told>) -> Option<String> {
    let mut used: BTreeMap<(u32, i32), i64> = BTreeMap::new();
    for card in &street.cards {
        for (id, amount) in &card.credits {
            let by = street.kiosks.iter().find(|kiosk| street.central.began(kiosk.id, *id));
            let (Some(by), Some(told)) = (by, told.get(id)) else { continue };
            *used.entry((by.id.0, told.day)).or_default() += amount.0;
        }
    }
    let over = used.into_iter().find(|(_, cents)| *cents > FLOAT);
    over.map(|((terminal, day), cents)| {
        format!("terminal {terminal} credited {cents} cents on day {day}, and its float is {FLOAT}")
    })
}

/// The purse holds what was credited less what was debited.
fn check_cards(street: &Street<'_>) -> Option<String> {
    street.cards.iter().find_map(|card| {
        let credited: i64 = card.credits.iter().map(|(_, amount)| amount.0).sum();
        let expected = card.began_with.0 + credited - card.debited.0;
        (expected != card.purse.0).then(|| format!("{:?} holds {} instead of {expected}", card.number, card.purse.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &[Kind]) -> Told {
        Told { words: words.iter().copied().collect(), ..Told::default() }
    }

    #[test]
    fn how_a_top_up_ended_follows_from_its_words() {
        use Kind::{
            Authorised, Claimed, CreditStarted, Credited, CreditedElsewhere, Declined, InDoubt, Intent, LeftToCentral,
            LossCreditedButReversed, NeverMade, NotCredited, OrderCredited, Ordered, Posted, Voided,
        };
        let check = |words: &[Kind], end| assert_eq!(told(words).end(), end, "{words:?}");
        check(&[], End::Nameless);
        check(&[Intent], End::Nameless);
        check(&[Intent, Declined], End::Voided);
        check(&[Intent, NeverMade], End::Voided);
        check(&[Intent, Authorised, CreditStarted, Credited], End::Nameless);
        check(&[Intent, Authorised, CreditStarted, Credited, Posted], End::Completed);
        check(&[Intent, Authorised, NotCredited, Voided], End::Voided);
        check(&[Intent, Authorised, CreditStarted, InDoubt, Voided], End::Nameless);
        check(&[Intent, Authorised, CreditStarted, Credited, Voided], End::Nameless);
        check(&[Intent, Authorised, CreditStarted, Credited, Voided, LossCreditedButReversed], End::Lost);
        check(&[Intent, Authorised, Posted, Claimed], End::Named);
        check(&[Intent, LeftToCentral, Claimed], End::Named);
        check(&[Intent, Authorised, Posted, Claimed, CreditedElsewhere], End::Completed);
        check(&[Ordered], End::Nameless);
        check(&[Ordered, OrderCredited], End::Completed);
    }

    #[test]
    fn books_that_do_not_fit_the_end_are_noticed() {
        let id = TopUpId([1; 16]);
        let books = |booked: &[(Account, i64)]| Told {
            amount: 500,
            booked: booked.iter().copied().collect(),
            ..Told::default()
        };
        let right = books(&[(Account::Acquirer, 500), (Account::Purses, -500)]);
        assert_eq!(check_books(id, &right, End::Completed), None);
        assert!(check_books(id, &right, End::Voided).is_some());
        assert!(check_books(id, &right, End::Lost).is_some());
        let open = books(&[(Account::Acquirer, 500), (Account::Purses, -500), (Account::Transit, 1)]);
        assert!(check_books(id, &open, End::Completed).is_some_and(|what| what.contains("transit")));
        assert_eq!(check_books(id, &books(&[]), End::Voided), None);
    }
}
