//! A thread that owns something blocking, and the desk at which others hand in work for it.

use crate::KioskError;
use std::sync::mpsc::{Sender, channel};
use tokio::sync::oneshot;

type Work<T> = Box<dyn FnOnce(&mut T) + Send>;

/// The desk of a thread that owns a `T`. Work is done in the order it is handed in; the thread ends with the last
/// clone of its desk.
pub(crate) struct Desk<T> {
    work: Sender<Work<T>>,
}

impl<T> Clone for Desk<T> {
    fn clone(&self) -> Self {
        Self { work: self.work.clone() }
    }
}

impl<T: Send + 'static> Desk<T> {
    /// Starts the thread around something that is there already.
    pub(crate) fn start(name: &str, mut owned: T) -> Result<Self, KioskError> {
        let (work, received) = channel::<Work<T>>();
        let run = move || received.iter().for_each(|work| work(&mut owned));
        std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(KioskError::Thread)?;
        Ok(Self { work })
    }

    /// Hands in work. When the thread is gone the process is ending, and so is the reason for the work.
    pub(crate) fn hand_in(&self, work: impl FnOnce(&mut T) + Send + 'static) {
        let _ = self.work.send(Box::new(work));
    }

    /// Hands in work and waits for its result in an async task; `None` when the thread is gone.
    pub(crate) async fn call<R: Send + 'static>(&self, work: impl FnOnce(&mut T) -> R + Send + 'static) -> Option<R> {
        let (answer, answered) = oneshot::channel();
        self.hand_in(move |owned| {
            let _ = answer.send(work(owned));
        });
        answered.await.ok()
    }
}
