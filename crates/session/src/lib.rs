//! What a citizen does at the kiosk: `step` takes an event and gives effects, `view` gives the whole screen as data.
//! Pure: no input or output, no clock, no randomness of its own, so that everything a kiosk does can be run without
//! a window. It leaves devices, files, network and pixels to the crates above.

pub mod action;
pub mod effect;
pub mod event;
mod flow;
mod place;
mod profile;
mod purse;
mod screen;
mod session;
mod till;
mod timing;
pub mod view;
mod visit;
pub mod wire;

pub use action::{Action, Task};
pub use effect::{Effect, MoneyRequest, PaperOrder};
pub use event::{ClockState, Event, Feed, Network, PaperEvent};
pub use profile::{EndOfDay, TillProfile};
pub use screen::closed::view as closed_view;
pub use session::{Devices, Session, Terminal};
pub use view::View;
