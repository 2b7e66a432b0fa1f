//! The ledger as its users see it: states, crashes, bytes and books.

mod crashes;
mod journal;
mod states;
mod world;
