//! A printer that is there: an `ippeveprinter` process on loopback with a paper path of ours. Whole documents come out
//! as files in its exit tray; paper, jams and doors are at the tester's hand.

mod process;

use ipp::attribute::IppAttribute;
use ipp::model::{DelimiterTag, IppVersion, Operation, StatusCode};
use ipp::payload::IppPayload;
use ipp::prelude::{IppClient, IppValue};
use ipp::request::IppRequestResponse;
use process::Processes;
use std::io::{self, Cursor, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const PAPER_PATH: &str = include_str!("printer/paper-path.sh");
const SHEETS: u32 = 250;

/// What is wrong with the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The tray is empty.
    PaperOut,
    /// Paper is jammed.
    Jam,
    /// The cover is open.
    Open,
    /// It takes a document and then refuses it; it reports nothing before.
    Refuses,
    /// Half a page comes out, and it calls the job done.
    HalfPage,
    /// It takes a document and moves no paper; it reports nothing.
    Stuck,
    /// Nothing.
    None,
}

impl Fault {
    /// What the paper path reads.
    fn note(self) -> Option<&'static str> {
        match self {
            Self::Jam => Some("jam"),
            Self::Open => Some("open"),
            Self::Refuses => Some("refuses"),
            Self::HalfPage => Some("half"),
            Self::Stuck => Some("stuck"),
            Self::PaperOut | Self::None => None,
        }
    }

    /// What the printer then reports, before the severity.
    fn reason(self) -> Option<&'static str> {
        match self {
            Self::PaperOut => Some("media-empty"),
            Self::Jam => Some("media-jam"),
            Self::Open => Some("cover-open"),
            Self::Refuses | Self::HalfPage | Self::Stuck | Self::None => None,
        }
    }
}

/// A running printer. It and its bus end with this handle, and with the process.
#[derive(Debug)]
pub struct VirtualPrinter {
    home: PathBuf,
    addr: SocketAddr,
    processes: Processes,
    fault: std::sync::Mutex<Fault>,
}

