//! The card office's tool.

pub mod cli;
