//! A street on your desk: virtual reader and cards, payment terminal, printer, network.
