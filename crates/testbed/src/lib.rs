//! A street on your desk: a city with its central, a card tray behind a real PC/SC service, a payment terminal, a
//! printer that prints to files, and cables that can be cut; a kiosk set up in it, with its window or without; and the
//! books of all of them, laid side by side. It owns what plays the world around a kiosk, and leaves what a kiosk does
//! to `kiosk`, what each simulated device does to its simulator, and what a journey asserts to the journeys.

pub mod books;
pub mod children;
pub mod control;
pub mod demo;
pub mod display;
mod error;
pub mod headless;
pub mod kills;
pub mod leftovers;
pub mod link;
pub mod papers;
pub mod pcsc;
pub mod printer;
pub mod seen;
pub mod small_disk;
pub mod street;
pub mod webdriver;
pub mod window;

pub use error::{StreetError, io_error};
pub use headless::Headless;
pub use seen::Seen;
pub use small_disk::SmallDisk;
pub use street::{Holder, Street, StreetConfig, Tear};
pub use window::Window;
