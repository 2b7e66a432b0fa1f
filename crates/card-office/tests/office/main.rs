//! The card office's tool: its commands on simulated chips, against a central that says what a test wants, and the
//! built program itself.
//! (`cfg(test)` on each module, because that is where clippy lets a test fail loudly.)

#[cfg(test)]
mod batch;
#[cfg(test)]
mod central;
#[cfg(test)]
mod chips;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod look;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rekey;
