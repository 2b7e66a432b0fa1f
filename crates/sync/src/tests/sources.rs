//! The same feed from a folder and from nginx as it comes from central.

use super::http::client;
use crate::double::{City, NOW, Terminal, public, tap_base};
use crate::feed::{FeedError, Pulled, pull};
use crate::{Driver, FeedFolder, FeedServer, FeedSource, SyncSettings, SyncState};
use domain::FailureCode;
use protocol::{FeedFloor, FileHash, FileKind, HeadError, ProblemCode, RecordId, Tier};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;

const STARTS_MAX: u32 = 5;

/// Writes the city's feed as central lays it out.
fn lay_out(city: &City, folder: &Path) {
    let state = city.state();
    std::fs::create_dir_all(folder.join("files")).unwrap();
    for (sha256, bytes) in &state.files {
        std::fs::write(folder.join("files").join(sha256.to_string()), bytes).unwrap();
    }
    std::fs::write(folder.join("head.json"), serde_json::to_vec(&state.head).unwrap()).unwrap();
}

pub(super) struct Stick {
    pub(super) city: City,
    pub(super) folder: tempfile::TempDir,
}

impl Stick {
    pub(super) fn new() -> Self {
        let stick = Self { city: City::new(), folder: tempfile::tempdir().unwrap() };
        stick.publish(4);
        stick
    }

    fn publish(&self, sequence: u64) {
        self.city.publish_standard(sequence);
        lay_out(&self.city, self.folder.path());
    }

    fn source(&self) -> FeedFolder {
        FeedFolder::new(self.folder.path())
    }

    fn file(&self, sha256: FileHash) -> PathBuf {
        self.folder.path().join("files").join(sha256.to_string())
    }

    async fn pulled(&self, source: &impl FeedSource, terminal: &Arc<Terminal>) -> Result<Pulled, FeedError> {
        pull(source, terminal, &self.city.trust(), &terminal.ring, NOW).await
    }
}

/// Loads a feed, then the next one, then refuses the first.
async fn serves(stick: &Stick, source: &impl FeedSource) {
    let terminal = Arc::new(Terminal::new());
    let sequence = |pulled: Result<Pulled, FeedError>| pulled.unwrap().feed().sequence;
    assert_eq!(sequence(stick.pulled(source, &terminal).await), 4);
    assert!(terminal.reader.lock().unwrap().row(Tier::Tap, &RecordId([2; 16])).unwrap().is_some());
    let old = std::fs::read(stick.folder.path().join("head.json")).unwrap();
    stick.publish(5);
    assert_eq!(sequence(stick.pulled(source, &terminal).await), 5);
    std::fs::write(stick.folder.path().join("head.json"), old).unwrap();
    let back = stick.pulled(source, &terminal).await;
    assert!(matches!(back, Err(FeedError::Head(HeadError::GoesBack { .. }))));
    let floor = FeedFloor { key_version: 1, epoch: 1, sequence: 5 };
    assert_eq!((terminal.journal().floor().unwrap(), terminal.served()), (floor, 2));
}

#[tokio::test]
async fn a_folder_serves_the_feed_and_is_checked_the_same() {
    let stick = Stick::new();
    serves(&stick, &stick.source()).await;
}

#[tokio::test]
async fn plain_nginx_serves_the_feed_and_is_checked_the_same() {
    let stick = Stick::new();
    let nginx = Nginx::start(stick.folder.path());
    serves(&stick, &FeedServer::new(client(&nginx.base, 0))).await;
}

/// A terminal that looks at the city's central and at a mirror.
async fn beside(city: &City, nginx: &Nginx) -> (bool, SyncState) {
    let mirror = FeedServer::beside(&client("http://127.0.0.1:1", 0), &nginx.base).unwrap();
    let (terminal, settings) = (Arc::new(Terminal::new()), SyncSettings { codes_low: 0, ..SyncSettings::default() });
    let (driver, state) = Driver::new(city.clone(), terminal, city.trust(), settings, Arc::default());
    let fine = driver.with_mirror(Some(mirror)).pull_once().await.unwrap();
    let state = *state.borrow();
    assert!(state.last_feed.is_some());
    (fine, state)
}

