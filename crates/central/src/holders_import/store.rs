//! A chunk of persons against the registry: what is there of them, what differs, and the writing of it. New rows get
//! their numbers here, under the writer's lock, so that the statements need not wait for one another's answers.

use super::fields::{District, Entitled, Person};
use super::header::Fault;
use super::places::{Places, households, next_id};
use super::sql::{padded, places};
use crate::card_desk;
use crate::db::{Connection, Row, Transaction, Value, params};
use crate::error::CentralError;
use crate::uploads::sql;
use domain::{CardNumber, Day, Timestamp};
use std::collections::HashMap;

/// Persons in one transaction: nobody else at central waits longer than for these.
pub(super) const CHUNK: usize = 500;

/// What becomes of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Added,
    Changed,
    Unchanged,
}

/// A holder as the registry has them.
struct Known {
    id: i64,
    name: String,
    born: i32,
    registered: i32,
    price_class: u8,
    taxes_due: i64,
    protected: bool,
    door: String,
    section: i64,
    street: String,
    postal_code: String,
    district: i64,
    district_name: String,
    moved: bool,
    entitlements: Vec<Entitled>,
}

fn known(connection: &Connection, persons: &[Person]) -> Result<HashMap<String, Known>, CentralError> {
    let query = format!(
        "SELECT identity_number, holder.id, holder.name, born, registered, price_class, taxes_due, protected,
                household.door, household.section, street.name, street.postal_code, district.id, district.name,
                CASE WHEN moved_away.holder IS NULL THEN 0 ELSE 1 END
         FROM holder JOIN household ON household.id = holder.household JOIN street ON street.id = household.street
         JOIN district ON district.id = street.district LEFT JOIN moved_away ON moved_away.holder = holder.id
         WHERE identity_number IN ({})",
        places(CHUNK)
    );
    let wanted = persons.iter().map(|person| Value::Text(&person.identity_number)).collect();
    let rows = connection.query(&query, &padded(wanted, CHUNK), |row| Ok((row.get(0)?, known_row(row)?)))?;
    let mut all: HashMap<String, Known> = rows.into_iter().collect();
    if persons.iter().any(|person| person.entitlements.is_some()) && !all.is_empty() {
        read_entitlements(connection, &mut all)?;
    }
    Ok(all)
}

fn known_row(row: &Row<'_>) -> crate::db::Result<Known> {
    Ok(Known {
        id: row.get(1)?,
        name: row.get(2)?,
        born: row.get(3)?,
        registered: row.get(4)?,
        price_class: row.get(5)?,
        taxes_due: row.get(6)?,
        protected: row.get(7)?,
        door: row.get(8)?,
        section: row.get(9)?,
        street: row.get(10)?,
        postal_code: row.get(11)?,
        district: row.get(12)?,
        district_name: row.get(13)?,
        moved: row.get(14)?,
        entitlements: Vec::new(),
    })
}

fn read_entitlements(connection: &Connection, all: &mut HashMap<String, Known>) -> Result<(), CentralError> {
    let query = format!(
        "SELECT holder, service, until, count FROM entitlement WHERE holder IN ({}) ORDER BY holder, service",
        places(CHUNK)
    );
    let wanted = all.values().map(|known| Value::Int(known.id)).collect();
    let mut told: HashMap<i64, Vec<Entitled>> = HashMap::new();
    connection.for_each(&query, &padded(wanted, CHUNK), |row| {
        told.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?, row.get(3)?));
        Ok::<_, CentralError>(())
    })?;
    for known in all.values_mut() {
        known.entitlements = told.remove(&known.id).unwrap_or_default();
    }
    Ok(())
}

impl Known {
    fn lives_as(&self, person: &Person) -> bool {
        let same_district = match &person.district {
            District::Number(number) => *number == self.district,
            District::Name(name) => *name == self.district_name,
        };
        let same_section = person.section.is_none_or(|section| section == self.section);
        let (theirs, ours) = (&person.street, &self.street);
        same_district
            && same_section
            && theirs == ours
            && person.door == self.door
            && person.postal_code == self.postal_code
    }

