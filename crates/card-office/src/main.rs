//! `citizen-card`.
fn main() {}
