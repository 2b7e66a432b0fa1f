//! No torn card loses a cent. Every card of the city is lifted at every exchange of every errand, before the command
//! reaches it, after it ran and, where a block is written, in the middle of it; then it is laid down again, read, asked
//! what became of it, ridden with and topped up, until everything on it has rolled. Who is right is never the driver's
//! to say: it is read from the simulator's memory.
//!
//! How many exchanges there are is found by running each errand once untorn. A failure prints the card, the errand and
//! the exchange.
//! (`cfg(test)` on each module, because that is where clippy lets a test fail loudly.)

#[cfg(test)]
mod city;
#[cfg(test)]
mod credit;
#[cfg(test)]
mod errands;
#[cfg(test)]
mod life;
#[cfg(test)]
mod repair;
#[cfg(test)]
mod tear;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod unsettled;
