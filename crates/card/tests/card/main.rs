//! The card driver against a card that shares no code with it.
//! (`cfg(test)` on each module, because that is where clippy lets a test fail loudly.)

#[cfg(test)]
mod classic;
#[cfg(test)]
mod classic_chip;
#[cfg(test)]
mod classic_field;
#[cfg(test)]
mod classic_model;
#[cfg(test)]
mod classic_tears;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod credit;
#[cfg(test)]
mod exchanges;
#[cfg(test)]
mod factory;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod field;
#[cfg(test)]
mod purse;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod snapshot;
