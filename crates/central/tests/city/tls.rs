//! Terminals over real TLS on loopback: who is let in, and what is said to who is not.

use crate::fixture::{City, technician};
use crate::uploads::document;
use central::enrol::{self, EnrolmentOrder};
use central::{Authority, CityServer, Running, TlsSettings, clock, serve, serve_metrics, serve_tls};
use domain::{TerminalId, Timestamp};
use protocol::first_trust::{Certificate, EnrolmentRequest};
use protocol::{Central, Enrolment, HpkeSecret, ProblemCode, Secret32, Upload};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync::{HttpCentral, Identity, Sealing, SyncSettings, WallClock};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

pub(crate) const SEVEN: TerminalId = TerminalId(7);
pub(crate) const EIGHT: TerminalId = TerminalId(8);

/// What a terminal makes for itself.
pub(crate) struct Keys {
    pub(crate) tls: KeyPair,
    pub(crate) signing: Secret32,
    pub(crate) parcel: HpkeSecret,
    pub(crate) request: EnrolmentRequest,
}

pub(crate) fn signing_request(key: &KeyPair) -> Vec<u8> {
    CertificateParams::default().serialize_request(key).unwrap().der().to_vec()
}

pub(crate) fn keys(terminal: TerminalId, seed: u8) -> Keys {
    let tls = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let (signing, parcel) = (Secret32::new([seed; 32]), HpkeSecret::new([seed + 1; 32]));
    let request = EnrolmentRequest::sign(terminal, signing_request(&tls), parcel.public().unwrap(), &signing);
    Keys { tls, signing, parcel, request }
}

/// A city that is served over TLS.
pub(crate) struct Secure {
    pub(crate) city: City,
    pub(crate) running: Running,
}

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

pub(crate) fn usual() -> TlsSettings {
    TlsSettings::new(any_port(), vec!["127.0.0.1".to_owned()])
}

impl Secure {
    pub(crate) async fn open(seed: u64) -> Self {
        Self::with(seed, &usual()).await
    }

    async fn with(seed: u64, settings: &TlsSettings) -> Self {
        Self::of(City::seeded(seed, 20, 0), settings).await
    }

    /// This city, published.
    pub(crate) async fn of(city: City, settings: &TlsSettings) -> Self {
        city.publish();
        let running = serve_tls(CityServer::open(city.data.clone()).unwrap(), settings).await.unwrap();
        Self { city, running }
    }

    /// With the office's pages where `central.toml` says.
    pub(crate) async fn with_office(seed: u64, office: &str) -> Self {
        let city = City::seeded(seed, 4, 0);
        let data = city.data_with_office(office);
        let running = serve_tls(CityServer::open(data).unwrap(), &usual()).await.unwrap();
        Self { city, running }
    }

    pub(crate) fn authority(&self) -> Authority {
        Authority::obtain(&self.city.data, &self.city.keys().city, clock::now()).unwrap()
    }

    pub(crate) fn order(&self, terminal: TerminalId) -> EnrolmentOrder {
        EnrolmentOrder { terminal, place: "Plaza Mayor".into(), central: self.running.url(), codes: 3 }
    }

    /// Enrols with these keys at this moment, as if on a stick.
    pub(crate) fn enrol_at(&self, keys: &Keys, now: Timestamp) -> (Enrolment, Certificate) {
        let (authority, order) = (self.authority(), self.order(keys.request.terminal));
        let mut database = self.city.database();
        let answer = enrol::answer(&mut database, &self.city.keys(), &authority, &order, &keys.request, now).unwrap();
        let answer = answer.verify(&authority.fingerprint()).unwrap();
        let certificate = answer.certificate.clone();
        (answer.open(&keys.request, &keys.parcel).unwrap(), certificate)
    }

    /// What a path answers, over a connection of its own.
    pub(crate) async fn status(&self, path: &str, shown: Option<(&Certificate, &KeyPair)>) -> u16 {
        let request = format!("GET {path} HTTP/1.1\r\nHost: central\r\nConnection: close\r\n\r\n");
        let answer = self.answer(&request, shown).await;
        answer.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap()
    }

