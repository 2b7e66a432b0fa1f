//! Central as its terminals meet it: an invented city in a temporary folder, seeded, published, served on a free port.

#[cfg(test)]
mod card_keys;
#[cfg(test)]
mod cards;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod http;
#[cfg(test)]
mod import;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod money;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
mod seeding;
#[cfg(test)]
mod settle;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod uploads;
