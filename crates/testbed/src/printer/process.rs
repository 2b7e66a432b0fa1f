//! The printer's two processes: a bus of its own, without which ippeveprinter does not start, and ippeveprinter. A
//! thread keeps them: the kernel ends a child when the thread that started it is gone.

use super::{LOOK_AGAIN, PATIENCE};
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Instant;

/// Attempts to find a port that is still free when the printer takes it.
const PORTS: u32 = 5;

enum Order {
    Stop(Sender<io::Result<()>>),
    Restart(Sender<io::Result<()>>),
}

/// Handle of the keeper's thread.
#[derive(Debug)]
pub(super) struct Processes {
    orders: Option<Sender<Order>>,
    keeper: Option<JoinHandle<()>>,
}

impl Processes {
    /// Starts both; the port once the printer answers there.
    pub(super) fn start(home: &Path, command: &Path) -> io::Result<(Self, u16)> {
        let (orders, received) = mpsc::channel();
        let (started, up) = mpsc::channel();
        let (home, command) = (home.to_owned(), command.to_owned());
        let keeper =
            std::thread::Builder::new().name("virtual-printer".to_owned()).spawn(move || {
                match Keeper::start(home, command) {
                    Ok(keeper) => {
                        if started.send(Ok(keeper.port)).is_ok() {
                            keeper.obey(&received);
                        }
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            })?;
        let port = up.recv().map_err(io::Error::other)??;
        Ok((Self { orders: Some(orders), keeper: Some(keeper) }, port))
    }

    pub(super) fn stop(&self) -> io::Result<()> {
        self.order(Order::Stop)
    }

    pub(super) fn restart(&self) -> io::Result<()> {
        self.order(Order::Restart)
    }

    fn order(&self, order: fn(Sender<io::Result<()>>) -> Order) -> io::Result<()> {
        let (done, wait) = mpsc::channel();
        let Some(orders) = &self.orders else { return Err(io::ErrorKind::NotConnected.into()) };
        orders.send(order(done)).map_err(io::Error::other)?;
        wait.recv().map_err(io::Error::other)?
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(keeper) = self.keeper.take() {
            // A panic there was already reported by the thread itself.
            let _ = keeper.join();
        }
    }
}

/// A child that is ended with its owner.
struct Owned(Child);

impl Owned {
    /// Ended by the kernel too, should the owner's thread go without a word.
    fn spawn(program: &str, prepare: impl FnOnce(&mut Command)) -> io::Result<Self> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", program]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        prepare(&mut command);
        command.spawn().map(Self)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Keeper {
    home: PathBuf,
    command: PathBuf,
    bus_address: String,
    port: u16,
    printer: Option<Owned>,
    _bus: Owned,
}

/// Debian keeps it where a plain user's PATH does not look.
fn ippeveprinter() -> &'static str {
    let system = "/usr/sbin/ippeveprinter";
    if std::path::Path::new(system).exists() { system } else { "ippeveprinter" }
}

impl Keeper {
    fn start(home: PathBuf, command: PathBuf) -> io::Result<Self> {
        let mut bus = Owned::spawn("dbus-daemon", |command| {
            command.args(["--session", "--nofork", "--print-address=1"]).stdout(Stdio::piped());
        })?;
        let mut address = String::new();
        if let Some(output) = bus.0.stdout.take() {
            BufReader::new(output).read_line(&mut address)?;
        }
        if address.trim().is_empty() {
            return Err(io::Error::other("dbus-daemon did not start: packages dbus and util-linux are needed"));
        }
        let bus_address = address.trim().to_owned();
        let mut keeper = Self { home, command, bus_address, port: 0, printer: None, _bus: bus };
        let mut outcome = Err(io::ErrorKind::AddrInUse.into());
        for _ in 0..PORTS {
            keeper.port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            outcome = keeper.print_on();
            if outcome.is_ok() {
                break;
            }
        }
        outcome.map(|()| keeper)
    }

    /// Starts ippeveprinter, and returns once it takes connections.
    fn print_on(&mut self) -> io::Result<()> {
        self.printer = None;
        let mut printer = Owned::spawn(ippeveprinter(), |command| {
            command.env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus_address);
            command.args(["-r", "off", "-n", "localhost", "-f", "application/pdf,application/octet-stream"]);
            command.arg("-p").arg(self.port.to_string());
            command.arg("-d").arg(self.home.join("spool"));
            command.arg("-c").arg(&self.command).arg("kiosk");
        })?;
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if let Some(status) = printer.0.try_wait()? {
                return Err(io::Error::other(format!("ippeveprinter ended ({status}): is cups-ipp-utils installed?")));
            }
            if Instant::now() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        self.printer = Some(printer);
        Ok(())
    }

    fn obey(mut self, orders: &Receiver<Order>) {
        for order in orders {
            let (done, outcome) = match order {
                Order::Stop(done) => {
                    self.printer = None;
                    (done, Ok(()))
                }
                Order::Restart(done) => (done, self.print_on()),
            };
            // Whoever ordered may be gone.
            let _ = done.send(outcome);
        }
    }
}
