//! The kiosk as the window knows it.

use crate::machine::Input;
use session::Action;
use session::wire::{Painting, Setup};
use std::sync::mpsc::Sender;

/// Where paintings go.
pub(crate) type Screen = Box<dyn Fn(Painting) + Send>;

/// A running kiosk.
#[derive(Clone)]
pub struct Handle {
    pub(crate) inputs: Sender<Input>,
    pub(crate) setup: Setup,
}

impl Handle {
    /// From now on every view goes to this screen, the present one first. Gives what the screen is told once.
    #[must_use]
    pub fn attach(&self, screen: Box<dyn Fn(Painting) + Send>) -> Setup {
        self.send(Input::Attach(screen));
        self.setup.clone()
    }

    /// The citizen touched something.
    pub fn act(&self, action: Action) {
        self.send(Input::Act(action));
    }

    /// The painting with this number is on the glass.
    pub fn painted(&self, seq: u64) {
        self.send(Input::Painted(seq));
    }

    /// Ends the kiosk: the session wipes what it holds, and the threads end. Returns when the session has ended.
    pub fn stop(&self) {
        let (done, ended) = std::sync::mpsc::channel();
        self.send(Input::Stop(done));
        // A session that has ended already drops the sender: nothing to wait for either way.
        let _ = ended.recv();
    }

    fn send(&self, input: Input) {
        // Nobody listens any more when the session has ended: there is nothing left to act on.
        let _ = self.inputs.send(input);
    }
}
