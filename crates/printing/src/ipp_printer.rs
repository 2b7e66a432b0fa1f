//! A printer that speaks IPP over TCP: Create-Job under a unique name, Send-Document once, then ask until it is known.
//! Print-Job is never used: its lost answer cannot be told from a lost request.

use crate::codes;
use crate::config::{BadPrinter, Config};
use crate::connection::{CallError, Connection};
use crate::job::{Job, JobState, uncertain};
use crate::{PrintOutcome, Printer, Progress, Readiness};
use domain::{FailureCode, PrintName};
use ipp::model::StatusCode;
use std::collections::HashMap;
use std::time::Instant;

/// The IPP printer.
pub struct IppPrinter {
    config: Config,
    connection: Connection,
    /// The page count of each document the printer confirmed it has whole.
    delivered: HashMap<PrintName, u32>,
}

impl std::fmt::Debug for IppPrinter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IppPrinter").field("uri", &self.config.uri).finish_non_exhaustive()
    }
}

impl IppPrinter {
    /// Knows the printer; does not connect yet.
    ///
    /// # Errors
    /// [`BadPrinter`], when the configuration names no printer.
    pub fn new(config: Config) -> Result<Self, BadPrinter> {
        let connection = Connection::new(&config)?;
        Ok(Self { config, connection, delivered: HashMap::new() })
    }

    /// A job for the document, or why there is none: no document was sent, so nothing can have been printed.
    fn open_job(&self, name: &PrintName, pages: u32) -> Result<i32, FailureCode> {
        let mut created = self.connection.create_job(name, pages);
        if matches!(created, Err(CallError::Refused(StatusCode::ServerErrorBusy))) && self.clear_abandoned() {
            created = self.connection.create_job(name, pages);
        }
        match created {
            Ok(Some(id)) => Ok(id),
            // The answer is lost, or names no job: the job is there under its name, or it is not.
            Ok(None) | Err(CallError::Lost(_)) => match self.find_patiently(name) {
                Ok(Some(job)) if job.awaits_document() => Ok(job.id),
                Ok(_) => Err(codes::ABSENT),
                Err(error) => Err(error.code()),
            },
            Err(error) => {
                tracing::warn!(%error, "the printer takes no job");
                Err(error.code())
            }
        }
    }

    /// Cancels own jobs that never got a document and block the printer; whether there were any.
    fn clear_abandoned(&self) -> bool {
        let abandoned = self.connection.abandoned().unwrap_or_default();
        for job in &abandoned {
            if let Err(error) = self.connection.cancel(job.id) {
                tracing::warn!(%error, "a job without a document could not be cancelled");
            }
        }
        !abandoned.is_empty()
    }

    /// Looks for the job until the printer answers, or time is up.
    fn find_patiently(&self, name: &PrintName) -> Result<Option<Job>, CallError> {
        let started = Instant::now();
        loop {
            match self.connection.find(name) {
                Err(CallError::Lost(_)) if started.elapsed() < self.config.lookup_limit() => {
                    std::thread::sleep(self.config.poll_interval());
                }
                found => return found,
            }
        }
    }

    /// The job as it stands; by its id as long as that still belongs to the name.
    fn look(&self, name: &PrintName, id: i32) -> Result<Option<Job>, CallError> {
        match self.connection.job(id)? {
            Some(job) if job.name == name.0 => Ok(Some(job)),
            _ => self.connection.find(name),
        }
    }

    /// Asks for the job until it is final. A printer that stands still too long, or takes too long altogether, gets
    /// the job cancelled.
    fn follow(&self, name: &PrintName, id: i32, progress: &mut dyn FnMut(Progress)) -> PrintOutcome {
        let started = Instant::now();
        let mut blocked: Option<(Instant, FailureCode)> = None;
        let mut heard = Instant::now();
        loop {
            match self.look(name, id) {
                Ok(Some(job)) if job.is_final() => return self.verdict(name, &job, codes::REFUSED),
                Ok(Some(job)) => {
                    heard = Instant::now();
                    blocked = self.still_blocked(&job, blocked, progress);
                }
                // Restarted, and its history with it.
                Ok(None) => return uncertain(),
                // Switched off or unplugged with the document in it: nobody will tell what came of it.
                Err(_) if heard.elapsed() >= self.config.lookup_limit() => return uncertain(),
                Err(error) => tracing::debug!(%error, "the job could not be asked for"),
            }
            let stood_still = blocked.is_some_and(|(since, _)| since.elapsed() >= self.config.blocked_limit());
            if stood_still || started.elapsed() >= self.config.total_limit() {
                let code = blocked.map_or(codes::UNCERTAIN, |(_, code)| code);
                return self.cancel(name, id, code);
            }
            std::thread::sleep(self.config.poll_interval());
        }
    }

