//! Mirrors that lag behind, drip or do not answer: none of them may keep a terminal from its feed, or from its calm.

use super::http::client;
use super::sources::{Nginx, Stick};
use crate::double::{City, NOW, Terminal};
use crate::feed::pull;
use crate::{Driver, FeedServer, SyncSettings, SyncState};
use domain::FailureCode;
use protocol::{FeedFloor, FileHash};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a driver beside this mirror says after one pull.
async fn pulled(city: &City, terminal: &Arc<Terminal>, mirror: FeedServer) -> (bool, SyncState) {
    let settings = SyncSettings { codes_low: 0, ..SyncSettings::default() };
    let (driver, state) = Driver::new(city.clone(), Arc::clone(terminal), city.trust(), settings, Arc::default());
    let fine = driver.with_mirror(Some(mirror)).pull_once().await.unwrap();
    let state = *state.borrow();
    (fine, state)
}

#[tokio::test]
async fn a_mirror_that_lags_while_central_is_silent_is_no_news_and_no_reason_for_doubt() {
    let stick = Stick::new();
    let nginx = Nginx::start(stick.folder.path());
    let mirror = || FeedServer::beside(&client("http://127.0.0.1:1", 0), &nginx.base).unwrap();
    let (city, terminal) = (&stick.city, Arc::new(Terminal::new()));
    city.publish_standard(5);
    pull(city, &terminal, &city.trust(), &terminal.ring, NOW).await.unwrap();
    city.state().cut = true;
    let away = Some(FailureCode::CentralUnreachable);
    let (fine, state) = pulled(city, &terminal, mirror()).await;
    assert_eq!((fine, state.online, state.feed_failure), (false, false, away));
    // A new terminal, whose floor came with its enrolment: it waits for central, and does not close.
    let newcomer = Arc::new(Terminal::new());
    newcomer.journal().raise_floor(FeedFloor { key_version: 1, epoch: 1, sequence: 5 }).unwrap();
    assert_eq!(pulled(city, &newcomer, mirror()).await.1.feed_failure, away);
    // Of central itself it is doubted.
    city.state().cut = false;
    city.publish_standard(4);
    assert_eq!(pulled(city, &terminal, mirror()).await.1.feed_failure, Some(FailureCode::FeedUntrusted));
}

/// What a slow mirror does with a request for a file.
#[derive(Debug, Clone, Copy)]
enum Slow {
    /// A byte now and then, within the silence that is borne.
    Drips,
    /// Nothing.
    Waits,
}

/// A mirror of a city that has the manifest, and is slow with every other file.
#[derive(Clone)]
struct SlowMirror {
    city: City,
    slow: Slow,
    manifest: FileHash,
    /// How many of the other files it was asked for.
    asked: Arc<AtomicU32>,
}

impl SlowMirror {
    async fn start(city: &City, slow: Slow) -> (FeedServer, Arc<AtomicU32>) {
        let signed = city.state().head.clone().unwrap();
        let manifest = city.trust().verify(&signed).unwrap().head.manifest;
        let asked = Arc::new(AtomicU32::new(0));
        let mirror = Self { city: city.clone(), slow, manifest, asked: Arc::clone(&asked) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                tokio::spawn(mirror.clone().answer(line));
            }
        });
        (FeedServer::beside(&client("http://127.0.0.1:1", 0), &base).unwrap(), asked)
    }

    async fn answer(self, line: TcpStream) -> std::io::Result<()> {
        let mut line = BufReader::new(line);
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            line.read_line(&mut request).await?;
        }
        let path = request.split(' ').nth(1).unwrap();
        let sha256: FileHash = path.strip_prefix("/files/").unwrap().parse().unwrap();
        let bytes = self.city.state().files[&sha256].clone();
        if sha256 != self.manifest {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if let Slow::Waits = self.slow {
                return std::future::pending().await;
            }
        }
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len());
        line.write_all(head.as_bytes()).await?;
        if sha256 == self.manifest {
            return line.write_all(&bytes).await;
        }
        for byte in bytes {
            tokio::time::sleep(Duration::from_millis(60)).await;
            line.write_all(&[byte]).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_mirror_that_drips_or_is_silent_is_asked_for_one_file_and_central_for_all() {
    for slow in [Slow::Drips, Slow::Waits] {
        let city = City::new();
        let entries = city.publish_standard(4);
        let (mirror, asked) = SlowMirror::start(&city, slow).await;
        let (fine, state) = pulled(&city, &Arc::new(Terminal::new()), mirror).await;
        assert_eq!((fine, state.last_feed.map(|feed| feed.sequence)), (true, Some(4)), "{slow:?}");
        assert_eq!(asked.load(Ordering::Relaxed), 1, "{slow:?}: it is not waited for again");
        assert_eq!(city.state().fetched.len(), entries.len(), "{slow:?}");
    }
}