impl VirtualPrinter {
    /// Sets a printer up in an existing folder, and returns once it answers. Needs the programs `ippeveprinter`
    /// (package cups-ipp-utils), `dbus-daemon` (dbus) and `setpriv` (util-linux).
    ///
    /// # Errors
    /// A program is missing, the folder cannot be written, or the printer does not come up in time.
    pub fn start(dir: &Path) -> io::Result<Self> {
        let home = dir.canonicalize()?;
        for folder in ["papers", "taken", "spool"] {
            std::fs::create_dir_all(home.join(folder))?;
        }
        let command = home.join("paper-path");
        std::fs::write(&command, PAPER_PATH)?;
        std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o755))?;
        let (processes, port) = Processes::start(&home, &command)?;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let printer = Self { home, addr, processes, fault: std::sync::Mutex::new(Fault::None) };
        printer.set_fault(Fault::None)?;
        Ok(printer)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its address for a driver.
    #[must_use]
    pub fn uri(&self) -> String {
        uri_at(self.addr)
    }

    /// The papers in the exit tray, the first printed first. A name printed twice is there twice.
    ///
    /// # Errors
    /// The tray cannot be read.
    pub fn papers(&self) -> io::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(self.home.join("papers"))?;
        let mut papers = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        // Names are random; the moment they came out is not.
        papers.sort_by_key(|paper| (std::fs::metadata(paper).and_then(|data| data.modified()).ok(), paper.clone()));
        Ok(papers)
    }

    /// The citizen takes the papers; where they are now.
    ///
    /// # Errors
    /// The tray cannot be emptied.
    pub fn take_paper(&self) -> io::Result<Vec<PathBuf>> {
        let mut taken = Vec::new();
        for paper in self.papers()? {
            if let Some(name) = paper.file_name() {
                let to = self.home.join("taken").join(name);
                std::fs::rename(&paper, &to)?;
                taken.push(to);
            }
        }
        Ok(taken)
    }

    /// Breaks or mends the printer, also in the middle of a job; returns once the printer itself reports it.
    ///
    /// # Errors
    /// The printer is off, or does not come to report the fault in time.
    pub fn set_fault(&self, fault: Fault) -> io::Result<()> {
        *self.fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = fault;
        let note = self.home.join("fault");
        match fault.note() {
            Some(text) => std::fs::write(&note, text)?,
            None if note.exists() => std::fs::remove_file(&note)?,
            None => {}
        }
        // Without paper the paper path does not run, so what it reports is mended first.
        self.load_tray(SHEETS)?;
        self.until_reported(if fault == Fault::PaperOut { Fault::None } else { fault })?;
        if fault == Fault::PaperOut {
            self.load_tray(0)?;
            self.until_reported(fault)?;
        }
        Ok(())
    }

    fn until_reported(&self, fault: Fault) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let blocking = [Fault::PaperOut, Fault::Jam, Fault::Open].map(Fault::reason);
        loop {
            let reasons = self.reasons()?;
            let has = |reason: &str| reasons.iter().any(|reported| reported.starts_with(reason));
            if blocking.iter().flatten().all(|&reason| has(reason) == (fault.reason() == Some(reason))) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(io::Error::other(format!("the printer reports {reasons:?} instead of {fault:?}")));
            }
            if fault != Fault::PaperOut {
                self.nudge()?;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Switches the printer off.
    ///
    /// # Errors
    /// It cannot be ended.
    pub fn stop(&self) -> io::Result<()> {
        self.processes.stop()
    }

    /// Switches it off and on, at the same address: jobs and job numbers are forgotten, the fault stays.
    ///
    /// # Errors
    /// It does not come up in time.
    pub fn restart(&self) -> io::Result<()> {
        self.processes.restart()?;
        let fault = *self.fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.set_fault(fault)
    }

    /// Fills or empties the tray through the printer's own web form.
    fn load_tray(&self, sheets: u32) -> io::Result<()> {
        let form = format!("size1=iso_a4_210x297mm&type1=stationery&level1={sheets}&size3=&type3=&level3=-2");
        let mut stream = TcpStream::connect(self.addr)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /media?{form} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", self.addr.port())?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        if answer.ends_with(b"200") {
            return Ok(());
        }
        Err(io::Error::other(format!("the tray was not loaded: {}", String::from_utf8_lossy(&answer))))
    }

    /// Lets the paper path run without a document, so that it reports its fault. A busy printer's does so anyway.
    fn nudge(&self) -> io::Result<()> {
        let mut request = self.request(Operation::PrintJob)?;
        let name = IppValue::NameWithoutLanguage("service".try_into().map_err(io::Error::other)?);
        let format = IppValue::MimeMediaType("application/pdf".try_into().map_err(io::Error::other)?);
        for (key, value) in [("job-name", name), ("document-format", format)] {
            let attribute = IppAttribute::with_name(key, value).map_err(io::Error::other)?;
            request.attributes_mut().add(DelimiterTag::OperationAttributes, attribute);
        }
        *request.payload_mut() = IppPayload::new(Cursor::new(b"SERVICE"));
        match self.send(request)?.header().status_code() {
            StatusCode::ServerErrorBusy => Ok(()),
            status if status.is_success() => Ok(()),
            status => Err(io::Error::other(format!("the paper path could not be run: {status:?}"))),
        }
    }

    /// The printer-state-reasons as they are.
    fn reasons(&self) -> io::Result<Vec<String>> {
        let answer = self.send(self.request(Operation::GetPrinterAttributes)?)?;
        let group = answer.attributes().first_of(DelimiterTag::PrinterAttributes);
        let value = group.and_then(|group| group.get("printer-state-reasons")).map(IppAttribute::value);
        Ok(match value {
            Some(IppValue::Array(reasons)) => reasons.iter().map(ToString::to_string).collect(),
            Some(reason) => vec![reason.to_string()],
            None => Vec::new(),
        })
    }

    fn request(&self, operation: Operation) -> io::Result<IppRequestResponse> {
        let uri = self.uri().parse().map_err(io::Error::other)?;
        IppRequestResponse::new(IppVersion::v2_0(), operation, Some(uri)).map_err(io::Error::other)
    }

    fn send(&self, request: IppRequestResponse) -> io::Result<IppRequestResponse> {
        let uri = self.uri().parse().map_err(io::Error::other)?;
        IppClient::builder(uri).request_timeout(PATIENCE).build().send(request).map_err(io::Error::other)
    }
}

/// The driver's address of a virtual printer that is reached at `addr`, such as through a [`crate::link::Link`].
#[must_use]
pub fn uri_at(addr: SocketAddr) -> String {
    format!("ipp://{addr}/ipp/print")
}
