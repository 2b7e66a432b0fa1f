//! Whole visits against a street in memory: a journal, a payment terminal, cards and a printer that keep their own
//! truth. The street refuses to move money whose journal entry is not durable.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: whatever fails here fails the test"
)]

mod crashes;
mod golden;
mod money;
mod papers;
mod paying;
mod privacy;
mod random;
mod screens;
mod street;
mod time;
mod world;