    fn is_as(&self, person: &Person) -> bool {
        self.name == person.name
            && self.born == person.born
            && person.registered.is_none_or(|day| day == self.registered)
            && person.price_class.is_none_or(|class| class == self.price_class)
            && person.taxes_due.is_none_or(|cents| cents == self.taxes_due)
            && person.protected.is_none_or(|protected| protected == self.protected)
            && person.entitlements.as_ref().is_none_or(|all| *all == self.entitlements)
            && !self.moved
            && self.lives_as(person)
    }
}

/// What a chunk would change, or does.
pub(super) struct Chunk<'a> {
    pub(super) places: &'a mut Places,
    pub(super) now: Timestamp,
}

/// What became of each person of a chunk.
pub(super) type Outcome = Vec<Result<Change, Fault>>;

/// What would be done, without a write.
pub(super) fn look(connection: &Connection, persons: &[Person]) -> Result<Outcome, CentralError> {
    let known = known(connection, persons)?;
    persons.iter().map(|person| outcome(connection, person, known.get(&person.identity_number))).collect()
}

fn outcome(
    connection: &Connection,
    person: &Person,
    known: Option<&Known>,
) -> Result<Result<Change, Fault>, CentralError> {
    let card = match card_of(connection, person, known.map(|known| known.id))? {
        Ok(card) => card,
        Err(code) => return Ok(Err(Fault::new("card", code))),
    };
    Ok(Ok(match known {
        None => Change::Added,
        Some(known) if known.is_as(person) && card.is_none() => Change::Unchanged,
        Some(_) => Change::Changed,
    }))
}

/// How a person comes to their card.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NewCard {
    /// It is registered.
    Given,
    /// It is still to be made.
    Ordered,
}

fn card_of(
    connection: &Connection,
    person: &Person,
    holder: Option<i64>,
) -> Result<Result<Option<NewCard>, &'static str>, CentralError> {
    let Some(number) = person.card else { return Ok(Ok(None)) };
    let number = sql(number);
    let owners = connection.query(
        "SELECT holder FROM card WHERE number = ?1 UNION ALL SELECT holder FROM card_order WHERE number = ?1
         UNION ALL SELECT -1 FROM technician WHERE number = ?1",
        params![number],
        |row| row.get::<i64>(0),
    )?;
    if !owners.is_empty() {
        let is_theirs = owners.iter().all(|owner| Some(*owner) == holder);
        return Ok(if is_theirs { Ok(None) } else { Err("card-taken") });
    }
    if let Some(holder) = holder {
        let query = "SELECT 1 FROM card WHERE holder = ?1 AND state = 'active'
                     UNION ALL SELECT 1 FROM card_order WHERE holder = ?1";
        if connection.query_opt(query, params![holder], |_| Ok(()))?.is_some() {
            return Ok(Err("holder-has-card"));
        }
    }
    let query = "SELECT state, CASE WHEN secret IS NULL THEN 0 ELSE 1 END FROM issued_card WHERE number = ?1
                 ORDER BY generation DESC LIMIT 1";
    let issued =
        connection.query_opt(query, params![number], |row| Ok((row.get::<String>(0)?, row.get::<bool>(1)?)))?;
    Ok(match issued {
        None => Ok(Some(NewCard::Ordered)),
        Some((state, true)) if state == "active" => Ok(Some(NewCard::Given)),
        Some(_) => Err("card-inactive"),
    })
}

