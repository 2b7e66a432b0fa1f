//! The ledger as its users see it: states, crashes, bytes and books.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail loudly")]

mod crashes;
mod journal;
mod orders;
mod rule_book;
mod states;
mod world;