#[tokio::test]
async fn a_mirror_has_the_files_and_while_central_is_silent_the_head() {
    let stick = Stick::new();
    let nginx = Nginx::start(stick.folder.path());
    let (fine, state) = beside(&stick.city, &nginx).await;
    assert_eq!((fine, state.online, stick.city.state().fetched.len()), (true, true, 0));

    let entries = stick.city.publish_standard(4);
    let (gone, changed) = (entries[1].sha256, entries[2].sha256);
    std::fs::remove_file(stick.file(gone)).unwrap();
    std::fs::write(stick.file(changed), b"another").unwrap();
    assert!(beside(&stick.city, &nginx).await.0);
    assert_eq!(stick.city.state().fetched, [gone, changed], "what the mirror lacks is central's");

    stick.publish(5);
    stick.city.state().cut = true;
    let (fine, state) = beside(&stick.city, &nginx).await;
    assert_eq!(
        (fine, state.online, state.last_feed.unwrap().sequence),
        (false, false, 5),
        "central is tried again soon"
    );
}

#[test]
fn a_mirror_over_tls_is_for_terminals_with_a_certificate() {
    let check = |base: &str, fine| {
        let made = FeedServer::beside(&client("http://127.0.0.1:1", 0), base);
        assert_eq!(made.is_ok(), fine, "{base}");
    };
    check("http://feed.example", true);
    check("https://feed.example", false);
    check("http://feed.example/bahia", false);
    check("feed.example", false);
}

#[tokio::test]
async fn nginx_answers_what_is_missing_or_too_long_with_no_file() {
    let stick = Stick::new();
    let nginx = Nginx::start(stick.folder.path());
    let server = FeedServer::new(client(&nginx.base, 0));
    let refused = async |sha256, bytes_max| server.fetch(sha256, bytes_max).await.unwrap_err().code;
    assert_eq!(refused(FileHash([9; 32]), 9).await, ProblemCode::NotFound);
    let sha256 = FileHash::of(b"dictionary");
    assert_eq!(refused(sha256, 9).await, ProblemCode::Untrusted);
    assert_eq!(server.fetch(sha256, 10).await.unwrap(), b"dictionary");
}

#[tokio::test]
async fn what_a_stick_holds_beside_the_feed_is_not_opened() {
    let stick = Stick::new();
    let sha256 = FileHash::of(b"dictionary");
    let refused = async |bytes_max| stick.source().fetch(sha256, bytes_max).await.unwrap_err().code;
    assert_eq!(refused(9).await, ProblemCode::Untrusted);
    std::fs::remove_file(stick.file(sha256)).unwrap();
    assert_eq!(refused(10).await, ProblemCode::NotFound);
    std::os::unix::fs::symlink("/dev/zero", stick.file(sha256)).unwrap();
    assert_eq!(refused(10).await, ProblemCode::Untrusted);
    std::fs::write(stick.folder.path().join("head.json"), vec![b' '; 70_000]).unwrap();
    assert_eq!(stick.source().newest().await.unwrap_err().code, ProblemCode::Untrusted);
    assert_eq!(FeedFolder::new(Path::new("/dev/null")).newest().await.unwrap_err().code, ProblemCode::NotFound);
}

#[tokio::test]
async fn a_stick_pulled_out_half_way_is_gone_on_with() {
    let (stick, terminal) = (Stick::new(), Arc::new(Terminal::new()));
    let entries = stick.city.publish_standard(4);
    for entry in &entries[30..] {
        std::fs::remove_file(stick.file(entry.sha256)).unwrap();
    }
    assert!(matches!(stick.pulled(&stick.source(), &terminal).await, Err(FeedError::Incomplete(36))));
    // Central has the rest.
    stick.city.state().fetched.clear();
    assert_eq!(stick.pulled(&stick.city, &terminal).await.unwrap().feed().sequence, 4);
    assert_eq!(stick.city.state().fetched.len(), 1 + 36);
}

/// These bytes with another one in a place from 0, the first, to 2, the last.
fn changed(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = place * (bytes.len() - 1) / 2;
    bytes[at] ^= 1;
    bytes
}

