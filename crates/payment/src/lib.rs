//! The bank-card terminal behind a trait, with ZVT over TCP.
