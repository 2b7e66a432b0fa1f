//! The card office against blank chips that share no code with it.
//! (`cfg(test)` on each module, because that is where clippy lets a test fail loudly.)

#[cfg(test)]
mod cards;
#[cfg(test)]
mod chips;
#[cfg(test)]
mod conversation;
