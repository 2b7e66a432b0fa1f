//! PostgreSQL. The driver is asynchronous, and central's work is not: one thread speaks to the sockets of every
//! connection, and whoever works waits for its answer, wherever that is.

use super::error::ends_connection;
use super::row::Source;
use super::{Error, Result, Row, ServerAddress, Value, spoken, tls};
use futures_executor::block_on;
use futures_util::{TryStreamExt, poll};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error as StdError;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, SimpleQueryMessage, Statement};

/// Never ends: a connection may be dropped anywhere, also where a runtime may not be.
static DRIVER: LazyLock<std::io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).thread_name("postgres").enable_all().build());

/// What every session is set to. A writer that has gone without a word holds the others up for half a minute at most.
const SETTINGS: &str = "
    SET client_min_messages = warning;
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '30s';
    SET standard_conforming_strings = on";

type Later = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send>>;

/// A connection to a server.
pub(super) struct Session {
    client: Arc<Client>,
    /// Statements that were sent, and whose answers nobody has awaited yet, oldest first.
    later: RefCell<Vec<Later>>,
    statements: RefCell<HashMap<String, Statement>>,
    /// The server has gone, or has sent this connection away.
    lost: Cell<bool>,
}

impl Session {
    pub(super) fn open(address: &ServerAddress) -> Result<Self> {
        let driver = DRIVER.as_ref().map_err(|error| Error::Threads(error.kind()))?;
        let config = address.config()?;
        let client = match tls::connector(address)? {
            None => {
                let connecting = driver.spawn(async move { config.connect(tokio_postgres::NoTls).await });
                let (client, connection) = block_on(connecting).map_err(|error| stopped(&error))??;
                driver.spawn(connection);
                client
            }
            Some(connector) => {
                let connecting = driver.spawn(async move { config.connect(connector).await });
                let (client, connection) = block_on(connecting).map_err(|error| stopped(&error))??;
                driver.spawn(connection);
                client
            }
        };
        let session = Self {
            client: Arc::new(client),
            later: RefCell::default(),
            statements: RefCell::default(),
            lost: Cell::new(false),
        };
        session.execute_batch(SETTINGS)?;
        session.refuse_forgetful(address.may_forget())?;
        Ok(session)
    }

    /// A receipt is given after the commit: a server that acknowledges commits it may forget would make it a lie. One
    /// without `fsync` loses them with the power; one without `full_page_writes` loses whole pages with it.
    fn refuse_forgetful(&self, may_forget: bool) -> Result<()> {
        for setting in ["fsync", "full_page_writes"] {
            if !may_forget && self.shown(setting)? == "off" {
                return Err(Error::Server(format!("{setting} is off: receipts promise that nothing is lost")));
            }
        }
        let commit = self.shown("synchronous_commit")?;
        let has_standby = !self.shown("synchronous_standby_names")?.is_empty();
        // `local` and `remote_write` wait for no standby's disk.
        if commit == "off" || (has_standby && matches!(commit.as_str(), "local" | "remote_write")) {
            return Err(Error::Server(format!(
                "synchronous_commit is {commit}: receipts promise that nothing is lost"
            )));
        }
        Ok(())
    }

    fn shown(&self, setting: &str) -> Result<String> {
        let said = self.wait(self.client.simple_query(&format!("SHOW {setting}")))?;
        let value = said.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        Ok(value.unwrap_or_default().to_owned())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lost.get() || self.client.is_closed()
    }

    /// Waits for the server's answer, and before it for those that nobody has awaited: of what fails, the first is
    /// told. The question is sent at once.
    fn wait<T>(&self, question: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T> {
        let later = std::mem::take(&mut *self.later.borrow_mut());
        let answer = block_on(async {
            let mut question = pin!(question);
            if later.is_empty() {
                return question.await;
            }
            let early = poll!(question.as_mut());
            for answer in later {
                answer.await?;
            }
            match early {
                Poll::Ready(answer) => answer,
                Poll::Pending => question.await,
            }
        });
        if let Err(error) = &answer {
            let ends = error.code().is_some_and(|code| ends_connection(code.code()));
            self.lost.set(self.lost.get() || error.is_closed() || ends);
        }
        Ok(answer?)
    }

    fn prepared(&self, sql: &str) -> Result<Statement> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        let statement = self.wait(self.client.prepare(&spoken::statement(sql)))?;
        self.statements.borrow_mut().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<usize> {
        let statement = self.prepared(sql)?;
        let changed = self.wait(self.client.execute_raw(&statement, parameters))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Sends a statement, and leaves its answer for later.
    pub(super) fn execute_later(&self, sql: &str, parameters: &[Value<'_>]) -> Result<()> {
        let (client, statement) = (Arc::clone(&self.client), self.prepared(sql)?);
        let parameters: Vec<Owned> = parameters.iter().map(Owned::of).collect();
        let mut later: Later = Box::pin(async move {
            let parameters = parameters.iter().map(Owned::value).collect::<Vec<_>>();
            client.execute_raw(&statement, parameters).await
        });
        if let Poll::Ready(answer) = block_on(async { poll!(later.as_mut()) }) {
            return self.wait(std::future::ready(answer)).map(|_| ());
        }
        self.later.borrow_mut().push(later);
        Ok(())
    }

    /// Waits for what was sent.
    pub(super) fn settle(&self) -> Result<()> {
        if self.later.borrow().is_empty() { Ok(()) } else { self.wait(std::future::ready(Ok(()))) }
    }

    /// Reads every row, as they arrive.
    pub(super) fn rows<E: From<Error>>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let statement = self.prepared(sql)?;
        let rows = self.wait(self.client.query_raw(&statement, parameters))?;
        let mut rows = pin!(rows);
        while let Some(row) = self.wait(rows.try_next())? {
            each(&Row(Source::Postgres(&row)))?;
        }
        Ok(())
    }

    pub(super) fn execute_batch(&self, sql: &str) -> Result<()> {
        self.wait(self.client.batch_execute(sql))
    }
}

/// A parameter that outlives its caller.
enum Owned {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Owned {
    fn of(value: &Value<'_>) -> Self {
        match *value {
            Value::Null => Self::Null,
            Value::Int(number) => Self::Int(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

fn stopped(error: &tokio::task::JoinError) -> Error {
    Error::Server(format!("connecting: {error}"))
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => number.to_sql(kind, out),
            (Self::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(kind, out),
            (Self::Int(number), &Type::BOOL) => (*number != 0).to_sql(kind, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::NAME) => text.to_sql(kind, out),
            (Self::Blob(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            _ => Err(format!("{self:?} where the server expects {kind}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Self::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(kind, raw)?.into()),
            Type::BOOL => Self::Int(bool::from_sql(kind, raw)?.into()),
            Type::TEXT | Type::VARCHAR | Type::NAME => Self::Text(<&str>::from_sql(kind, raw)?),
            Type::BYTEA => Self::Blob(raw),
            _ => return Err(format!("a column of kind {kind}").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
