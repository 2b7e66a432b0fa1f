//! Control by lines of text, on the program's standard input and on a port. A reply is one line, but for
//! `settlement`, whose CSV ends with an empty line. A mistake is answered with `error:` and a sentence.

use crate::choices::{Answer, When};
use crate::control::{Handle, Operator};
use crate::faults::{Fault, PowerCut};
use domain::Cents;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What each line does: the words a person is told when a line makes no sense.
pub const KNOWN: &str = "approve, decline:CODE, cancel, silence, approve-silently, auto ANSWER|none, set JSON, config, \
     drop, drop-before-outcome, drop-after-outcome, drop-before-completion, fault JSON, faults, no-faults, power [JSON], \
     replace ID [RECEIPT], operator pay CENTS|reverse|end-of-day, clock SECONDS, waiting, ledger, settlement [FILE]";

impl Handle {
    /// Carries out one control line; the reply is without its last line break.
    #[must_use]
    pub fn obey(&self, line: &str) -> String {
        self.try_obey(line.trim()).unwrap_or_else(|error| format!("error: {}", error.replace('\n', " ")))
    }

    fn try_obey(&self, line: &str) -> Result<String, String> {
        let (word, rest) = line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim()));
        match (word, rest) {
            ("waiting", "") => return Ok(format!("{:?}", self.waiting())),
            ("ledger", "") => return json(&self.ledger()),
            ("config", "") => return json(&*self.config()),
            ("faults", "") => return json(&self.planned()),
            ("settlement", "") => return Ok(self.settlement()),
            ("settlement", path) => {
                std::fs::write(path, self.settlement()).map_err(|error| format!("{path}: {error}"))?;
            }
            ("auto", "none") => self.auto_answer(None),
            ("auto", answer) => self.auto_answer(Some(answer.parse()?)),
            ("set", changes) => self.set(&from_json(changes)?)?,
            ("fault", fault) => self.plan(from_json::<Fault>(fault)?)?,
            ("no-faults", "") => self.forget_faults(),
            ("drop", "") => self.drop_line(When::Now),
            ("drop-before-outcome", "") => self.drop_line(When::BeforeOutcome),
            ("drop-after-outcome", "") => self.drop_line(When::AfterOutcome),
            ("drop-before-completion", "") => self.drop_line(When::BeforeCompletion),
            ("power", "") => self.power_cycle(),
            ("power", cut) => self.power_cut(from_json::<PowerCut>(cut)?),
            ("replace", numbers) => self.replace_by(numbers)?,
            ("operator", what) => self.operate(operator(what)?).map_err(|error| error.to_string())?,
            ("clock", seconds) => self.put_clock_forward(Duration::from_secs(number(seconds)?)),
            (answer, "") => {
                let answer: Answer = answer.parse().map_err(|error| format!("{error}; known are {KNOWN}"))?;
                if !self.answer(answer) {
                    return Err("no payment waits for a card".to_owned());
                }
            }
            _ => return Err(format!("no such line; known are {KNOWN}")),
        }
        Ok("ok".to_owned())
    }

    fn replace_by(&self, numbers: &str) -> Result<(), String> {
        let (id, receipt) = numbers.split_once(' ').unwrap_or((numbers, "1"));
        let id: u32 = number(id)?;
        if id > 99_999_999 {
            return Err("a terminal id has eight digits".to_owned());
        }
        self.replace(id, number(receipt)?);
        Ok(())
    }
}

fn operator(what: &str) -> Result<Operator, String> {
    match what.split_once(' ').unwrap_or((what, "")) {
        ("reverse", "") => Ok(Operator::Reverse),
        ("end-of-day", "") => Ok(Operator::EndOfDay),
        ("pay", cents) => match number(cents)? {
            cents @ 1.. => Ok(Operator::Pay(Cents(cents))),
            _ => Err("a payment has at least one cent".to_owned()),
        },
        _ => Err(format!("the menu has pay CENTS, reverse and end-of-day, not {what}")),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("no such number here: {text}"))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn json(value: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

/// Obeys every line until the input ends.
///
/// # Errors
/// Reading or writing failed; for a port it means that whoever was there has left.
pub fn converse(handle: &Handle, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    for line in input.lines() {
        let line = line?;
        if !line.trim().is_empty() {
            writeln!(output, "{}", handle.obey(&line))?;
            output.flush()?;
        }
    }
    Ok(())
}

/// The port's thread; ends when dropped.
pub(crate) struct ControlPort {
    pub(crate) addr: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Takes control lines on a port, from any number of connections.
pub(crate) fn serve_control(addr: SocketAddr, handle: Handle) -> io::Result<ControlPort> {
    let listener = TcpListener::bind(addr)?;
    let addr = listener.local_addr()?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::Builder::new().name("payment-control".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            if stopped.load(Ordering::SeqCst) {
                return;
            }
            let handle = handle.clone();
            // A connection that cannot be served is closed; the next one may work.
            let _ = stream.and_then(|stream| {
                let output = stream.try_clone()?;
                std::thread::Builder::new().spawn(move || converse(&handle, BufReader::new(stream), output))
            });
        }
    })?;
    Ok(ControlPort { addr, stop, thread: Some(thread) })
}

impl Drop for ControlPort {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // The thread sits in accept: a connection wakes it, and it sees that it shall end.
        let woken = TcpStream::connect(self.addr).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            // A panic there was already reported by the thread itself.
            let _ = thread.join();
        }
    }
}
