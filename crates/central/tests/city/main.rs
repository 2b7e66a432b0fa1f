//! Central as its terminals meet it: an invented city in a temporary folder, seeded, published, served on a free port.
//! The same tests run on SQLite here, and on PostgreSQL as `city_on_postgres`.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod backend;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bookings;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod card_desk;
#[cfg(test)]
mod card_keys;
#[cfg(test)]
mod cards;
#[cfg(test)]
mod carry;
#[cfg(test)]
mod ceremony;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod crowds;
#[cfg(test)]
mod decoys;
#[cfg(test)]
mod differences;
#[cfg(test)]
mod enrolment;
#[cfg(test)]
mod envelopes;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod explained;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod follower;
#[cfg(test)]
mod founding;
#[cfg(test)]
mod holders;
#[cfg(test)]
mod holders_again;
#[cfg(test)]
mod http;
#[cfg(test)]
mod import;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod kept_uploads;
#[cfg(test)]
mod learned;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod money;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod parcels;
#[cfg(test)]
mod pins;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod seeding;
#[cfg(test)]
mod server;
#[cfg(test)]
mod settle;
#[cfg(test)]
mod shown;
#[cfg(test)]
mod sql;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod threats;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod uploads;

#[cfg(test)]
const BACKEND: backend::Backend = backend::Backend::Sqlite;