    /// Since when something is in the way, and what; tells the caller when that changes.
    fn still_blocked(
        &self,
        job: &Job,
        before: Option<(Instant, FailureCode)>,
        progress: &mut dyn FnMut(Progress),
    ) -> Option<(Instant, FailureCode)> {
        let code = match self.connection.status().map(|status| status.readiness()) {
            Ok(Readiness::NotReady(code)) => code,
            _ if job.state == JobState::Stopped => codes::FAULT,
            _ => return None,
        };
        if before.is_none_or(|(_, known)| known != code) {
            progress(Progress::Blocked(code));
        }
        Some((before.map_or_else(Instant::now, |(since, _)| since), code))
    }

    /// Cancels the job, and says what it came to; `code` is why.
    fn cancel(&self, name: &PrintName, id: i32, code: FailureCode) -> PrintOutcome {
        if let Err(error) = self.connection.cancel(id) {
            tracing::warn!(%error, "a job could not be cancelled");
        }
        let started = Instant::now();
        loop {
            match self.look(name, id) {
                Ok(Some(job)) if job.is_final() => return self.verdict(name, &job, code),
                Ok(None) => return uncertain(),
                _ if started.elapsed() >= self.config.lookup_limit() => return PrintOutcome::Uncertain(code),
                _ => std::thread::sleep(self.config.poll_interval()),
            }
        }
    }

    fn verdict(&self, name: &PrintName, job: &Job, code: FailureCode) -> PrintOutcome {
        job.verdict(self.delivered.get(name).copied(), code)
    }

    /// The document may be in the printer in part or whole: it is not sent again, and what there is is cancelled.
    fn abandon(&self, name: &PrintName, error: &CallError) -> PrintOutcome {
        tracing::warn!(%error, "the document may not have reached the printer");
        match self.find_patiently(name) {
            Ok(Some(job)) if job.is_final() => self.verdict(name, &job, error.code()),
            Ok(Some(job)) => self.cancel(name, job.id, error.code()),
            Ok(None) | Err(_) => uncertain(),
        }
    }
}

impl Printer for IppPrinter {
    fn ready(&mut self) -> Readiness {
        match self.connection.status() {
            Ok(status) => status.readiness(),
            Err(error) => {
                tracing::debug!(%error, "the printer could not be asked");
                Readiness::NotReady(error.code())
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        self.connection.make_and_model().ok().flatten()
    }

    fn print(&mut self, name: &PrintName, pdf: &[u8], pages: u32, progress: &mut dyn FnMut(Progress)) -> PrintOutcome {
        if let Readiness::NotReady(code) = self.ready() {
            return PrintOutcome::NotPrinted(code);
        }
        match self.connection.find(name) {
            Ok(None) => {}
            Ok(Some(_)) => return self.resolve(name),
            Err(error) => return PrintOutcome::NotPrinted(error.code()),
        }
        let id = match self.open_job(name, pages) {
            Ok(id) => id,
            Err(code) => return PrintOutcome::NotPrinted(code),
        };
        progress(Progress::Accepted);
        if let Err(error) = self.connection.send_document(id, pdf) {
            return self.abandon(name, &error);
        }
        self.delivered.insert(name.clone(), pages);
        progress(Progress::Delivered);
        self.follow(name, id, progress)
    }

    fn resolve(&mut self, name: &PrintName) -> PrintOutcome {
        match self.find_patiently(name) {
            Ok(Some(job)) if job.awaits_document() => self.cancel(name, job.id, codes::REFUSED),
            Ok(Some(job)) => self.follow(name, job.id, &mut |_| {}),
            Ok(None) => uncertain(),
            Err(error) => PrintOutcome::Uncertain(error.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_host_is_refused() {
        for bad in ["", "printer one", "/ipp/print"] {
            assert!(IppPrinter::new(Config::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_absent_printer_is_named_and_nothing_is_printed() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut config = Config::new(&format!("ipp://{closed}/ipp/print"));
        config.lookup_limit_ms = 0;
        let mut printer = IppPrinter::new(config).unwrap();
        let name = PrintName("urn:uuid:1".to_owned());
        assert_eq!(printer.ready(), Readiness::NotReady(FailureCode::PrinterAbsent));
        let mut progress = |progress| panic!("{progress:?}");
        let outcome = printer.print(&name, b"%PDF", 1, &mut progress);
        assert_eq!(outcome, PrintOutcome::NotPrinted(FailureCode::PrinterAbsent));
        assert_eq!(printer.resolve(&name), PrintOutcome::Uncertain(FailureCode::PrinterAbsent));
    }
}
