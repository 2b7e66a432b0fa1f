//! The terminal as a cash register sees it: raw bytes on a socket, written by hand from the protocol's tables.
#![allow(clippy::unwrap_used, reason = "the helpers of a test fail by panicking, as the test does")]

mod day;
mod frames;
mod lost;
mod manner;
mod memory;
mod operator;
mod payments;
mod power;
mod register;
mod reservations;
mod waits;
