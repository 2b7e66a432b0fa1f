//! Reader to card: PC/SC, APDU, DESFire, purse.
