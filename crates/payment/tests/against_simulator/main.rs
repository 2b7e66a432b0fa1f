//! The desk and its ZVT client against the payment terminal's simulator, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail loudly")]

mod commissioning;
mod days;
mod desk;
mod doubts;
mod payments;
mod reservations;
mod till;
