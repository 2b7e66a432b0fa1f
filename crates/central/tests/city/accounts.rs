//! The office's accounts, log-in, roles and forms.

use crate::browser::{Browser, PASSWORD, console, employ, form_token, serve_city};
use crate::fixture::{City, NOW};
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

pub(crate) fn acts(database: &Database) -> Vec<(String, String, String)> {
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
fn nobody_waits_for_the_moment_that_a_clock_which_ran_ahead_has_noted() {
    let city = city(609);
    employ(&city, "ana", Role::Registry);
    let (mut database, ahead) = (city.database(), NOW.plus_ms(6 * 3_600_000));
    for _ in 0..3 {
        log_in::attempt(&mut database, "ana", address(1), ahead).unwrap();
    }
    let attempt = |database: &mut Database, now| log_in::attempt(database, "ana", address(1), now).map(|_| ());
    assert_eq!(refusal(attempt(&mut database, ahead)), Refusal::TooSoon(2));
    attempt(&mut database, NOW).unwrap();
    // From then on it is counted by the right time.
    assert_eq!(refusal(attempt(&mut database, NOW)), Refusal::TooSoon(3));
    attempt(&mut database, NOW.plus_ms(2_001)).unwrap();
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
    let taken = tries.take(40).filter(Result::is_ok).count();
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
