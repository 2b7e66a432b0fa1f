//! Central's TLS listener (RFC 8446, and RFC 5246 for what is older). A client may show a certificate of the city's
//! authority; one that shows another is refused. Who a certificate's owner is, and whether it still counts, is asked
//! for each request, not here. Handshakes, idle connections and their number are limited.

mod io;

use crate::ca::{Authority, DAY_MS};
use crate::clock;
use crate::error::CentralError;
use crate::limits::Asker;
use domain::Timestamp;
pub(crate) use io::TlsIo;
use io::{Seat, Seats};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// How long central's own certificate lives, and when it makes itself the next one.
const OWN_DAYS: i64 = 30;
const OWN_RENEWED_DAYS: i64 = 10;
/// A clock that is put back by less is no reason for another one, in milliseconds.
const STEP_BACK_MS: i64 = 60_000;
/// Connections whose handshake is done and which nobody has taken over yet.
const READY_MAX: usize = 64;
/// How long a refused client may take to hear why, and how much it may still say.
const FAREWELL: Duration = Duration::from_secs(1);
const FAREWELL_BYTES_MAX: u64 = 64 * 1024;
/// After a failure to accept, before the next try: there may be no file descriptor left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// How central listens.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// Where. Port 0 lets the system choose.
    pub address: SocketAddr,
    /// The names and addresses by which terminals call it.
    pub names: Vec<String>,
    /// The longest a handshake may take.
    pub handshake_max: Duration,
    /// The longest a connection may be silent.
    pub idle_max: Duration,
    /// Connections at a time; the next one waits.
    pub connections_max: usize,
    /// Of them, those of one address that have not shaken hands yet; the next one is closed.
    pub shaking_max: usize,
}

impl TlsSettings {
    /// The usual limits.
    #[must_use]
    pub fn new(address: SocketAddr, names: Vec<String>) -> Self {
        let (handshake_max, idle_max) = (Duration::from_secs(10), Duration::from_secs(150));
        Self { address, names, handshake_max, idle_max, connections_max: 8_192, shaking_max: 256 }
    }
}

/// Central's own certificate, made anew long before its end.
#[derive(Debug)]
struct OwnCertificate {
    authority: Arc<Authority>,
    names: Vec<String>,
    /// With the time in which it is used.
    current: Mutex<Option<(Arc<CertifiedKey>, Range<Timestamp>)>>,
}

impl OwnCertificate {
    fn at(&self, now: Timestamp) -> Result<Arc<CertifiedKey>, CentralError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // One that was made while the clock ran ahead is not valid yet for terminals that have the right time.
        if let Some((key, used)) = current.as_ref().filter(|(_, used)| used.contains(&now)) {
            tracing::trace!(until = used.end.0, "central's certificate");
            return Ok(Arc::clone(key));
        }
        let later = |days: i64| Timestamp(now.0.saturating_add(days * DAY_MS));
        let made = self.authority.for_server(&self.names, now, later(OWN_DAYS))?;
        let key = ring::sign::any_supported_type(&PrivateKeyDer::from(made.key));
        let key = key.map_err(|error| CentralError::Certificate(error.to_string()))?;
        let key = Arc::new(CertifiedKey::new(made.chain, key));
        *current = Some((Arc::clone(&key), now.plus_ms(-STEP_BACK_MS)..later(OWN_RENEWED_DAYS)));
        Ok(key)
    }
}

impl ResolvesServerCert for OwnCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match self.at(clock::now()) {
            Ok(key) => Some(key),
            Err(error) => {
                tracing::error!(%error, "central has no certificate");
                None
            }
        }
    }
}

fn configuration(authority: &Arc<Authority>, names: &[String]) -> Result<ServerConfig, CentralError> {
    let failed = |error: String| CentralError::Certificate(error);
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone()).map_err(|error| failed(error.to_string()))?;
    // Without a certificate only enrolment, the check page and the health are there: `web` sees to it.
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let clients = clients.allow_unauthenticated().build().map_err(|error| failed(error.to_string()))?;
    let own = OwnCertificate { authority: Arc::clone(authority), names: names.to_vec(), current: Mutex::default() };
    own.at(clock::now())?;
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| failed(error.to_string()))?.with_client_cert_verifier(clients);
    let mut config = config.with_cert_resolver(Arc::new(own));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Resumption: a ticket holds the client's certificate, which is asked about for each request all the same.
    config.ticketer = ring::Ticketer::new().map_err(|error| failed(error.to_string()))?;
    Ok(config)
}

