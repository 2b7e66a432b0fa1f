//! Which page and form is for whom, and where the office's pages are at all.

use crate::accounts::acts;
use crate::browser::{Browser, PASSWORD, STAFF, employ, form_token, serve_city};
use crate::fixture::{City, NOW, TERMINAL};
use crate::tls::Secure;
use crate::uploads::{top_up, upload};
use central::audit::Role;
use central::db::{Transaction, params};
use central::uploads::Sent;
use central::{clock, uploads};
use ledger::Ledger;
use protocol::Upload;

fn city(seed: u64) -> City {
    City::seeded(seed, 4, 0)
}

/// Who may ask for what. A new page stands in `web::access`, and here.
const TABLE: [(&str, &str, &str); 23] = [
    ("GET", "/", "rfta"),
    ("GET", "/ledger", "fa"),
    ("GET", "/documents", "ra"),
    ("GET", "/office/reconciliation", "fa"),
    ("GET", "/office/reconciliation.csv", "fa"),
    ("GET", "/office/money", "fa"),
    ("POST", "/office/money/settle", "f"),
    ("POST", "/office/money/block", "f"),
    ("POST", "/office/money/confirm", "f"),
    ("POST", "/office/money/explain", "f"),
    ("POST", "/office/money/balance", "f"),
    ("GET", "/office/cards", "rfa"),
    ("POST", "/office/cards/find", "rfa"),
    ("POST", "/office/cards/assign", "r"),
    ("POST", "/office/cards/order", "r"),
    ("POST", "/office/cards/block", "r"),
    ("POST", "/office/cards/unblock", "r"),
    ("POST", "/office/cards/pin", "r"),
    ("GET", "/office/fleet", "ta"),
    ("GET", "/office/audit", "rfta"),
    ("GET", "/office/password", "rfta"),
    ("POST", "/office/password", "rfta"),
    ("POST", "/office/logout", "rfta"),
];

