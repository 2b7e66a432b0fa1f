//! Ready or not, and how central stops.

use crate::fixture::{City, NOW, TERMINAL};
use crate::uploads::{top_up, upload};
use central::metrics::Figures;
use central::{CityServer, clock, publish, serve};
use domain::Timestamp;
use ledger::Ledger;
use protocol::Receipt;
use protocol::http::{READY_PATH, UPLOADS_PATH, bearer};
use std::sync::mpsc;

fn published(city: &City, now: Timestamp) {
    publish::publish(&city.data, &mut city.database(), &city.keys(), now).unwrap();
}

#[tokio::test]
async fn a_node_is_ready_with_a_database_and_a_head_that_holds() {
    let city = City::seeded(87, 20, 0);
    let server = CityServer::open(city.data.clone()).unwrap();
    let said = async || {
        let readiness = server.readiness(clock::now()).await;
        (readiness.is_ready(), serde_json::to_value(readiness).unwrap()["head"].as_str().unwrap().to_owned())
    };
    assert_eq!(said().await, (false, "missing".into()));
    published(&city, Timestamp(clock::now().0 - 3 * 86_400_000));
    assert_eq!(said().await, (false, "expired".into()));
    published(&city, clock::now());
    assert_eq!(said().await, (true, "ok".into()));
    let head = city.data.feed().join("head.json");
    let text = std::fs::read_to_string(&head).unwrap();
    std::fs::write(&head, text.replace("epoch 1", "epoch 2")).unwrap();
    assert_eq!(said().await, (false, "missing".into()), "one that this city did not sign is none");
}

#[tokio::test]
async fn readiness_is_told_over_http_without_a_token() {
    let city = City::seeded(88, 20, 0);
    let running = serve(CityServer::open(city.data.clone()).unwrap(), 0).await.unwrap();
    let status = async || reqwest::get(format!("{}{READY_PATH}", running.url())).await.unwrap().status().as_u16();
    assert_eq!(status().await, 503);
    published(&city, clock::now());
    assert_eq!(status().await, 200);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_under_way_is_answered_before_central_stops_and_readiness_ends_at_once() {
    let city = City::seeded(89, 20, 0);
    published(&city, NOW);
    let server = CityServer::open(city.data.clone()).unwrap();
    let running = serve(server.clone(), 0).await.unwrap();
    let bundle = city.enrol(&running.url());
    // Somebody else writes, and the upload has to wait.
    let (locked, is_locked) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let mut other = city.database();
    let writer = std::thread::spawn(move || {
        other.write(|_| {
            locked.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        })
    });
    is_locked.recv().unwrap();
    let url = format!("{}{UPLOADS_PATH}", running.url());
    let bytes = upload(&top_up(&mut Ledger::new(TERMINAL, 1), 9)[0], 1);
    let request = reqwest::Client::new().post(url).header("authorization", bearer(&bundle.access_token).as_str());
    let sent = tokio::spawn(request.body(bytes.clone()).send());
    let waits = |count: i64| {
        let text = server.metrics().encode(&Figures::default()).unwrap();
        text.contains(&format!("citizen_requests_under_way {count}"))
    };
    while !waits(1) {
        tokio::task::yield_now().await;
    }
    let stopping = tokio::spawn(running.stop());
    while server.readiness(clock::now()).await.is_ready() {
        tokio::task::yield_now().await;
    }
    assert!(!sent.is_finished() && !stopping.is_finished());
    release.send(()).unwrap();
    writer.join().unwrap().unwrap();
    let answer = sent.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let receipt = Receipt::decode(&answer.bytes().await.unwrap()).unwrap();
    receipt.verify(&bytes, &city.keys().head_key().unwrap().verifier()).unwrap();
    stopping.await.unwrap().unwrap();
    let kept: i64 = city.database().read().query_row("SELECT count(*) FROM upload", &[], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1);
}