/// A listener whose connections have shaken hands.
pub(crate) struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsIo, SocketAddr)>,
    accepting: AbortHandle,
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl TlsListener {
    /// # Errors
    /// `CentralError::Listen` when the port is taken, `Certificate` when a name is none.
    pub(crate) async fn bind(authority: &Arc<Authority>, settings: &TlsSettings) -> Result<Self, CentralError> {
        let acceptor = TlsAcceptor::from(Arc::new(configuration(authority, &settings.names)?));
        let listener = TcpListener::bind(settings.address).await.map_err(CentralError::Listen)?;
        let address = listener.local_addr().map_err(CentralError::Listen)?;
        let (sender, ready) = mpsc::channel(READY_MAX);
        let (shaking, seats) = (Seats::default(), Seats::default());
        let door = Door { acceptor, ready: sender, settings: settings.clone(), shaking, seats };
        let accepting = tokio::spawn(door.accept_all(listener)).abort_handle();
        Ok(Self { address, ready, accepting })
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsIo;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The door is closed only when this listener is dropped.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

#[derive(Clone)]
struct Door {
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<(TlsIo, SocketAddr)>,
    settings: TlsSettings,
    /// Of those who have not shown who they are.
    shaking: Seats,
    seats: Seats,
}

impl Door {
    async fn accept_all(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(self.settings.connections_max));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, address)) => {
                    // Before anything is spent on it: whoever says nothing would else fill every place.
                    let asker = Asker::from(address.ip());
                    match Seat::take(&self.shaking, asker, self.settings.shaking_max) {
                        Some(seat) => drop(tokio::spawn(self.clone().shake_hands(stream, address, place, seat))),
                        None => tracing::debug!(%address, "too many of this address have not shaken hands"),
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    async fn shake_hands(self, stream: TcpStream, address: SocketAddr, place: OwnedSemaphorePermit, shaking: Seat) {
        // Small answers wait for nothing; without it they only come later.
        let _ = stream.set_nodelay(true);
        match timeout(self.settings.handshake_max, self.acceptor.accept(stream).into_fallible()).await {
            Ok(Ok(stream)) => {
                drop(shaking);
                let mut io = TlsIo::new(stream, self.settings.idle_max, place);
                if !io.sit(&self.seats, address.ip()) {
                    tracing::debug!(%address, "a client has too many connections");
                    return;
                }
                // The listener is gone: so is this connection.
                let _ = self.ready.send((io, address)).await;
            }
            Ok(Err((error, stream))) => {
                tracing::debug!(%error, %address, "a handshake failed");
                part(stream).await;
            }
            Err(_) => tracing::debug!(%address, "a handshake took too long"),
        }
    }
}

/// A client that was refused has sent its request already (RFC 8446 clause 4.4.4): to close with that unread would take
/// away from it the alert that says why.
async fn part(mut stream: TcpStream) {
    let farewell = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(FAREWELL_BYTES_MAX), &mut tokio::io::sink()).await
    };
    // Whether it listened is its own business.
    let _ = timeout(FAREWELL, farewell).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DataFolder;

    #[test]
    fn a_certificate_that_was_made_while_the_clock_ran_ahead_is_made_anew() {
        let (folder, now) = (tempfile::tempdir().unwrap(), Timestamp(1_795_345_200_000));
        let data = DataFolder::new(folder.path()).unwrap();
        let authority = Arc::new(Authority::obtain(&data, "bahia", now).unwrap());
        let own = OwnCertificate { authority, names: vec!["127.0.0.1".to_owned()], current: Mutex::default() };
        let certificate = |at: i64| own.at(now.plus_ms(at)).unwrap().cert.first().unwrap().clone();
        let ahead = certificate(2 * DAY_MS);
        assert_eq!(certificate(2 * DAY_MS - 30_000), ahead, "clocks are set by seconds all the time");
        let right = certificate(0);
        assert_ne!(right, ahead, "it would not be valid before two days are over");
        assert_eq!(certificate(DAY_MS), right);
        assert_ne!(certificate(OWN_RENEWED_DAYS * DAY_MS), right);
    }
}
