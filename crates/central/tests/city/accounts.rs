//! The office's accounts, log-in, roles and forms.

use crate::browser::{Browser, PASSWORD, STAFF, console, employ, form_token, serve_city};
use crate::fixture::{City, NOW};
use crate::tls::Secure;
use central::accounts::{self, log_in, sessions};
use central::audit::{self, Role};
use central::db::params;
use central::refusal::Refusal;
use central::{CentralError, Database, clock};
use std::net::{IpAddr, Ipv4Addr};

fn refusal<T: std::fmt::Debug>(outcome: Result<T, CentralError>) -> Refusal {
    match outcome {
        Err(CentralError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn city(seed: u64) -> City {
    City::seeded(seed, 4, 0)
}

fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

fn acts(database: &Database) -> Vec<(String, String, String)> {
    let lines = audit::newest(database.read(), 100).unwrap();
    lines.into_iter().rev().map(|line| (line.actor.name, line.what, line.about)).collect()
}

#[test]
fn an_account_has_a_plain_name_one_of_four_roles_and_a_long_password() {
    let city = city(601);
    let mut database = city.database();
    let mut add =
        |name: &str, role, password: &str| accounts::add(&mut database, &console(), name, role, password, NOW);
    for bad in ["", "a", "ana prado", "ana<b>", "añá", &"a".repeat(33)] {
        assert_eq!(refusal(add(bad, Role::Registry, PASSWORD)), Refusal::AccountName, "{bad}");
    }
    assert_eq!(refusal(add("ana", Role::Console, PASSWORD)), Refusal::AccountName);
    assert_eq!(refusal(add("ana", Role::Registry, "short")), Refusal::PasswordLength);
    add(" Ana ", Role::Registry, PASSWORD).unwrap();
    assert_eq!(refusal(add("ana", Role::Finance, PASSWORD)), Refusal::AccountTaken);
    assert!(accounts::disable(&mut database, &console(), "ana", NOW).unwrap());
    assert!(!accounts::disable(&mut database, &console(), "ana", NOW).unwrap());
    assert_eq!(refusal(accounts::disable(&mut database, &console(), "eva", NOW)), Refusal::AccountUnknown);
    let mut add = |name| accounts::add(&mut database, &console(), name, Role::Finance, PASSWORD, NOW);
    assert_eq!(refusal(add("ana")), Refusal::AccountTaken, "a name stays its person's for ever");
    let all = accounts::all(database.read()).unwrap();
    assert_eq!((all.len(), all[0].name.as_str(), all[0].disabled), (1, "ana", Some(NOW)));
    let stored: String = database.read().query_row("SELECT password FROM account", &[], |row| row.get(0)).unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=65536,t=3,p=1$") && !stored.contains("gaviotas"), "{stored}");
    let acts = acts(&database);
    assert_eq!(acts[0], ("root".into(), "account added".into(), "ana (registry)".into()));
    assert_eq!(acts[1], ("root".into(), "account disabled".into(), "ana".into()));
}

#[test]
fn after_wrong_passwords_one_address_waits_and_another_does_not() {
    let city = city(602);
    employ(&city, "ana", Role::Registry);
    let mut database = city.database();
    let wrong = |database: &mut Database, name: &str, from, now| {
        let attempt = log_in::attempt(database, name, from, now)?;
        attempt.finish(database, false, now).map(|_| ())
    };
    for name in ["ana", "nobody"] {
        for _ in 0..3 {
            assert_eq!(refusal(wrong(&mut database, name, address(1), NOW)), Refusal::LogIn, "{name}");
        }
        // The answer for a name that is nobody's is the same.
        assert_eq!(refusal(wrong(&mut database, name, address(1), NOW)), Refusal::TooSoon(2), "{name}");
    }
    assert_eq!(refusal(wrong(&mut database, "ana", address(1), NOW.plus_ms(1_000))), Refusal::LogIn);
    assert_eq!(refusal(wrong(&mut database, "ana", address(1), NOW.plus_ms(2_000))), Refusal::TooSoon(2));
    // A stranger locks nobody out: from elsewhere the right password is taken at once.
    let attempt = log_in::attempt(&mut database, "ana", address(2), NOW.plus_ms(2_000)).unwrap();
    assert!(attempt.is_right(PASSWORD) && !attempt.is_right("cuatro gaviotas y un barco"));
    attempt.finish(&mut database, true, NOW.plus_ms(2_000)).unwrap();
    // And a day later all is forgotten.
    let tomorrow = NOW.plus_ms(25 * 3_600_000);
    assert_eq!(refusal(wrong(&mut database, "ana", address(1), tomorrow)), Refusal::LogIn);
    let refused = acts(&database).into_iter().filter(|(who, what, _)| who == "ana" && what == "log-in refused");
    assert_eq!(refused.count(), 5, "a name that is nobody's is not noted: it may be a password");
}

#[test]
fn tries_at_one_moment_count_before_they_are_answered() {
    let city = city(603);
    employ(&city, "ana", Role::Registry);
    let mut database = city.database();
    for _ in 0..3 {
        log_in::attempt(&mut database, "ana", address(1), NOW).unwrap();
    }
    assert_eq!(refusal(log_in::attempt(&mut database, "ana", address(1), NOW).map(|_| ())), Refusal::TooSoon(2));
}

#[test]
fn one_address_slows_down_whatever_names_it_tries() {
    let city = city(604);
    let mut database = city.database();
    let names: Vec<String> = (0..12).map(|number| format!("eva{number}")).collect();
    for (number, name) in (1_u8..).zip(&names) {
        accounts::add(&mut database, &console(), name, Role::Auditor, &format!("{PASSWORD} {number}"), NOW).unwrap();
    }
    let tries = names.iter().cycle().map(|name| log_in::attempt(&mut database, name, address(1), NOW));
    let taken = tries.take(40).filter(|attempt| attempt.is_ok()).count();
    assert_eq!(taken, 30);
}

#[test]
fn a_session_ends_unused_at_its_latest_with_the_account_and_with_a_new_password() {
    let city = city(605);
    employ(&city, "ana", Role::Registry);
    let mut database = city.database();
    let begin = |database: &mut Database, now| {
        let attempt = log_in::attempt(database, "ana", address(1), now).unwrap();
        attempt.finish(database, true, now).unwrap()
    };
    let lives = |database: &mut Database, token: &protocol::Secret32, now| {
        sessions::account_of(database, token, now).unwrap().is_some()
    };
    let token = begin(&mut database, NOW);
    assert!(lives(&mut database, &token, NOW.plus_ms(sessions::IDLE_MS - 1)));
    assert!(lives(&mut database, &token, NOW.plus_ms(2 * sessions::IDLE_MS - 2)), "using it made it last");
    assert!(!lives(&mut database, &token, NOW.plus_ms(3 * sessions::IDLE_MS - 2)));
    let token = begin(&mut database, NOW);
    let mut at = 0;
    while at < sessions::WHOLE_MS {
        assert!(lives(&mut database, &token, NOW.plus_ms(at)), "{at}");
        at += sessions::IDLE_MS / 2;
    }
    assert!(!lives(&mut database, &token, NOW.plus_ms(sessions::WHOLE_MS)), "used all the time, and over");
    let token = begin(&mut database, NOW);
    accounts::set_password(&mut database, &console(), "ana", "tres barcos y un delfín", NOW).unwrap();
    assert!(!lives(&mut database, &token, NOW));
    let token = begin(&mut database, NOW);
    assert!(lives(&mut database, &token, NOW));
    accounts::disable(&mut database, &console(), "ana", NOW).unwrap();
    assert!(!lives(&mut database, &token, NOW));
    let attempt = log_in::attempt(&mut database, "ana", address(9), NOW).unwrap();
    assert!(!attempt.is_right("tres barcos y un delfín"), "a closed account has no password");
    assert!(!lives(&mut database, &protocol::Secret32::new([0; 32]), NOW));
    let kept = "SELECT count(*) FROM office_session WHERE token_sha256 = ?1";
    let count: i64 = database.read().query_row(kept, params![*token.expose()], |row| row.get(0)).unwrap();
    assert_eq!(count, 0, "the token itself is nowhere");
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
async fn the_cookie_is_for_this_site_alone_and_changes_with_the_log_in() {
    let city = city(607);
    employ(&city, "ana", Role::Registry);
    let running = serve_city(&city).await;
    let mut browser = Browser::at(&running.url());
    let before = browser.get("/office/login").await.set_cookie;
    let shown = browser.log_in("Ana", PASSWORD).await;
    assert_eq!(shown.status, 303);
    assert!(shown.set_cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{}", shown.set_cookie);
    assert_ne!(before, shown.set_cookie, "nobody plants a session");
    let page = browser.get("/").await.page;
    assert!(
        page.contains("Salir (ana)") && page.contains("/office/cards") && !page.contains("/office/money"),
        "{page}"
    );
    let cookie = browser.cookie.clone();
    let token = form_token(&page);
    let left = browser.post_with("/office/logout", &token, &[]).await;
    assert_eq!((left.status, left.to.as_str()), (303, "/office/login"));
    browser.cookie = cookie;
    assert_eq!(browser.get("/").await.to, "/office/login", "the old cookie is worth nothing");
    let acts = acts(&city.database());
    assert_eq!(acts.iter().filter(|(who, what, _)| who == "ana" && what == "logged out").count(), 1);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_told_and_a_form_of_another_session_is_refused() {
    let city = city(608);
    employ(&city, "ana", Role::Registry);
    let running = serve_city(&city).await;
    let mut browser = Browser::at(&running.url());
    let shown = browser.log_in("ana", "<script>alert(1)</script>").await;
    assert_eq!(shown.status, 401);
    assert!(shown.page.contains("El nombre o la contraseña no son correctos") && !shown.page.contains("<script>"));
    let shown = browser.post_with("/office/login", "00", &[("name", "ana"), ("password", PASSWORD)]).await;
    assert_eq!(shown.status, 403);
    assert!(shown.page.contains("form-foreign"), "{}", shown.page);
    let (mut ana, mut other) =
        (Browser::logged_in(&running.url(), "ana").await, Browser::logged_in(&running.url(), "ana").await);
    let foreign = form_token(&other.get("/").await.page);
    for token in ["", "00", &foreign] {
        let shown = ana.post_with("/office/cards/order", token, &[("number", "1"), ("identity", "X")]).await;
        assert_eq!(shown.status, 403, "{token}");
    }
    assert_eq!(ana.get("/").await.status, 200);
    running.stop().await.unwrap();
}

/// Who may ask for what. A new page stands in `web::access`, and here.
const TABLE: [(&str, &str, &str); 22] = [
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

/// The first account is made at central's machine; its password is never an argument.
#[test]
fn the_first_account_is_made_at_the_console_with_a_password_from_a_file() {
    let city = city(616);
    let folder = city.data.keys().parent().unwrap().to_owned();
    let command = |arguments: &[&str]| {
        let program = env!("CARGO_BIN_EXE_citizen-central");
        let output = std::process::Command::new(program).arg("--data").arg(&folder).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let file = folder.join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let file = file.to_str().unwrap();
    let add = ["account", "add", "--name", "ana", "--role", "registry", "--password-file", file];
    assert!(command(&add).0);
    let again = command(&add);
    assert!(!again.0 && again.1.contains("account-taken"), "{}", again.1);
    assert!(!command(&["account", "add", "--name", "eva", "--role", "registry", "--password", PASSWORD]).0);
    assert!(command(&["account", "list"]).1.contains("registry   open"));
    assert!(command(&["account", "disable", "--name", "ana"]).0);
    assert!(command(&["account", "list"]).1.contains("registry   disabled"));
    let acts = command(&["audit"]).1;
    assert!(acts.contains("(console)  account added: ana (registry)") && !acts.contains("gaviotas"), "{acts}");
    assert!(command(&["audit", "--check"]).1.contains("the log is whole"));
    let change = "UPDATE audit SET about = 'eva (registry)'";
    city.database().write(|transaction| Ok(transaction.execute(change, params![])?)).unwrap();
    let check = command(&["audit", "--check"]);
    assert!(!check.0 && check.1.contains("from line 1 on"), "{}", check.1);
}

#[tokio::test]
async fn one_changes_ones_own_password_with_the_old_one() {
    let city = city(611);
    employ(&city, "ana", Role::Registry);
    let running = serve_city(&city).await;
    let mut ana = Browser::logged_in(&running.url(), "ana").await;
    let new = "tres barcos y un delfín";
    let mut change = async |old: &str, new: &str, again: &str| {
        ana.post("/office/password", &[("old", old), ("new", new), ("again", again)]).await.status
    };
    assert_eq!(change("another password", new, new).await, 401);
    assert_eq!(change(PASSWORD, new, "tres barcos y un atún").await, 400);
    assert_eq!(change(PASSWORD, "short", "short").await, 409);
    assert_eq!(change(PASSWORD, new, new).await, 303);
    assert_eq!(ana.get("/").await.to, "/office/login", "every session ended");
    assert_eq!(ana.log_in("ana", PASSWORD).await.status, 401);
    assert_eq!(ana.log_in("ana", new).await.status, 303);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_auditor_sees_every_act_and_whether_one_is_missing_and_others_see_their_own() {
    let city = city(612);
    let running = serve_city(&city).await;
    employ(&city, "ana", Role::Registry);
    employ(&city, "iria", Role::Auditor);
    let mut database = city.database();
    let eva = central::audit::Actor { name: "eva".into(), role: Role::Finance };
    let note = |transaction: &central::db::Transaction<'_>| {
        audit::note(transaction, &eva, "claim settled", "<b>20</b>", clock::now())
    };
    database.write(note).unwrap();
    let mut ana = Browser::logged_in(&running.url(), "ana").await;
    let page = ana.get("/office/audit").await.page;
    assert!(page.contains("Solo sus propios actos") && page.contains("logged in") && !page.contains("claim settled"));
    let mut iria = Browser::logged_in(&running.url(), "iria").await;
    let page = iria.get("/office/audit").await.page;
    assert!(page.contains("El registro está completo") && page.contains("&lt;b&gt;20&lt;/b&gt;"), "{page}");
    let delete = "DELETE FROM audit WHERE what = 'claim settled'";
    database.write(|transaction| Ok(transaction.execute(delete, params![])?)).unwrap();
    assert!(iria.get("/office/audit").await.page.contains("El registro no cuadra"));
    running.stop().await.unwrap();
}
