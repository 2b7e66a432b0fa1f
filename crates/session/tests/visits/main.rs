//! Whole visits against a street in memory: a journal, a payment terminal, cards and a printer that keep their own
//! truth. The street refuses to move money whose journal entry is not durable.

mod crashes;
mod golden;
mod money;
mod papers;
mod privacy;
mod random;
mod screens;
mod street;
mod time;
mod world;
