//! The failures of this crate, each raised under one name: what a code means is decided here.

use domain::FailureCode;

/// No answer, or none that knows the job.
pub(crate) const ABSENT: FailureCode = FailureCode::PrinterAbsent;
/// The printer answered, and does not print this.
pub(crate) const REFUSED: FailureCode = FailureCode::PrintRefused;
/// The paper may or may not have come out whole.
pub(crate) const UNCERTAIN: FailureCode = FailureCode::PrintUncertain;
/// Something is wrong that has no code of its own.
pub(crate) const FAULT: FailureCode = FailureCode::PrinterFault;
/// A door, cover or interlock is open.
pub(crate) const OPEN: FailureCode = FailureCode::PrinterOpen;
/// Paper is jammed.
pub(crate) const JAM: FailureCode = FailureCode::PaperJam;
/// No paper to print on.
pub(crate) const PAPER_OUT: FailureCode = FailureCode::PaperOut;