impl Chunk<'_> {
    /// Writes a chunk.
    pub(super) fn write(&mut self, transaction: &Transaction<'_>, persons: &[Person]) -> Result<Outcome, CentralError> {
        let known = known(transaction, persons)?;
        let mut outcomes = Vec::with_capacity(persons.len());
        let mut written = Vec::new();
        for person in persons {
            let found = known.get(&person.identity_number);
            let outcome = outcome(transaction, person, found)?;
            if matches!(outcome, Ok(Change::Added | Change::Changed)) {
                let street = if found.is_some_and(|known| known.lives_as(person)) {
                    None
                } else {
                    Some(self.places.street(transaction, person)?)
                };
                written.push((person, found, street));
            }
            outcomes.push(outcome);
        }
        self.write_all(transaction, &written)?;
        Ok(outcomes)
    }

    fn write_all(
        &self,
        transaction: &Transaction<'_>,
        written: &[(&Person, Option<&Known>, Option<i64>)],
    ) -> Result<(), CentralError> {
        let wanted: Vec<_> = written
            .iter()
            .filter_map(|(person, _, street)| street.map(|street| (street, person.door.as_str())))
            .collect();
        let mut homes = if wanted.is_empty() { HashMap::new() } else { households(transaction, &wanted)? };
        let (mut next_home, mut next_holder) = (next_id(transaction, "household")?, next_id(transaction, "holder")?);
        for (person, known, street) in written {
            let home = match street {
                None => None,
                Some(street) => {
                    let section = person.section.or(known.map(|known| known.section)).unwrap_or_default();
                    let home = *homes.entry((*street, person.door.clone(), section)).or_insert(next_home);
                    if home == next_home {
                        let insert = "INSERT INTO household (id, street, door, section) VALUES (?1, ?2, ?3, ?4)";
                        transaction.execute_later(insert, params![home, street, person.door, section])?;
                        next_home += 1;
                    }
                    Some(home)
                }
            };
            let holder = known.map_or(next_holder, |known| known.id);
            match known {
                Some(known) => update(transaction, person, known, home)?,
                None => {
                    self.insert(transaction, person, holder, home.unwrap_or_default())?;
                    next_holder += 1;
                }
            }
            write_entitlements(transaction, person, holder)?;
            self.give_card(transaction, person, holder)?;
        }
        Ok(())
    }

    fn insert(
        &self,
        transaction: &Transaction<'_>,
        person: &Person,
        holder: i64,
        home: i64,
    ) -> Result<(), CentralError> {
        let today: Day = self.now.day();
        transaction.execute_later(
            "INSERT INTO holder (id, household, name, identity_number, born, registered, price_class, taxes_due,
                                 protected) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                holder,
                home,
                person.name,
                person.identity_number,
                person.born,
                person.registered.unwrap_or(today.0),
                person.price_class.unwrap_or_default(),
                person.taxes_due.unwrap_or_default(),
                person.protected.unwrap_or_default(),
            ],
        )?;
        Ok(())
    }

    fn give_card(&self, transaction: &Transaction<'_>, person: &Person, holder: i64) -> Result<(), CentralError> {
        let Ok(Some(new)) = card_of(transaction, person, Some(holder))? else { return Ok(()) };
        let number = CardNumber(person.card.unwrap_or_default());
        match new {
            NewCard::Given => card_desk::give(transaction, number, holder, self.now).map(|_| ()),
            NewCard::Ordered => card_desk::order_for(transaction, number, holder, self.now),
        }
    }
}

fn update(
    transaction: &Transaction<'_>,
    person: &Person,
    known: &Known,
    home: Option<i64>,
) -> Result<(), CentralError> {
    transaction.execute_later(
        "UPDATE holder SET name = ?2, born = ?3, registered = ?4, price_class = ?5, taxes_due = ?6, protected = ?7,
                household = coalesce(?8, household) WHERE id = ?1",
        params![
            known.id,
            person.name,
            person.born,
            person.registered.unwrap_or(known.registered),
            person.price_class.unwrap_or(known.price_class),
            person.taxes_due.unwrap_or(known.taxes_due),
            person.protected.unwrap_or(known.protected),
            home,
        ],
    )?;
    if known.moved {
        transaction.execute_later("DELETE FROM moved_away WHERE holder = ?1", params![known.id])?;
    }
    // What terminals hold of them is made anew: publication sees it by the content number.
    transaction.execute_later("UPDATE card SET pin_content = pin_content + 1 WHERE holder = ?1", params![known.id])?;
    Ok(())
}

fn write_entitlements(transaction: &Transaction<'_>, person: &Person, holder: i64) -> Result<(), CentralError> {
    let Some(entitlements) = &person.entitlements else { return Ok(()) };
    transaction.execute_later("DELETE FROM entitlement WHERE holder = ?1", params![holder])?;
    for (service, until, count) in entitlements {
        let insert = "INSERT INTO entitlement (holder, service, until, count) VALUES (?1, ?2, ?3, ?4)";
        transaction.execute_later(insert, params![holder, service, until, count])?;
    }
    Ok(())
}
