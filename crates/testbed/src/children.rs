//! Child processes that do not outlive this one. The kernel ends a child when the *thread* that started it is gone, so
//! one thread, which never ends, starts them all.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel};

struct Order {
    command: Command,
    started: Sender<io::Result<Child>>,
}

static NURSERY: LazyLock<io::Result<Sender<Order>>> = LazyLock::new(|| {
    let (orders, received) = channel::<Order>();
    std::thread::Builder::new().name("nursery".to_owned()).spawn(move || {
        for Order { mut command, started } in received {
            // Whoever ordered may be gone; the child is then ended by the dropped handle's owner, or with us.
            let _ = started.send(command.spawn());
        }
    })?;
    Ok(orders)
});

/// A child that is ended with its handle, and by the kernel should this process go without a word.
#[derive(Debug)]
pub struct Owned(Child);

impl Owned {
    /// Starts a program, its standard streams closed unless `prepare` opens them.
    ///
    /// # Errors
    /// It cannot be started, or `setpriv` (util-linux) is missing.
    pub fn spawn(program: &Path, prepare: impl FnOnce(&mut Command)) -> io::Result<Self> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        prepare(&mut command);
        let (started, child) = channel();
        let gone = || io::Error::other("the thread that starts children is gone");
        let nursery = NURSERY.as_ref().map_err(|error| io::Error::other(error.to_string()))?;
        nursery.send(Order { command, started }).map_err(|_| gone())?;
        child.recv().map_err(|_| gone())?.map(Self)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Its standard input, once, if it was opened.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.0.stdin.take()
    }

    /// Its standard output, once, if it was opened.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system cannot say.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// SIGKILL, and gone when this returns.
    ///
    /// # Errors
    /// The system cannot end it.
    pub fn kill(&mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(|_| ())
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kill();
    }
}

/// A program that was built beside this one, also when this one is a test.
#[must_use]
pub fn beside_this_program(name: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().skip(1).take(3).map(|folder| folder.join(name)).find(|path| path.is_file())
}
