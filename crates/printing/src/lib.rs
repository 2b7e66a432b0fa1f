//! Bytes to paper, exactly once. Owns the printer: whether it is ready, the job of each document by its unique name,
//! and the verdict whether paper came out. It leaves to its caller what is printed, the journal that holds the name
//! before the printer hears of it, and the decision to print again: nothing here is ever repeated by itself.
//! Calls block; the caller gives the printer a thread of its own.

mod codes;
mod config;
mod connection;
mod ipp_printer;
mod job;
mod reasons;

pub use config::{BadPrinter, Config};
pub use ipp_printer::IppPrinter;

use domain::{FailureCode, PrintName};

/// Whether the printer would print now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Idle or printing, with nothing in the way.
    Ready,
    /// It would not; the code says why.
    NotReady(FailureCode),
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintOutcome {
    /// The printer took the whole document, completed it, and counted as many impressions as it has pages.
    Printed,
    /// Certain that nothing came out.
    NotPrinted(FailureCode),
    /// Perhaps printed, perhaps half: a person or the paper-exit sensor must say.
    Uncertain(FailureCode),
}

/// What happens while a document is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The printer has a job for it; the document is about to be sent.
    Accepted,
    /// The printer has the whole document.
    Delivered,
    /// Something is in the way; it goes on by itself once that is mended.
    Blocked(FailureCode),
}

/// A printer of single-sided A4 sheets.
pub trait Printer: Send {
    /// Asks the printer. Bounded by the request time-out.
    fn ready(&mut self) -> Readiness;

    /// Make and model, as the printer names itself; `None` when it does not tell. Bounded like `ready`.
    fn name(&mut self) -> Option<String> {
        None
    }

    /// Prints a document of `pages` pages under a name that was never used before, and returns once it knows, or once
    /// its time is up. A name the printer already knows is not printed again: its job's outcome is returned.
    fn print(&mut self, name: &PrintName, pdf: &[u8], pages: u32, progress: &mut dyn FnMut(Progress)) -> PrintOutcome;

    /// Finds out what became of an earlier print, and clears a job away that never got its document.
    fn resolve(&mut self, name: &PrintName) -> PrintOutcome;
}