#[tokio::test]
async fn a_changed_byte_at_either_end_or_in_the_middle_of_any_file_of_a_stick_is_found() {
    let stick = Stick::new();
    let head = std::fs::read(stick.folder.path().join("head.json")).unwrap();
    let manifest = stick.city.trust().verify(&stick.source().newest().await.unwrap()).unwrap().head.manifest;
    let files = stick.city.state().files.clone();
    let refused = async |what: &str| {
        let terminal = Arc::new(Terminal::new());
        let error = stick.pulled(&stick.source(), &terminal).await.unwrap_err();
        assert_eq!((error.code(), terminal.served()), (FailureCode::FeedUntrusted, 0), "{what}: {error}");
        error
    };
    for place in 0..3 {
        let spoilt = changed(&head, place);
        std::fs::write(stick.folder.path().join("head.json"), spoilt).unwrap();
        refused("the head").await;
        std::fs::write(stick.folder.path().join("head.json"), &head).unwrap();
        std::fs::write(stick.file(manifest), changed(&files[&manifest], place)).unwrap();
        assert!(matches!(refused("the manifest").await, FeedError::Contradiction(_)));
        std::fs::write(stick.file(manifest), &files[&manifest]).unwrap();
        // Each wrong file is counted, so that all of them can be spoilt at once.
        let others: Vec<_> = files.iter().filter(|(sha256, _)| **sha256 != manifest).collect();
        for (sha256, bytes) in &others {
            std::fs::write(stick.file(**sha256), changed(bytes, place)).unwrap();
        }
        let error = refused("all others").await;
        assert!(matches!(error, FeedError::Incomplete(wrong) if wrong == others.len() && wrong == 66), "{error}");
        others.iter().for_each(|(sha256, bytes)| std::fs::write(stick.file(**sha256), bytes).unwrap());
    }
    assert!(stick.pulled(&stick.source(), &Arc::new(Terminal::new())).await.is_ok(), "and unspoilt it is good");
}

#[tokio::test]
async fn a_driver_takes_a_stick_while_central_is_away_and_says_so_of_neither() {
    let (stick, terminal) = (Stick::new(), Arc::new(Terminal::new()));
    stick.city.state().cut = true;
    let (central, trust) = (stick.city.clone(), stick.city.trust());
    let (driver, state) = Driver::new(central, Arc::clone(&terminal), trust, SyncSettings::default(), Arc::default());
    assert!(!driver.pull_once().await.unwrap());
    assert_eq!(driver.pull_from(&stick.source()).await.unwrap().feed().sequence, 4);
    let state = *state.borrow();
    assert_eq!((state.online, state.last_feed.map(|feed| feed.sequence), state.feed_failure), (false, Some(4), None));
}

#[tokio::test]
async fn a_file_longer_than_its_kind_may_be_ends_it_before_anything_is_fetched() {
    let (stick, terminal) = (Stick::new(), Arc::new(Terminal::new()));
    let mut files = tap_base(9, &[1]);
    files.push(public(FileKind::CityPack, "city.toml", b"pack"));
    let long = FileKind::CityPack.bytes_max() + 1;
    stick.city.publish_unchecked(9, files, |manifest| manifest.files[64].bytes = long);
    stick.city.state().fetched.clear();
    assert!(matches!(stick.pulled(&stick.city, &terminal).await, Err(FeedError::Contradiction(_))));
    assert_eq!(stick.city.state().fetched.len(), 1, "the manifest alone");
}

/// A web server without any configuration but a root; it dies with this handle, or with the thread that started it.
pub(super) struct Nginx {
    child: Child,
    pub(super) base: String,
    _words: BufReader<ChildStderr>,
    _folder: tempfile::TempDir,
}

impl Nginx {
    pub(super) fn start(root: &Path) -> Self {
        // nginx cannot take port 0. Whoever is quicker with the port it is given takes it; then another is tried.
        let started = (0..STARTS_MAX).find_map(|_| Self::try_start(root));
        started.expect("nginx (scripts/setup.sh installs it) does not start")
    }

    fn try_start(root: &Path) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (temporary, root) = (folder.path().display(), root.display());
        let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {temporary}/{kind};"))
            .concat();
        let configuration = format!(
            "daemon off; master_process off; pid {temporary}/pid; error_log stderr notice; events {{}}
             http {{ access_log off; {paths} server {{ listen 127.0.0.1:{port}; root {root}; }} }}"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "/usr/sbin/nginx", "-e", "stderr", "-c"]).arg(&file);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut words = BufReader::new(child.stderr.take().unwrap());
        // It tells its system once it listens.
        let listens = words.by_ref().lines().map_while(Result::ok).any(|line| line.contains(": OS: "));
        let base = format!("http://127.0.0.1:{port}");
        let nginx = Self { child, base, _words: words, _folder: folder };
        listens.then_some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
