//! Connections to the database, shared by everybody who asks something of this server. SQLite has one, PostgreSQL as
//! many as are set; nothing of what the database holds is kept beside it, since other nodes change it too.

use crate::error::CentralError;
use crate::metrics::Metrics;
use crate::{DataFolder, Database};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Semaphore;

/// The connections of one process.
#[derive(Debug)]
pub(crate) struct Pool {
    data: DataFolder,
    idle: Mutex<Vec<Database>>,
    seats: Arc<Semaphore>,
    metrics: Metrics,
}

impl Pool {
    /// Begins with this connection.
    pub(crate) fn new(data: DataFolder, first: Database, metrics: Metrics) -> Self {
        let seats = Arc::new(Semaphore::new(data.connections()));
        Self { data, idle: Mutex::new(vec![first]), seats, metrics }
    }

    /// Runs work on a connection, off the async threads, once one is free. A connection whose work panicked is dropped
    /// with all that it had begun.
    pub(crate) async fn with<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&mut Database) -> Result<T, CentralError> + Send + 'static,
    ) -> Result<T, CentralError> {
        let stopped = |error: &dyn std::fmt::Display| CentralError::NotReady(error.to_string());
        let asked = Instant::now();
        let seat = Arc::clone(&self.seats).acquire_owned().await.map_err(|error| stopped(&error))?;
        self.metrics.waited_for_pool(asked.elapsed());
        // What is logged in there is of the same request.
        let span = tracing::Span::current();
        let run = move || {
            let _in_span = span.enter();
            let mut database = self.take()?;
            let outcome = work(&mut database);
            if !database.is_closed() {
                self.idle().push(database);
            }
            drop(seat);
            outcome
        };
        tokio::task::spawn_blocking(run).await.map_err(|error| stopped(&error))?
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Database>> {
        // A list is whole after every push and pop.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that waits, or a new one. Those whose server has gone are dropped.
    fn take(&self) -> Result<Database, CentralError> {
        loop {
            let waiting = self.idle().pop();
            match waiting {
                Some(database) if database.is_closed() => {}
                Some(database) => return Ok(database),
                None => return Database::open(self.data.database()),
            }
        }
    }
}
