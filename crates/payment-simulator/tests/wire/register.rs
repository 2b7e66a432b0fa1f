//! A cash register that knows nothing but hexadecimal.

use data_encoding::HEXUPPER;
use payment_simulator::{Answer, Config, Event, Simulator, TransactionState};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::Receiver;
use std::time::Duration;

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Password 000000, configuration 08 (intermediate status), euro.
pub(crate) const REGISTER: &str = "06 00 06 000000 08 0978";
/// The same without intermediate status.
pub(crate) const REGISTER_QUIETLY: &str = "06 00 06 000000 00 0978";
/// 20.40 euro, time 20 s, at most nine outcomes.
pub(crate) const PAY: &str = "06 01 0E 04 000000002040 49 0978 01 14 02 09";
/// The same, reserved.
pub(crate) const RESERVE: &str = "06 22 0E 04 000000002040 49 0978 01 14 02 09";
pub(crate) const REPEAT: &str = "06 20 03 000000";
pub(crate) const END_OF_DAY: &str = "06 50 03 000000";
pub(crate) const ACK: &str = "80 00 00";
pub(crate) const WAIT: &str = "84 9C 00";
pub(crate) const NOT_ISSUED: &str = "84 66 00";
pub(crate) const DONE: &str = "06 0F 00";

pub(crate) fn hex(text: &str) -> Vec<u8> {
    HEXUPPER.decode(text.replace(' ', "").as_bytes()).unwrap()
}

pub(crate) struct Register(pub(crate) TcpStream);

impl Register {
    pub(crate) fn connect(simulator: &Simulator) -> Self {
        Self::connect_to(simulator.addr)
    }

    pub(crate) fn connect_to(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    pub(crate) fn registered(simulator: &Simulator) -> Self {
        let mut register = Self::connect(simulator);
        register.send(REGISTER);
        register.expect(ACK);
        register.expect("06 0F 0A 19 00 29 52500021 49 0978");
        register.send(ACK);
        register
    }

    /// Without intermediate status, so that only what matters is on the line.
    pub(crate) fn quiet(simulator: &Simulator) -> Self {
        let mut register = Self::connect(simulator);
        register.send(REGISTER_QUIETLY);
        register.expect(ACK);
        assert!(register.read().starts_with("060F"));
        register.send(ACK);
        register
    }

    pub(crate) fn send(&mut self, bytes: &str) {
        self.0.write_all(&hex(bytes)).unwrap();
    }

    /// One whole message, in hexadecimal without spaces; a long length is shown as it came.
    pub(crate) fn read(&mut self) -> String {
        let mut message = self.exactly(3);
        let mut length = usize::from(message[2]);
        if message[2] == 0xFF {
            let long = self.exactly(2);
            length = usize::from(long[0]) + 256 * usize::from(long[1]);
            message.extend(long);
        }
        message.extend(self.exactly(length));
        HEXUPPER.encode(&message)
    }

    pub(crate) fn exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn expect(&mut self, bytes: &str) {
        assert_eq!(self.read(), bytes.replace(' ', ""));
    }

    /// The next 04 0F, acknowledging every 04 FF before it.
    pub(crate) fn outcome(&mut self) -> String {
        loop {
            let message = self.read();
            if message.starts_with("040F") {
                return message;
            }
            assert!(message.starts_with("04FF01"), "{message}");
            self.send(ACK);
        }
    }

    /// Starts a payment and brings it to its outcome.
    pub(crate) fn pay(&mut self) -> String {
        self.begin(PAY)
    }

    /// Gives a command and brings it to its outcome.
    pub(crate) fn begin(&mut self, command: &str) -> String {
        self.send(command);
        self.expect(ACK);
        self.outcome()
    }

    /// Gives a command, acknowledges its outcome, and waits for the end.
    pub(crate) fn whole(&mut self, command: &str) -> String {
        let outcome = self.begin(command);
        self.send(ACK);
        self.expect(DONE);
        outcome
    }

    pub(crate) fn repeat(&mut self) -> String {
        self.whole(REPEAT)
    }

    /// Gives a command that the terminal ends with 06 1E; gives the code.
    pub(crate) fn refused(&mut self, command: &str) -> String {
        self.send(command);
        self.expect(ACK);
        let mut message = self.read();
        if message.starts_with("040F") {
            self.send(ACK);
            message = self.read();
        }
        assert!(message.starts_with("061E"), "{message}");
        message[6..].to_owned()
    }

    /// Answers what comes; `true` once the line is gone.
    pub(crate) fn is_closed_after_answers(&mut self) -> bool {
        let mut header = [0; 3];
        if self.0.read_exact(&mut header).is_err() {
            return true;
        }
        let mut data = vec![0; usize::from(header[2])];
        let whole = self.0.read_exact(&mut data).is_ok();
        !whole || (header[0] != 0x80 && self.0.write_all(&hex(ACK)).is_err())
    }

    pub(crate) fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        }
    }
}

pub(crate) fn approving() -> Config {
    Config { auto_answer: Some(Answer::Approve), outcome_interval: Duration::from_millis(5), ..Config::default() }
}

pub(crate) fn states(simulator: &Simulator) -> Vec<TransactionState> {
    simulator.ledger().iter().map(|transaction| transaction.state).collect()
}

pub(crate) fn until(events: &Receiver<Event>, wanted: Event) {
    while events.recv_timeout(PATIENCE).unwrap() != wanted {}
}
