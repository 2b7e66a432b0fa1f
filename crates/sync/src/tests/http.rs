use crate::double::{City, Fault, NOW, Terminal};
use crate::{Behind, HttpCentral, SyncSettings, outbox};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use protocol::http::{HEAD_PATH, UPLOADS_PATH};
use protocol::{Central, FileHash, Problem, ProblemCode, Secret32, Upload};
use std::sync::Arc;
use std::time::Duration;

fn refused(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.code.status()).unwrap();
    (status, problem.to_json()).into_response()
}

async fn head(State(city): State<City>) -> Response {
    match city.head().await {
        Ok(head) => axum::Json(head).into_response(),
        Err(problem) => refused(&problem),
    }
}

async fn file(State(city): State<City>, Path(hash): Path<FileHash>) -> Response {
    match city.file(hash).await {
        Ok(bytes) => bytes.into_response(),
        Err(problem) => refused(&problem),
    }
}

async fn upload(State(city): State<City>, headers: HeaderMap, body: Bytes) -> Response {
    let expected = format!("Bearer {}", "a1".repeat(32));
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(expected.as_str()) {
        return refused(&Problem::new(ProblemCode::Unauthorised, "token"));
    }
    match city.upload(&Upload::decode(&body).unwrap()).await {
        Ok(receipt) => receipt.encode().unwrap().into_response(),
        Err(problem) => refused(&problem),
    }
}

async fn codes(State(city): State<City>, Path(terminal): Path<u32>) -> Response {
    match city.code_batch(domain::TerminalId(terminal), 3).await {
        Ok(batch) => batch.0.into_response(),
        Err(problem) => refused(&problem),
    }
}

pub(super) async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

async fn serve_city(city: &City) -> String {
    let app = Router::new()
        .route(HEAD_PATH, get(head))
        .route("/v1/files/{hash}", get(file))
        .route(UPLOADS_PATH, post(upload))
        .route("/v1/terminals/{id}/codes", post(codes))
        .with_state(city.clone());
    serve(app).await
}

pub(super) fn client(base: &str, token: u8) -> HttpCentral {
    let settings = SyncSettings {
        connect_timeout_ms: 2_000,
        silence_timeout_ms: 200,
        file_timeout_ms: 400,
        ..SyncSettings::default()
    };
    HttpCentral::new(base, Secret32::new([token; 32]), &settings).unwrap()
}

#[tokio::test]
async fn feed_uploads_and_codes_travel_over_http() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    terminal.book(1);
    let central = client(&serve_city(&city).await, 0xA1);
    let (trust, ring) = (city.trust(), &terminal.ring);
    assert_eq!(crate::feed::pull(&central, &terminal, &trust, ring, NOW).await.unwrap().feed().sequence, 4);
    city.state().faults.push_back(Fault::AnswerLost);
    outbox::push(&central, &terminal, &trust, ring, &mut Behind::default()).await.unwrap();
    assert_eq!(outbox::push(&central, &terminal, &trust, ring, &mut Behind::default()).await.unwrap().sent, 2);
    assert_eq!(city.taken_keys().len(), 2);
    let added = crate::codes::refill(&central, &terminal, &trust, ring, &SyncSettings::default()).await.unwrap();
    assert_eq!(added, 3);
}

#[tokio::test]
async fn a_look_at_central_tells_how_long_it_took_and_what_time_it_is_there() {
    let city = City::new();
    city.publish_standard(4);
    let look = client(&serve_city(&city).await, 0xB2).look().await.unwrap();
    assert!(look.took < Duration::from_secs(5));
    let now = crate::WallClock::default().now();
    let date = look.date.expect("the server tells its time");
    assert!((now.0 - date.0).abs() < 5_000, "{date:?} is not {now:?}");

    let dated = |date: &'static str| async move {
        let signed = protocol::SignedHead { keys: String::new(), head: String::new() };
        let app = Router::new().route(HEAD_PATH, get(move || async move { ([("date", date)], axum::Json(signed)) }));
        client(&serve(app).await, 1).look().await.unwrap().date
    };
    assert_eq!(dated("Sun, 06 Nov 1994 08:49:37 GMT").await, Some(domain::Timestamp(784_111_777_000)));
    assert_eq!(dated("yesterday").await, None);
    let empty = client(&serve(Router::new().route(HEAD_PATH, get(|| async { "no head" }))).await, 1);
    assert_eq!(empty.look().await.unwrap_err().code, ProblemCode::Untrusted);
    let nothing = client(&serve(Router::new()).await, 1).look().await;
    assert!(nothing.is_err(), "central that knows no head is not there");
}

#[tokio::test]
async fn problems_keep_their_code_over_http() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    terminal.book(1);
    let item = terminal.journal().outbox_next(1).unwrap().remove(0);
    let upload = Upload::decode(&item.bytes).unwrap();
    let base = serve_city(&city).await;
    assert_eq!(client(&base, 0xA1).head().await.unwrap_err().code, ProblemCode::NotFound);
    assert_eq!(client(&base, 0xB2).upload(&upload).await.unwrap_err().code, ProblemCode::Unauthorised);
    for code in [ProblemCode::Conflict, ProblemCode::Malformed, ProblemCode::Unavailable, ProblemCode::Internal] {
        city.state().faults.push_back(Fault::Answer(code));
        assert_eq!(client(&base, 0xA1).upload(&upload).await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn a_file_of_another_hash_is_not_taken() {
    let city = City::new();
    let entries = city.publish_standard(4);
    city.state().wrong.insert(entries[0].sha256);
    let central = client(&serve_city(&city).await, 0xA1);
    assert_eq!(central.file(entries[0].sha256).await.unwrap_err().code, ProblemCode::Untrusted);
    assert!(central.file(entries[1].sha256).await.is_ok());
}

#[tokio::test]
async fn an_answer_without_end_a_redirect_and_silence_are_no_answers() {
    let endless = || async { vec![b' '; 300 * 1024] };
    let redirect = || async { (StatusCode::FOUND, [("location", "http://127.0.0.1:1/elsewhere")]) };
    let silent = || async { std::future::pending::<Response>().await };
    let check = async |app: Router, expected: ProblemCode| {
        let central = client(&serve(app).await, 0xA1);
        assert_eq!(central.head().await.unwrap_err().code, expected);
    };
    check(Router::new().route(HEAD_PATH, get(endless)), ProblemCode::Untrusted).await;
    check(Router::new().route(HEAD_PATH, get(redirect)), ProblemCode::Internal).await;
    check(Router::new().route(HEAD_PATH, get(silent)), ProblemCode::Unreachable).await;
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_an_address_that_is_none_is_refused() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(client(&format!("http://{address}"), 1).head().await.unwrap_err().code, ProblemCode::Unreachable);
    for bad in ["", "central", "https://central.example", "ftp://central.example"] {
        let refused = HttpCentral::new(bad, Secret32::new([1; 32]), &SyncSettings::default());
        assert!(refused.is_err(), "{bad}");
    }
}

#[test]
fn the_token_is_not_shown() {
    let shown = format!("{:?}", client("http://127.0.0.1:1", 0xA1));
    assert!(!shown.contains("161") && !shown.to_lowercase().contains("a1a1"), "{shown}");
}
