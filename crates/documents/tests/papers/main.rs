//! The papers as a printer, a reader and a telephone see them.

#[cfg(test)]
mod languages;
#[cfg(test)]
mod looks;
#[cfg(test)]
mod overflow;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod structure;
