//! What a monitoring system reads.

use crate::fixture::{City, TERMINAL};
use crate::http::Street;
use crate::uploads::{document, top_up, upload};
use central::{CityServer, Running, clock, publish, serve_metrics};
use domain::DocumentCode;
use ledger::Ledger;
use protocol::http::UPLOADS_PATH;
use protocol::{Enrolment, Secret32};
use std::collections::{BTreeMap, BTreeSet};

/// The samples of OpenMetrics text (its ABNF), each with its labels; panics at anything else.
fn parsed(text: &str) -> BTreeMap<String, f64> {
    let mut lines = text.lines().peekable();
    let (mut samples, mut declared) = (BTreeMap::new(), BTreeMap::new());
    assert!(text.ends_with("# EOF\n"));
    while let Some(line) = lines.next() {
        if line == "# EOF" {
            assert!(lines.peek().is_none(), "nothing follows the end");
        } else if let Some(said) = line.strip_prefix("# TYPE ") {
            let (name, kind) = said.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(declared.insert(name.to_owned(), kind.to_owned()), None, "{name} is declared once");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let family = ["_total", "_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(declared.contains_key(name) || family.is_some_and(|name| declared.contains_key(name)), "{line}");
            assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "{series} stands once");
        }
    }
    samples
}

/// Every label of every series.
fn labels(samples: &BTreeMap<String, f64>) -> BTreeSet<(String, String)> {
    let inside = samples.keys().filter_map(|series| series.split_once('{')?.1.strip_suffix('}'));
    let pairs = inside.flat_map(|inside| inside.split("\","));
    pairs.map(|pair| pair.split_once("=\"").unwrap()).map(|(k, v)| (k.into(), v.trim_matches('"').into())).collect()
}

struct Watched {
    street: Street,
    metrics: Running,
}

impl Watched {
    /// The listener for metrics is of the same node as the one for terminals.
    async fn open(city: City) -> Self {
        publish::publish(&city.data, &mut city.database(), &city.keys(), clock::now()).unwrap();
        let server = CityServer::open(city.data.clone()).unwrap();
        let running = central::serve(server.clone(), 0).await.unwrap();
        let metrics = serve_metrics(server, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let bundle: Enrolment = city.enrol(&running.url());
        Self { street: Street::served(city, running, bundle), metrics }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("{}{path}", self.metrics.url())).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn scrape(&self) -> BTreeMap<String, f64> {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, 200);
        parsed(&text)
    }

    async fn stop(self) {
        self.street.running.stop().await.unwrap();
        self.metrics.stop().await.unwrap();
    }
}

#[tokio::test]
async fn uploads_requests_and_the_feed_are_counted() {
    let watched = Watched::open(City::seeded(84, 20, 0)).await;
    let (street, token) = (&watched.street, watched.street.bundle.access_token.clone());
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    let first = upload(&entries[0], 1);
    assert_eq!(street.post(UPLOADS_PATH, &token, first.clone()).await.0, 200);
    assert_eq!(street.post(UPLOADS_PATH, &token, first).await.0, 200);
    let unknown = document(&street.city, DocumentCode([1; 16]), 3).encode().unwrap();
    assert_eq!(street.post(UPLOADS_PATH, &token, unknown).await.0, 409);
    assert_eq!(street.post(UPLOADS_PATH, &token, b"?".to_vec()).await.0, 400);
    let now = watched.scrape().await;
    let check = |series: &str, expected: f64| assert_eq!(now.get(series), Some(&expected), "{series} of {now:#?}");
    check("citizen_uploads_total{kind=\"ledger-entry\",outcome=\"taken\"}", 1.0);
    check("citizen_uploads_total{kind=\"ledger-entry\",outcome=\"known\"}", 1.0);
    check("citizen_uploads_total{kind=\"document-issued\",outcome=\"refused\"}", 1.0);
    check("citizen_uploads_total{kind=\"unreadable\",outcome=\"refused\"}", 1.0);
    check("citizen_requests_total{route=\"/v1/uploads\",method=\"POST\",status=\"200\"}", 2.0);
    check("citizen_request_seconds_count{route=\"/v1/uploads\"}", 4.0);
    check("citizen_commit_uploads_sum", 4.0);
    check("citizen_ready", 1.0);
    check("citizen_feed_sequence", 1.0);
    check("citizen_feed_epoch", 1.0);
    check("citizen_terminals_enrolled", 1.0);
    check("citizen_terminals_silent", 0.0);
    check("citizen_anomalies_open", 2.0);
    check("citizen_journal_anomalies_open", 0.0);
    check("citizen_requests_under_way", 0.0);
    let expires = now["citizen_head_expires_in_seconds"];
    assert!(expires > 100_000.0 && now["citizen_head_age_seconds"] < 600.0, "{expires}");
    assert!(now["citizen_pool_wait_seconds_count"] > 4.0);
    watched.stop().await;
}

#[tokio::test]
async fn no_label_is_personal_and_their_number_does_not_grow_with_what_is_asked() {
    let watched = Watched::open(City::seeded(85, 20, 2)).await;
    let street = &watched.street;
    let (card, stranger) = (street.city.demo_cards().remove(0), Secret32::new([7; 32]));
    let ask = async |from: u32| {
        for number in from..from + 12 {
            for path in [
                format!("/check/{}{number}", card.name.replace(' ', "%20")),
                format!("/v1/files/{number:064}"),
                format!("/v1/terminals/{number}/codes?count=3&name={number}"),
                format!("/nothing/here/{number}"),
            ] {
                street.post(&path, &stranger, vec![]).await;
                reqwest::get(format!("{}{path}", street.bundle.central)).await.unwrap();
            }
        }
        watched.scrape().await
    };
    let few = ask(0).await;
    let many = ask(100).await;
    assert_eq!(labels(&few), labels(&many));
    let keys: BTreeSet<String> = labels(&many).into_iter().map(|(key, _)| key).collect();
    let known = ["class", "kind", "le", "method", "outcome", "route", "status"];
    assert!(keys.iter().all(|key| known.contains(&key.as_str())), "{keys:?}");
    for (key, value) in labels(&many) {
        assert!(!value.contains("0000") && !value.contains("100"), "{key}={value}");
        assert!(!card.name.split(' ').any(|word| value.contains(word)), "{key}={value}");
    }
    assert!(labels(&many).contains(&("route".into(), "/check/{code}".into())));
    assert!(labels(&many).contains(&("route".into(), "none".into())));
    watched.stop().await;
}

#[tokio::test]
async fn the_listener_for_metrics_shows_nothing_else() {
    let watched = Watched::open(City::seeded(86, 20, 0)).await;
    for (path, expected) in [("/health", 200), ("/ready", 200), ("/ledger", 404), ("/v1/head", 404), ("/", 404)] {
        assert_eq!(watched.get(path).await.0, expected, "{path}");
    }
    let open = reqwest::get(format!("{}/metrics", watched.street.bundle.central)).await.unwrap();
    assert_eq!(open.status(), 404, "nor are they among the office's pages");
    watched.stop().await;
}
