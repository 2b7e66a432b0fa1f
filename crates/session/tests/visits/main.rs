//! Whole visits against a street in memory: a journal, a payment terminal, cards and a printer that keep their own
//! truth. The street refuses to move money whose journal entry is not durable.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: whatever fails here fails the test"
)]

mod bank;
mod bookings;
mod cancelling;
mod cards;
mod crashes;
mod days;
mod devices;
mod faults;
mod hands;
mod interrupted;
mod keeping;
mod languages;
mod machine;
mod maintenance;
mod money;
mod notices;
mod orders;
mod papers;
mod paying;
mod pins;
mod privacy;
mod random;
mod receipts;
mod reminders;
mod scenes;
mod screens;
mod street;
mod till_orders;
mod time;
mod tools;
mod tray;
mod wishes;
mod world;