#[tokio::test]
async fn each_page_and_each_form_is_for_its_roles_alone() {
    let city = city(609);
    let running = serve_city(&city).await;
    for (name, role) in STAFF {
        employ(&city, name, role);
        let mut browser = Browser::logged_in(&running.url(), name).await;
        for (method, path, roles) in TABLE {
            let may = roles.contains(&role.name()[..1]);
            // Without a field every form is refused as unfinished, and nothing is done.
            let shown = match method {
                "GET" => browser.get(path).await,
                _ if path == "/office/logout" => continue,
                _ => browser.post(path, &[]).await,
            };
            let expected: &[u16] = match (may, method) {
                (false, _) => &[403],
                (true, "GET") => &[200],
                (true, _) => &[400, 401, 409],
            };
            assert!(expected.contains(&shown.status), "{role:?} {method} {path}: {}", shown.status);
            assert_eq!(shown.page.contains("no es para su función"), !may, "{role:?} {method} {path}");
        }
        assert_eq!(browser.get("/office/new").await.status, 404);
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_open_door_of_a_demonstration_shows_and_does_nothing() {
    let city = city(610);
    let running = serve_city(&city).await;
    let mut onlooker = Browser::at(&running.url());
    for (method, path, _) in TABLE {
        let shown = if method == "GET" { onlooker.get(path).await } else { onlooker.post(path, &[]).await };
        let expected = if method == "GET" { 200 } else { 403 };
        assert_eq!(shown.status, expected, "{method} {path}");
    }
    running.stop().await.unwrap();
    // Without the setting there is no open door.
    let server = central::CityServer::open(city.data_with_office("loopback")).unwrap();
    let running = central::serve(server, 0).await.unwrap();
    let answer = reqwest::get(format!("{}/ledger", running.url())).await.unwrap();
    assert_eq!(answer.status().as_u16(), 401);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn without_a_log_in_a_page_leads_to_it_and_a_program_is_told() {
    let city = city(606);
    employ(&city, "ana", Role::Registry);
    let running = serve_city(&city).await;
    let mut stranger = Browser::at(&running.url());
    for path in ["/", "/ledger", "/office/cards", "/office/anything"] {
        let shown = stranger.get(path).await;
        assert_eq!((shown.status, shown.to.as_str()), (303, "/office/login"), "{path}");
        let answer = reqwest::get(format!("{}{path}", running.url())).await.unwrap();
        assert_eq!(
            answer.status().as_u16(),
            401,
            "{path}: the demonstration's open door closed with the first account"
        );
    }
    assert_eq!(stranger.get("/check").await.status, 200);
    let page = stranger.get("/office/login").await;
    assert!(page.page.contains("<h1>Entrar</h1>") && !page.page.contains("<nav"), "{}", page.page);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn over_tls_the_office_is_there_only_where_the_operator_wants_it_and_its_cookie_stays_on_tls() {
    let get = |path: &str, more: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: central\r\nConnection: close\r\nAccept: text/html\r\n{more}\r\n")
    };
    for (seed, office) in [(613, "loopback"), (614, "open-on-loopback")] {
        let secure = Secure::with_office(seed, office).await;
        for path in ["/", "/office/login", "/office/cards"] {
            let answer = secure.answer(&get(path, ""), None).await;
            assert!(answer.starts_with("HTTP/1.1 401"), "{office} {path}: {answer}");
        }
    }
    let secure = Secure::with_office(615, "tls").await;
    employ(&secure.city, "ana", Role::Registry);
    assert!(secure.answer(&get("/ledger", ""), None).await.starts_with("HTTP/1.1 303"));
    let asked = secure.answer(&get("/office/login", ""), None).await;
    let cookie = |answer: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap().to_owned();
        assert!(
            line.starts_with("__Host-office=") && line.contains("; Path=/; HttpOnly; SameSite=Strict; Secure"),
            "{line}"
        );
        line.split_once(';').unwrap().0.to_owned()
    };
    let body = format!("csrf={}&name=ana&password={}", form_token(&asked), PASSWORD.replace(' ', "+"));
    let post = format!(
        "POST /office/login HTTP/1.1\r\nHost: central\r\nConnection: close\r\nCookie: {}\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        cookie(&asked),
        body.len()
    );
    let entered = secure.answer(&post, None).await;
    assert!(entered.starts_with("HTTP/1.1 303"), "{entered}");
    let page = secure.answer(&get("/office/cards", &format!("Cookie: {}\r\n", cookie(&entered))), None).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("Salir (ana)"), "{page}");
    let plain = cookie(&entered).replace("__Host-", "");
    let page = secure.answer(&get("/office/cards", &format!("Cookie: {plain}\r\n")), None).await;
    assert!(page.starts_with("HTTP/1.1 303"), "a cookie that plain HTTP could have set is none here");
}

/// The names that stay with a claim are the accounts': who confirms the block list does not pay out.
#[tokio::test]
async fn two_people_are_two_accounts() {
    let mut books = crate::money::Street::open();
    books.claim(crate::money::OURS);
    let code = ledger::ClaimCode::of(crate::money::OURS).to_string();
    let city = books.city;
    employ(&city, "luis", Role::Finance);
    employ(&city, "eva", Role::Finance);
    let running = serve_city(&city).await;
    let mut luis = Browser::logged_in(&running.url(), "luis").await;
    let mut eva = Browser::logged_in(&running.url(), "eva").await;
    let settle = [("claim", code.as_str()), ("how", "paid-out")];
    let page = luis.get("/office/money").await.page;
    assert!(page.contains(&code) && page.contains("Liquidar una reclamación"), "{page}");
    let shown = luis.post("/office/money/settle", &settle).await;
    assert!(shown.status == 409 && shown.page.contains("La tarjeta no está bloqueada"), "{}", shown.page);
    assert_eq!(luis.post("/office/money/block", &settle).await.to, "/office/money?done=blocked");
    let now = jiff::Timestamp::from_millisecond(clock::now().0).unwrap().to_string();
    let later = [("list", "2999-01-01T00:00:00Z")];
    assert_eq!(luis.post("/office/money/confirm", &later).await.status, 400, "a list of the future");
    assert_eq!(luis.post("/office/money/confirm", &[("list", now.as_str())]).await.status, 303);
    let shown = luis.post("/office/money/settle", &settle).await;
    assert!(shown.status == 409 && shown.page.contains("Hacen falta dos personas"), "{}", shown.page);
    assert_eq!(eva.post("/office/money/settle", &settle).await.to, "/office/money?done=settled");
    let acts = acts(&city.database());
    let did = |who: &str, what: &str| acts.iter().any(|(by, act, _)| by == who && act == what);
    assert!(did("luis", "card blocked") && did("luis", "blocks confirmed") && did("eva", "claim settled"), "{acts:?}");
    running.stop().await.unwrap();
}

/// What the top-ups of a busy day leave in the books, and as many documents.
fn busy(city: &City) {
    let (mut ledger, mut sent) = (Ledger::new(TERMINAL, 1), Vec::new());
    for id in 1..=90 {
        for (step, entry) in (0_u8..).zip(top_up(&mut ledger, id)) {
            let mut upload = Upload::decode(&upload(&entry, id)).unwrap();
            upload.key.0[0] = step;
            sent.push(Sent::unsigned(TERMINAL, upload.encode().unwrap()));
        }
    }
    let (mut database, keys) = (city.database(), city.keys());
    assert!(uploads::take_batch(&mut database, &keys, &sent, NOW).iter().all(Result::is_ok));
    let document = "INSERT INTO document (code, kind, terminal, issued, received, offline, facts, pdf_sha256, pdf)
                    VALUES (?1, 'volante-individual', 3, 1, ?2, 0, ?1, ?1, ?1)";
    let write = |transaction: &Transaction<'_>| {
        for at in 0..450_i64 {
            transaction.execute(document, params![u128::try_from(at).unwrap().to_be_bytes(), NOW.0 + at])?;
        }
        Ok(())
    };
    database.write(write).unwrap();
}

#[tokio::test]
async fn pages_show_the_newest_of_many_rows_and_lead_to_the_others() {
    let city = city(616);
    busy(&city);
    let running = serve_city(&city).await;
    let mut browser = Browser::at(&running.url());
    let summary = browser.get("/").await.page;
    let figure = |name: &str, count: &str| {
        let line = format!("<dt>{name}</dt><dd>{count}</dd>");
        assert!(summary.contains(&line), "{line} {summary}");
    };
    figure("Documentos depositados", "450");
    figure("Envíos recibidos", "450");
    for path in ["/ledger", "/documents"] {
        let (mut at, mut shown) = (path.to_owned(), Vec::new());
        loop {
            let page = browser.get(&at).await.page;
            let table = page.rsplit_once("<tbody>").unwrap().1;
            shown.push(table.matches("<tr>").count());
            assert!(page.len() < 200_000, "{at}: {}", page.len());
            // To the next page, as long as one is named.
            let Some((_, rest)) = page.split_once(&format!("<a href=\"{path}?page=")) else { break };
            at = format!("{path}?page={}", rest.split('"').next().unwrap());
        }
        assert_eq!(shown, [200, 200, 50], "{path}");
    }
    let page = browser.get("/ledger").await.page;
    assert!(page.contains("Y 250 anteriores.") && page.matches(">completada<").count() == 40, "{page}");
    for nonsense in ["/ledger?page=0", "/documents?page=4000000000"] {
        assert_eq!(browser.get(nonsense).await.status, 200, "{nonsense}");
    }
    running.stop().await.unwrap();
}
