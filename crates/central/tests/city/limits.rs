//! How often who may ask: a terminal that floods holds up itself.

use crate::fixture::{City, NOW, TERMINAL};
use crate::http::Street;
use crate::tls::{EIGHT, SEVEN, Secure, keys, usual};
use central::codes;
use domain::TerminalId;
use protocol::http::{ENROL_PATH, bearer, codes_path};
use protocol::{Central, Enrolment, Problem, ProblemCode};
use reqwest::{Client, Response};

fn narrow(seed: u64, limits: &str) -> City {
    let mut city = City::seeded(seed, 20, 0);
    city.set(&format!("[limits]\n{limits}"));
    city
}

async fn codes(bundle: &Enrolment, terminal: TerminalId) -> Response {
    let url = format!("{}{}", bundle.central, codes_path(terminal, 1));
    Client::new().post(url).header("authorization", bearer(&bundle.access_token).as_str()).send().await.unwrap()
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_again() {
    let street = Street::of(narrow(81, "terminal_per_second = 1\nterminal_burst = 3")).await;
    let mut held_back = None;
    for _ in 0..20 {
        let answer = codes(&street.bundle, TERMINAL).await;
        if answer.status() != 200 {
            held_back = Some(answer);
            break;
        }
    }
    let answer = held_back.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "1");
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body = answer.bytes().await.unwrap();
    assert_eq!(Problem::from_answer(429, &body).code, ProblemCode::TooOften);
    assert!(String::from_utf8_lossy(&body).contains(&format!("urn:citizen:request:{id}")));
    assert!(!Problem::from_answer(429, &body).is_permanent(), "an upload is sent again");

    let other = street.city.enrol_another(TerminalId(4), &street.bundle.central, crate::fixture::NOW);
    assert_eq!(codes(&other, TerminalId(4)).await.status(), 200, "another terminal of the same address is served");
    street.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_flooding_terminal_is_held_back_while_another_behind_the_same_address_is_served() {
    let city = narrow(82, "terminal_per_second = 1\nterminal_burst = 4\naddress_burst = 2\naddress_per_minute = 1");
    let secure = Secure::of(city, &usual()).await;
    let (seven, eight) = (secure.enrolled(&keys(SEVEN, 1)), secure.enrolled(&keys(EIGHT, 3)));
    let mut refused = 0;
    for asked in 0..40 {
        match seven.head().await {
            Ok(_) => {}
            Err(problem) => {
                assert_eq!(problem.code, ProblemCode::TooOften);
                refused += 1;
            }
        }
        if asked % 20 == 0 {
            assert!(eight.head().await.is_ok(), "the other is served meanwhile");
        }
    }
    assert!(refused >= 30, "{refused}");
    let strangers = [secure.status("/check", None).await, secure.status("/check", None).await];
    assert_eq!(strangers, [200; 2], "terminals used up nothing of their address");
    assert_eq!(secure.status("/check", None).await, 429);
    assert!(eight.head().await.is_ok(), "and who shows nothing uses up nothing of the terminals behind it");
    secure.running.stop().await.unwrap();
}

#[test]
fn a_terminal_is_given_some_thousand_codes_a_day_and_more_when_it_uses_them() {
    let city = City::seeded(88, 5, 0);
    let keys = city.keys();
    for terminal in [TERMINAL, TerminalId(4)] {
        city.enrol_another(terminal, "http://127.0.0.1:1", NOW);
    }
    let ask = |terminal, count, now| {
        let given = codes::give(&mut city.database(), &keys, terminal, count, now);
        given.map(|_| ()).map_err(|error| Problem::from(error).code)
    };
    // Enrolling gave it three.
    for _ in 0..3 {
        assert_eq!(ask(TERMINAL, 1_000, NOW), Ok(()));
    }
    assert_eq!(ask(TERMINAL, 997, NOW), Ok(()));
    assert_eq!(ask(TERMINAL, 1, NOW), Err(ProblemCode::LimitReached));
    assert_eq!(ask(TerminalId(4), 200, NOW), Ok(()), "another terminal is served");
    let used = "INSERT INTO document (code, kind, terminal, issued, received, offline, facts, pdf_sha256, pdf)
                SELECT code, 'x', terminal, 1, 1, 0, code, code, code FROM code WHERE terminal = 3 AND batch = 3";
    let deposit = |transaction: &central::db::Transaction<'_>| Ok(transaction.execute(used, &[])?);
    assert_eq!(city.database().write(deposit).unwrap(), 1_000);
    assert_eq!(ask(TERMINAL, 1_000, NOW), Ok(()), "what was used does not count");
    assert_eq!(ask(TERMINAL, 1, NOW), Err(ProblemCode::LimitReached));
    assert_eq!(ask(TERMINAL, 200, NOW.plus_ms(86_400_001)), Ok(()), "the day is over");
    assert_eq!(ask(TerminalId(9), 1, NOW), Err(ProblemCode::NotFound));
}

#[tokio::test]
async fn enrolling_has_a_narrower_limit_of_its_own() {
    let street = Street::of(narrow(83, "enrol_per_minute = 1\nenrol_burst = 2")).await;
    let mut statuses = Vec::new();
    for guess in 0..4 {
        let url = format!("{}{ENROL_PATH}", street.bundle.central);
        let answer = Client::new().post(url).body(format!("guess {guess}")).send().await.unwrap();
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [400, 400, 429, 429]);
    assert_eq!(codes(&street.bundle, TERMINAL).await.status(), 200);
    street.running.stop().await.unwrap();
}
