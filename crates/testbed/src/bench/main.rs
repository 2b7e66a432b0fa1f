//! `citizen-bench`: the marks of a visit, measured in the real window with the real reader stack. Prints a table; it
//! judges nothing. "Painted" is the window's own word, two animation frames after a view was drawn.

use clap::Parser;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use testbed::display::Display;
use testbed::street::Boot;
use testbed::{Street, StreetConfig, StreetError, io_error};

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures a visit's marks.
#[derive(Parser)]
#[command(name = "citizen-bench", version)]
struct Arguments {
    /// Starts of the kiosk that are counted.
    #[arg(long, default_value_t = 5)]
    starts: u32,
    /// Taps of the card that are counted.
    #[arg(long, default_value_t = 30)]
    taps: u32,
    /// Registered holders.
    #[arg(long, default_value_t = 2_000)]
    holders: u32,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("citizen-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), StreetError> {
    let folder = tempfile::Builder::new().prefix("bench").tempdir_in("/tmp").map_err(io_error("a folder"))?;
    let config = StreetConfig { holders: arguments.holders, ..StreetConfig::new(1, folder.path()) };
    let street = Street::start(config)?;
    let display = Display::start()?;
    // The first start fetches the feed and is not counted.
    drop(Window::start(&street, &display)?.0);
    let mut starts = Vec::new();
    for _ in 0..arguments.starts {
        starts.push(Window::start(&street, &display)?.1);
    }
    let (mut window, _) = Window::start(&street, &display)?;
    let (mut taps, mut own) = (Vec::new(), Vec::new());
    // The first tap warms up and is not counted.
    for tap in 0..=arguments.taps {
        street.lay_card();
        let line = window.wait(|line| line.contains("card_us="))?;
        street.lift_card();
        window.wait(|line| line.contains("screen=\"attract\""))?;
        if tap > 0 {
            taps.push(number(&line, "card_us="));
            own.push(number(&line, "own_us="));
        }
    }
    println!("{:<46} {:>5} {:>9} {:>9} {:>9}", "milliseconds", "runs", "median", "p95", "max");
    report("start of the process to attract painted", starts);
    report("card event to home painted", taps);
    report("  of it our own computing", own);
    Ok(())
}

/// A kiosk in its window, and the lines it logs.
struct Window {
    child: Child,
    lines: Receiver<String>,
}

impl Window {
    /// Starts it and waits until the invitation is painted; gives the microseconds that took.
    fn start(street: &Street, display: &Display) -> Result<(Self, u64), StreetError> {
        let program = Boot::program("citizen-kiosk")?;
        let mut command = Command::new("dbus-run-session");
        command.arg("--").arg(program).arg("--config").arg(street.boot().config());
        street.boot().dress(&mut command)?;
        command.env("DISPLAY", display.name()).env_remove("WAYLAND_DISPLAY").env("GDK_BACKEND", "x11");
        command.env("NO_AT_BRIDGE", "1").env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
        command.env("RUST_LOG", "error,kiosk::paint=debug").stderr(Stdio::piped()).process_group(0);
        let begun = Instant::now();
        let mut child = command.spawn().map_err(io_error("the kiosk"))?;
        let (sender, lines) = channel();
        let output = child.stderr.take();
        std::thread::spawn(move || {
            for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()).map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut window = Self { child, lines };
        window.wait(|line| line.contains("screen=\"attract\""))?;
        Ok((window, u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)))
    }

    fn wait(&mut self, wanted: impl Fn(&str) -> bool) -> Result<String, StreetError> {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).map_err(|_| StreetError::KioskEnded("no such line".into()))?;
            if wanted(&line) {
                return Ok(line);
            }
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // The bus, the kiosk and its web process are one group.
        if let Ok(id) = i32::try_from(self.child.id()) {
            let group = nix::unistd::Pid::from_raw(id);
            if let Err(error) = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL) {
                eprintln!("citizen-bench: the kiosk could not be ended: {error}");
            }
        }
        if let Err(error) = self.child.wait() {
            eprintln!("citizen-bench: {error}");
        }
    }
}

fn number(line: &str, name: &str) -> u64 {
    let digits = line.split(name).nth(1).unwrap_or_default();
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a bench are far below 2^52")]
fn report(name: &str, mut micros: Vec<u64>) {
    micros.sort_unstable();
    let at = |share: usize| micros.get((micros.len() * share / 100).min(micros.len().saturating_sub(1)));
    let ms = |value: Option<&u64>| value.map_or_else(String::new, |value| format!("{:.1}", *value as f64 / 1_000.0));
    println!("{name:<46} {:>5} {:>9} {:>9} {:>9}", micros.len(), ms(at(50)), ms(at(95)), ms(micros.last()));
}
