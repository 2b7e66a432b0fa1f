//! The project's own tests in one binary. `tidy` keeps the house in order: layers, sizes, words, codes, links.
//! `journeys` are whole visits on real parts.
//! (`cfg(test)` on each module, because that is where clippy lets a test fail loudly.)

#[cfg(test)]
mod journeys;
#[cfg(test)]
mod tidy;