    /// The whole answer to a whole request, over a connection of its own.
    pub(crate) async fn answer(&self, request: &str, shown: Option<(&Certificate, &KeyPair)>) -> String {
        let stream = TcpStream::connect(self.running.address()).await.unwrap();
        let mut stream = self.shaken(stream, shown).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// This connection, once hands were shaken.
    async fn shaken(&self, stream: TcpStream, shown: Option<(&Certificate, &KeyPair)>) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority().certificate().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let config = match shown {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivatePkcs8KeyDer::from(key.serialized_der().to_vec());
                config.with_client_auth_cert(vec![certificate.der.clone().into()], key.into()).unwrap()
            }
        };
        let name = "127.0.0.1".try_into().unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    pub(crate) fn enrolled(&self, keys: &Keys) -> HttpCentral {
        let (bundle, certificate) = self.enrol_at(keys, clock::now());
        let central = client(&self.running.url(), &bundle.authorities, &certificate, &keys.tls);
        central.with_sealing(Sealing::new("bahia", bundle.terminal, &keys.signing, bundle.central_key.unwrap()))
    }
}

pub(crate) fn identity(authorities: &[Vec<u8>], certificate: &Certificate, key: &KeyPair) -> Identity {
    let key = Zeroizing::new(key.serialized_der().to_vec());
    Identity { authorities: authorities.to_vec(), certificate: certificate.der.clone(), key }
}

pub(crate) fn client(base: &str, authorities: &[Vec<u8>], certificate: &Certificate, key: &KeyPair) -> HttpCentral {
    let identity = identity(authorities, certificate, key);
    HttpCentral::enrolled(base, &identity, &SyncSettings::default(), WallClock::default()).unwrap()
}

async fn refusal(central: &HttpCentral) -> ProblemCode {
    central.head().await.unwrap_err().code
}

#[tokio::test]
async fn a_terminal_with_its_certificate_fetches_the_feed_and_codes_and_uploads() {
    let secure = Secure::open(61).await;
    let central = secure.enrolled(&keys(SEVEN, 1));
    let head = central.head().await.unwrap();
    let root = secure.city.keys().root_key().unwrap().verifier();
    let verified = head.verify("bahia", &root).unwrap();
    assert!(central.file(verified.head.manifest).await.is_ok());
    let batch = central.code_batch(SEVEN, 2).await.unwrap().verify(SEVEN, &verified.keys.head).unwrap();
    assert_eq!(batch.codes.len(), 2);
    let upload = Upload { terminal: SEVEN.0, ..document(&secure.city, batch.codes[0], 1) };
    let receipt = central.upload(&upload).await.unwrap();
    receipt.verify(&upload.encode().unwrap(), &verified.keys.head).unwrap();
    assert!(central.look().await.unwrap().date.is_some());
    secure.running.stop().await.unwrap();
}

#[tokio::test]
async fn the_certificate_of_one_terminal_is_no_other_terminals() {
    let secure = Secure::open(62).await;
    let (seven, eight) = (secure.enrolled(&keys(SEVEN, 1)), secure.enrolled(&keys(EIGHT, 3)));
    let code = |refused: Result<_, protocol::Problem>| refused.map(|_: protocol::SignedCodeBatch| ()).unwrap_err().code;
    assert_eq!(code(seven.code_batch(EIGHT, 2).await), ProblemCode::Unauthorised);
    let head = secure.city.keys().head_key().unwrap().verifier();
    let codes = eight.code_batch(EIGHT, 1).await.unwrap().verify(EIGHT, &head).unwrap();
    let upload = Upload { terminal: EIGHT.0, ..document(&secure.city, codes.codes[0], 1) };
    assert_eq!(seven.upload(&upload).await.unwrap_err().code, ProblemCode::Unauthorised);
    assert!(eight.upload(&upload).await.is_ok());
    let request = signing_request(&KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap());
    assert_eq!(seven.renew(EIGHT, request).await.unwrap_err().code, ProblemCode::Unauthorised);
}

#[tokio::test]
async fn without_a_certificate_there_is_nothing_but_the_check_page_and_enrolment() {
    let secure = Secure::open(63).await;
    let fingerprint = secure.authority().fingerprint();
    let stranger =
        HttpCentral::pinned(&secure.running.url(), fingerprint, &SyncSettings::default(), WallClock::default())
            .unwrap();
    assert_eq!(refusal(&stranger).await, ProblemCode::Unauthorised);
    assert_eq!(stranger.code_batch(SEVEN, 2).await.unwrap_err().code, ProblemCode::Unauthorised);
    let nonsense = keys(SEVEN, 1).request;
    assert_eq!(stranger.enrol("AAAA", &nonsense).await.unwrap_err().code, ProblemCode::Unauthorised);
    let keys = keys(SEVEN, 1);
    let (_, certificate) = secure.enrol_at(&keys, clock::now());
    let member = Some((&certificate, &keys.tls));
    for open in ["/health", "/check", "/style.css"] {
        assert_eq!(secure.status(open, None).await, 200, "{open}");
    }
    for page in ["/", "/ledger", "/documents", "/office/reconciliation", "/v1/head"] {
        assert_eq!(secure.status(page, None).await, 401, "{page}");
    }
    assert_eq!(secure.status("/v1/head", member).await, 200);
    assert_eq!(secure.status("/ledger", member).await, 401, "a terminal is no office");
}

