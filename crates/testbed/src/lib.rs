//! A street on your desk: virtual reader and cards, payment terminal, printer, network.

pub mod link;
pub mod pcsc;
pub mod printer;
