//! The street as it is outside the kiosk's program: cards, payment terminals, bank and central, and the machines the
//! program runs on. Written from the public facts and from `docs/`, with nothing of the drivers it stands in for.

pub mod bank;
pub mod card;
pub mod central;
pub mod city;
pub mod claims;
pub mod desk;
pub mod kiosk;
pub(crate) mod paying;
mod sending;
pub mod steps;
pub mod street;
pub mod till;
mod tray;