#[tokio::test]
async fn another_citys_authority_is_refused_by_both_sides() {
    let (here, there) = (Secure::open(64).await, Secure::open(65).await);
    let keys = keys(SEVEN, 1);
    let (ours, our_certificate) = here.enrol_at(&keys, clock::now());
    let (theirs, their_certificate) = there.enrol_at(&keys, clock::now());
    let url = here.running.url();
    assert!(client(&url, &ours.authorities, &our_certificate, &keys.tls).head().await.is_ok());
    let mistrusts = client(&url, &theirs.authorities, &our_certificate, &keys.tls);
    assert_eq!(refusal(&mistrusts).await, ProblemCode::ForeignCity, "the terminal does not know this server");
    let mistrusted = client(&url, &ours.authorities, &their_certificate, &keys.tls);
    assert_eq!(refusal(&mistrusted).await, ProblemCode::ForeignCity, "the server does not know this terminal");
    let other = there.authority().fingerprint();
    let pinned = HttpCentral::pinned(&url, other, &SyncSettings::default(), WallClock::default()).unwrap();
    assert_eq!(refusal(&pinned).await, ProblemCode::ForeignCity);
    let unnamed = client(&url.replace("127.0.0.1", "localhost"), &ours.authorities, &our_certificate, &keys.tls);
    assert_eq!(refusal(&unnamed).await, ProblemCode::ForeignCity, "central was not told this name");
}

#[tokio::test]
async fn a_withdrawn_terminal_is_refused_at_once_on_a_connection_that_stands() {
    let secure = Secure::open(66).await;
    let (seven, eight) = (secure.enrolled(&keys(SEVEN, 1)), secure.enrolled(&keys(EIGHT, 3)));
    assert!(seven.head().await.is_ok() && eight.head().await.is_ok());
    assert!(enrol::withdraw(&mut secure.city.database(), SEVEN, &technician(), clock::now()).unwrap());
    assert_eq!(refusal(&seven).await, ProblemCode::CertificateRevoked);
    assert!(eight.head().await.is_ok());
    let again = secure.enrolled(&keys(SEVEN, 5));
    assert!(again.head().await.is_ok(), "enrolled anew it is back");
    assert_eq!(refusal(&seven).await, ProblemCode::CertificateRevoked);
}

#[tokio::test]
async fn what_has_run_out_and_a_clock_that_is_wrong_are_told_apart() {
    let secure = Secure::open(67).await;
    let keys = keys(SEVEN, 1);
    let long_ago = Timestamp(clock::now().0 - 100 * 86_400_000);
    let (bundle, old) = secure.enrol_at(&keys, long_ago);
    let expired = client(&secure.running.url(), &bundle.authorities, &old, &keys.tls);
    assert_eq!(refusal(&expired).await, ProblemCode::CertificateExpired);

    let (bundle, fresh) = secure.enrol_at(&keys, clock::now());
    let identity = identity(&bundle.authorities, &fresh, &keys.tls);
    let by = |clock: WallClock| {
        HttpCentral::enrolled(&secure.running.url(), &identity, &SyncSettings::default(), clock).unwrap()
    };
    assert_eq!(refusal(&by(WallClock::new(|| Timestamp(1_000_000_000_000)))).await, ProblemCode::ClockDiffers);
    assert_eq!(refusal(&by(WallClock::new(|| Timestamp(4_000_000_000_000)))).await, ProblemCode::ClockDiffers);
    assert!(by(WallClock::default()).head().await.is_ok());
}

#[tokio::test]
async fn a_terminal_with_a_certificate_is_not_known_by_its_token() {
    let secure = Secure::open(68).await;
    let plain = serve(CityServer::open(secure.city.data.clone()).unwrap(), 0).await.unwrap();
    let by_token = |bundle: &Enrolment| {
        HttpCentral::new(&plain.url(), bundle.access_token.clone(), &SyncSettings::default()).unwrap()
    };
    let (bundle, _) = secure.enrol_at(&keys(SEVEN, 1), clock::now());
    assert_eq!(by_token(&bundle).code_batch(SEVEN, 1).await.unwrap_err().code, ProblemCode::Unauthorised);
    let order = EnrolmentOrder { central: plain.url(), ..secure.order(EIGHT) };
    let mut database = secure.city.database();
    let local = enrol::enrol(&mut database, &secure.city.keys(), order, clock::now()).unwrap();
    assert!(by_token(&local).code_batch(EIGHT, 1).await.is_ok());
}

