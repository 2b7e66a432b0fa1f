//! The words of every language, as screens and papers ask for them.

#[cfg(test)]
mod languages;
#[cfg(test)]
mod pseudo;
