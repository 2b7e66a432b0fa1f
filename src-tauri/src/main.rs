//! The kiosk with its real devices.

fn main() {}
