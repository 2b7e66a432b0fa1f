//! A reader behind the real pcscd, as the kiosk sees it: notices of cards, and connections to them.

use card::{Apdu, PcscTransport, ReaderNotice, ReaderWatcher, Reply, Transport, TransportError};
use card_simulator::{AnyCard, CardHost, FaultKind, FaultPlan, When};
use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use testbed::pcsc::{READER, as_client};

/// How long a notice may take; pcscd looks every 400 ms.
const NOTICE_MAX: Duration = Duration::from_secs(20);
/// How long an exchange may take.
const EXCHANGE_MAX: Duration = Duration::from_secs(20);

/// One lifting: at which exchange of the errand, and how.
#[derive(Debug, Clone)]
pub(crate) struct Tear {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) kind: FaultKind,
}

impl fmt::Display for Tear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at exchange {} ({})", self.kind, self.number, self.name)
    }
}

/// Each of the exchanges, lifted in these ways.
pub(crate) fn tears(names: &[String], kinds: &[FaultKind]) -> Vec<Tear> {
    let numbered = (1..).zip(names);
    numbered
        .flat_map(|(number, name)| kinds.iter().map(move |&kind| Tear { number, name: name.clone(), kind }))
        .collect()
}

/// Tells what was being done when a check fails.
pub(crate) struct Scene(pub(crate) String);

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the scene: {}", self.0);
        }
    }
}

/// A connection whose exchanges are counted.
#[derive(Debug)]
pub(crate) struct Traced {
    inner: PcscTransport,
    names: Rc<RefCell<Vec<String>>>,
}

impl Transport for Traced {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        let head: Vec<String> = command.bytes().iter().take(4).map(|byte| format!("{byte:02X}")).collect();
        self.names.borrow_mut().push(head.join(" "));
        self.inner.transmit(command)
    }

    fn atr(&self) -> &[u8] {
        self.inner.atr()
    }

    fn reader_name(&self) -> &str {
        self.inner.reader_name()
    }
}

/// The tray, the card that belongs to it, and the watcher.
pub(crate) struct Reader {
    tray: CardHost,
    pub(crate) card: Arc<Mutex<AnyCard>>,
    watcher: ReaderWatcher,
    names: Rc<RefCell<Vec<String>>>,
}

/// Runs `body` in a child of its own with a pcscd of its own.
pub(crate) fn with_reader(test: &str, card: AnyCard, body: impl FnOnce(Reader)) {
    let folder = tempfile::tempdir().unwrap();
    as_client(test, folder.path(), |tray| body(Reader::at(tray, card))).unwrap();
}

impl Reader {
    fn at(tray: &Path, card: AnyCard) -> Self {
        let tray = CardHost::listen(tray).unwrap();
        let mut reader =
            Self { tray, card: Arc::new(Mutex::new(card)), watcher: ReaderWatcher::new(READER), names: Rc::default() };
        reader.await_notice(ReaderNotice::Ready);
        reader
    }

    pub(crate) fn await_notice(&mut self, expected: ReaderNotice) {
        loop {
            match self.watcher.next(NOTICE_MAX) {
                notice if notice == expected => return,
                ReaderNotice::Idle => panic!("the watcher never says {expected:?}"),
                ReaderNotice::Gone => panic!("the reader is gone"),
                _ => {}
            }
        }
    }

    /// Lays the card down, and waits until the terminal knows.
    pub(crate) fn lay(&mut self) {
        self.tray.insert(Arc::clone(&self.card));
        self.await_notice(ReaderNotice::CardArrived);
    }

    /// Takes the card out, and lays another one there.
    pub(crate) fn replace(&mut self, card: AnyCard) {
        if self.tray.remove() {
            self.await_notice(ReaderNotice::CardGone);
        }
        self.card = Arc::new(Mutex::new(card));
        self.lay();
    }

    pub(crate) fn connect(&self) -> Traced {
        let inner = self.watcher.connect(EXCHANGE_MAX).unwrap();
        Traced { inner, names: Rc::clone(&self.names) }
    }

    pub(crate) fn card(&self) -> MutexGuard<'_, AnyCard> {
        self.card.lock().unwrap()
    }

    /// From here on exchanges are counted, and at one of them the card is lifted.
    pub(crate) fn begin(&self, tear: Option<&Tear>) {
        self.names.borrow_mut().clear();
        let plan = tear.map_or_else(FaultPlan::none, |tear| FaultPlan::once(When::Exchange(tear.number), tear.kind));
        self.card().set_faults(plan);
    }

    /// The names of the exchanges since.
    pub(crate) fn end(&self) -> Vec<String> {
        self.card().set_faults(FaultPlan::none());
        self.names.take()
    }

    /// The tear that was planned has struck: the terminal sees the card go, and the citizen lays it down again.
    pub(crate) fn lay_again(&mut self) {
        assert!(!self.tray.is_occupied(), "the card was lifted");
        self.await_notice(ReaderNotice::CardGone);
        self.lay();
    }
}