#[tokio::test]
async fn a_client_that_says_nothing_holds_its_place_only_for_a_moment() {
    let brief = Duration::from_millis(300);
    let limits = TlsSettings { handshake_max: brief, idle_max: brief, connections_max: 1, ..usual() };
    let secure = Secure::with(69, &limits).await;
    let mut silent = TcpStream::connect(secure.running.address()).await.unwrap();
    let central = secure.enrolled(&keys(SEVEN, 1));
    assert!(central.head().await.is_ok(), "it is served once the silent one is gone");
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap(), 0, "the silent one was let go");
    let other = secure.enrolled(&keys(EIGHT, 3));
    assert!(other.head().await.is_ok(), "and so is an idle connection");
}

const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: central\r\n\r\n";

#[tokio::test]
async fn an_address_whose_connections_shake_no_hands_takes_no_place_from_another() {
    let secure = Secure::with(210, &TlsSettings { connections_max: 8, shaking_max: 4, ..usual() }).await;
    let mut silent = Vec::new();
    for _ in 0..12 {
        silent.push(TcpStream::connect(secure.running.address()).await.unwrap());
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let asked = async {
        let stream = socket.connect(secure.running.address()).await.unwrap();
        let mut stream = secure.shaken(stream, None).await;
        stream.write_all(HEALTH.as_bytes()).await.unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        first
    };
    // Well before the handshakes' ten seconds are over.
    let answered = tokio::time::timeout(Duration::from_secs(5), asked).await.expect("no place was left");
    assert_eq!(&answered, b"HTTP/1.1 200");
    for beyond in &mut silent[4..] {
        assert_eq!(beyond.read(&mut [0; 16]).await.unwrap_or(0), 0, "those beyond are let go at once");
    }
}

#[tokio::test]
async fn a_requests_head_takes_so_long_and_no_longer_over_tls_and_plain() {
    let mut city = City::seeded(211, 4, 0);
    city.set("[limits]\nhead_seconds = 1");
    let plain = serve(CityServer::open(city.data.clone()).unwrap(), 0).await.unwrap();
    let metrics = serve_metrics(CityServer::open(city.data.clone()).unwrap(), any_port()).await.unwrap();
    let secure = Secure::of(city, &usual()).await;
    for address in [plain.address(), metrics.address()] {
        check_slow_heads(TcpStream::connect(address).await.unwrap()).await;
    }
    check_slow_heads(secure.shaken(TcpStream::connect(secure.running.address()).await.unwrap(), None).await).await;
    check_idle(TcpStream::connect(plain.address()).await.unwrap()).await;
}

/// A byte now and then, of a head that never ends, on a connection that was answered before.
async fn check_slow_heads(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    answered(&mut stream).await;
    let begun = Instant::now();
    let dripping = async {
        for byte in HEALTH.bytes().cycle().filter(|byte| !byte.is_ascii_whitespace()) {
            stream.write_all(&[byte]).await?;
            // The server's silence is awaited, a moment for each byte.
            if let Ok(read) = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut [0; 256])).await {
                return read;
            }
        }
        Ok(1)
    };
    let end = tokio::time::timeout(Duration::from_secs(20), dripping).await.expect("it holds its seat for ever");
    assert_eq!(end.unwrap_or(0), 0, "without a word");
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
}

/// Between requests no head is under way.
async fn check_idle(mut stream: TcpStream) {
    answered(&mut stream).await;
    let silence = tokio::time::timeout(Duration::from_millis(1_500), stream.read(&mut [0; 1])).await;
    assert!(silence.is_err(), "{silence:?}");
    answered(&mut stream).await;
}

async fn answered(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    stream.write_all(HEALTH.as_bytes()).await.unwrap();
    let (mut said, mut part) = (Vec::new(), [0; 1_024]);
    // The health's body is in the piece that ends its answer.
    while !String::from_utf8_lossy(&said).contains("\r\n\r\n") {
        let count = stream.read(&mut part).await.unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&said));
        said.extend(&part[..count]);
    }
    assert!(said.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&said));
}
