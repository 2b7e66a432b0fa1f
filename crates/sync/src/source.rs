//! Where a feed comes from: central, a folder (a stick or a mounted mirror), or a static server that has the same folder.
//! None of them is believed: head and files are checked in the same way, wherever they were.

use crate::http::{Ask, untrusted};
use crate::{FeedError, HttpCentral};
use protocol::head::HEAD_BYTES_MAX;
use protocol::{Central, FileHash, HeadError, Problem, ProblemCode, SignedHead};
use std::future::Future;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The head in a folder of the feed.
const HEAD_FILE: &str = "head.json";
/// The folder of files, each named by its hash.
const FILES: &str = "files";

/// The feed's half of `Central`: whatever has a head and files.
pub trait FeedSource: Send + Sync {
    /// The newest head, not yet verified.
    fn newest(&self) -> impl Future<Output = Result<SignedHead, Problem>> + Send;

    /// A whole file of at most so many bytes. Whether it has the hash is the caller's to check.
    fn fetch(&self, sha256: FileHash, bytes_max: u64) -> impl Future<Output = Result<Vec<u8>, Problem>> + Send;
}

impl<C: Central> FeedSource for C {
    async fn newest(&self) -> Result<SignedHead, Problem> {
        self.head().await
    }

    async fn fetch(&self, sha256: FileHash, bytes_max: u64) -> Result<Vec<u8>, Problem> {
        self.file_within(sha256, bytes_max).await
    }
}

/// A folder with `head.json` and `files/<sha256>`, as central publishes it.
#[derive(Debug, Clone)]
pub struct FeedFolder(PathBuf);

impl FeedFolder {
    /// The feed in this folder. Whether there is one shows when it is read.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }
}

impl FeedSource for FeedFolder {
    async fn newest(&self) -> Result<SignedHead, Problem> {
        let path = self.0.join(HEAD_FILE);
        head_of(&reading(path, HEAD_BYTES_MAX).await?)
    }

    async fn fetch(&self, sha256: FileHash, bytes_max: u64) -> Result<Vec<u8>, Problem> {
        reading(self.0.join(FILES).join(sha256.to_string()), bytes_max).await
    }
}

/// The same folder behind any static file server.
#[derive(Debug, Clone)]
pub struct FeedServer(HttpCentral);

impl FeedServer {
    /// A static server by its base address, without a path. Over TLS it is shown the certificate that central is shown
    /// and has one of the city's authority; over plain HTTP, anywhere, it is told nothing.
    ///
    /// # Errors
    /// `Malformed` when there is no such address, or it is HTTPS and there is no certificate to show.
    pub fn beside(central: &HttpCentral, base: &str) -> Result<Self, Problem> {
        central.mirror(base).map(Self)
    }

    /// A server at the client's base address.
    #[must_use]
    pub fn new(client: HttpCentral) -> Self {
        Self(client)
    }
}

impl FeedSource for FeedServer {
    async fn newest(&self) -> Result<SignedHead, Problem> {
        head_of(&self.0.answer(Ask::get(&format!("/{HEAD_FILE}"))).await?)
    }

    async fn fetch(&self, sha256: FileHash, bytes_max: u64) -> Result<Vec<u8>, Problem> {
        self.0.answer(Ask::file(&format!("/{FILES}/{sha256}"), bytes_max)).await
    }
}

/// Central with a mirror beside it, for one pull. Central says what is newest, and the mirror when central is silent;
/// files come from the mirror, and from central what the mirror has not got whole.
#[derive(Debug)]
pub(crate) struct Mirrored<'a, C> {
    central: &'a C,
    mirror: Option<&'a FeedServer>,
    silence: OnceLock<Problem>,
    mirror_is_silent: AtomicBool,
}

impl<'a, C> Mirrored<'a, C> {
    pub(crate) fn new(central: &'a C, mirror: Option<&'a FeedServer>) -> Self {
        Self { central, mirror, silence: OnceLock::new(), mirror_is_silent: AtomicBool::new(false) }
    }

    /// Central was asked for its head, and nobody answered.
    pub(crate) fn central_is_silent(&self) -> bool {
        self.silence.get().is_some()
    }

    /// What a pull from here failed with. A mirror's head that is older than what this terminal has had is nobody's
    /// fault while central is silent: a copy may lag behind, and there simply is nothing new.
    pub(crate) fn explained(&self, error: FeedError) -> FeedError {
        match (error, self.silence.get()) {
            (FeedError::Head(HeadError::GoesBack { head, floor }), Some(silence)) => {
                tracing::info!(?head, ?floor, "the mirror lags behind what this terminal has had");
                silence.clone().into()
            }
            (error, _) => error,
        }
    }

    /// The file as the mirror has it; `None` when central has to be asked.
    async fn mirrored(&self, sha256: FileHash, bytes_max: u64) -> Option<Vec<u8>> {
        // One that did not answer once is not waited for again for each of a hundred files.
        let mirror = self.mirror.filter(|_| !self.mirror_is_silent.load(Ordering::Relaxed))?;
        match mirror.fetch(sha256, bytes_max).await {
            Ok(bytes) if FileHash::of(&bytes) == sha256 => return Some(bytes),
            Ok(_) => tracing::warn!(%sha256, "the mirror has another file under this name"),
            Err(problem) => {
                self.mirror_is_silent.fetch_or(problem.is_silence(), Ordering::Relaxed);
                tracing::info!(%sha256, %problem, "the mirror does not have this file");
            }
        }
        None
    }
}

impl<C: Central> FeedSource for Mirrored<'_, C> {
    async fn newest(&self) -> Result<SignedHead, Problem> {
        let problem = match self.central.head().await {
            Err(problem) if problem.is_silence() => problem,
            answer => return answer,
        };
        let silence = self.silence.get_or_init(|| problem).clone();
        match self.mirror {
            Some(mirror) => mirror.newest().await.map_err(|_| silence),
            None => Err(silence),
        }
    }

    async fn fetch(&self, sha256: FileHash, bytes_max: u64) -> Result<Vec<u8>, Problem> {
        match self.mirrored(sha256, bytes_max).await {
            Some(bytes) => Ok(bytes),
            None => self.central.file_within(sha256, bytes_max).await,
        }
    }
}

fn head_of(bytes: &[u8]) -> Result<SignedHead, Problem> {
    serde_json::from_slice(bytes).map_err(|_| untrusted("the head cannot be read"))
}

/// Reads away from the runtime: a stick is slow.
async fn reading(path: PathBuf, bytes_max: u64) -> Result<Vec<u8>, Problem> {
    let read = tokio::task::spawn_blocking(move || read(&path, bytes_max)).await;
    read.map_err(|error| Problem::new(ProblemCode::Unreachable, error.to_string()))?
}

/// A stick may hold anything: what is no plain file, or too long, is not opened.
fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Problem> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Problem::new(ProblemCode::NotFound, "not in the folder"),
        _ => Problem::new(ProblemCode::Unreachable, error.to_string()),
    };
    let found = std::fs::symlink_metadata(path).map_err(failed)?;
    if !found.is_file() || found.len() > bytes_max {
        return Err(untrusted("no plain file, or longer than it may be"));
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    std::fs::File::open(path).map_err(failed)?.take(bytes_max).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
