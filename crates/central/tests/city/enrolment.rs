//! Enrolment of terminals with their own keys: by stick, by code; and what follows: renewal, the record.

use crate::fixture::{City, NOW, technician};
use crate::tls::{EIGHT, Keys, SEVEN, Secure, client, identity, keys, signing_request};
use central::enrol::{self, EnrolmentOrder};
use central::{Authority, CentralError, ca_store, clock, epochs};
use domain::{TerminalId, Timestamp};
use protocol::first_trust::{FirstTrustError, SignedAnswer};
use protocol::{Central, FeedFloor, Problem, ProblemCode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use sync::{HttpCentral, SyncSettings, WallClock};

const HOUR_MS: i64 = 3_600_000;

fn stranger(secure: &Secure) -> HttpCentral {
    let fingerprint = secure.authority().fingerprint();
    HttpCentral::pinned(&secure.running.url(), fingerprint, &SyncSettings::default(), WallClock::default()).unwrap()
}

fn answered(secure: &Secure, keys: &Keys) -> SignedAnswer {
    let (authority, order) = (secure.authority(), secure.order(keys.request.terminal));
    let mut database = secure.city.database();
    enrol::answer(&mut database, &secure.city.keys(), &authority, &order, &keys.request, clock::now()).unwrap()
}

fn is_in(needle: &[u8], haystack: &[u8]) -> bool {
    let hexadecimal = data_encoding::HEXLOWER.encode(needle);
    haystack.windows(needle.len()).any(|window| window == needle)
        || haystack.windows(hexadecimal.len()).any(|window| window == hexadecimal.as_bytes())
}

#[tokio::test]
async fn an_answer_brings_everything_a_terminal_begins_with_and_its_keys_never_leave_it() {
    let secure = Secure::open(71).await;
    let keys = keys(SEVEN, 1);
    let sent = keys.request.to_json().unwrap();
    let private = &keys.tls.serialized_der()[36..68];
    for secret in [private, keys.signing.expose(), keys.parcel.expose()] {
        assert!(!is_in(secret, sent.as_bytes()) && !is_in(secret, &keys.request.tls));
    }
    let answer = answered(&secure, &keys);
    let fingerprint = secure.authority().fingerprint();
    let opened = answer.verify(&fingerprint).unwrap().open(&keys.request, &keys.parcel).unwrap();
    let city = secure.city.keys();
    assert_eq!(opened.root_key, city.root_key().unwrap().verifier());
    assert_eq!(opened.central_key, Some(city.export_key().unwrap().public().unwrap()));
    assert_eq!(opened.floor, FeedFloor { key_version: 1, epoch: 1, sequence: 1 });
    assert_eq!(opened.epoch_keys[0].key.expose(), city.epochs[0].key.expose());
    assert_eq!((opened.read_base_keys.len(), opened.uid_key.is_some()), (1, true));
    assert!(!opened.codes.is_empty() && opened.has_certificate());

    let text = answer.to_json().unwrap();
    for secret in [city.epochs[0].key.expose().as_slice(), city.cards.uid.expose(), opened.access_token.expose()] {
        assert!(!is_in(secret, text.as_bytes()), "the fleet's secrets are sealed on the stick");
    }
    let stored = ca_store::keys_of(secure.city.database().read(), SEVEN).unwrap().unwrap();
    assert_eq!(stored, (keys.request.verify().unwrap(), *keys.parcel.public().unwrap().bytes()));
}

#[tokio::test]
async fn an_answer_is_believed_only_as_it_was_signed_and_by_whom_it_was_for() {
    let (secure, elsewhere) = (Secure::open(72).await, Secure::open(73).await);
    let (mine, other) = (keys(SEVEN, 1), keys(SEVEN, 3));
    let answer = answered(&secure, &mine);
    let fingerprint = secure.authority().fingerprint();
    let foreign = answer.verify(&elsewhere.authority().fingerprint()).unwrap_err();
    assert!(matches!(foreign, FirstTrustError::OtherAuthority(_)), "{foreign}");
    let changed = |change: &dyn Fn(&mut SignedAnswer)| {
        let mut bad = answer.clone();
        change(&mut bad);
        bad.verify(&fingerprint).unwrap_err()
    };
    assert_eq!(changed(&|bad| bad.answer = bad.answer.replace("Plaza", "Playa")), FirstTrustError::Changed);
    assert_eq!(changed(&|bad| bad.signature[8] ^= 1), FirstTrustError::Changed);
    let forged = answered(&elsewhere, &mine);
    assert_eq!(changed(&|bad| bad.signature = forged.signature.clone()), FirstTrustError::Changed);
    let open = |keys: &Keys| answer.verify(&fingerprint).unwrap().open(&keys.request, &keys.parcel).err();
    assert_eq!(open(&mine), None);
    assert_eq!(open(&other), Some(FirstTrustError::OtherRequest));
    let thief = Keys { request: mine.request.clone(), ..other };
    assert_eq!(open(&thief), Some(FirstTrustError::OtherKey));
}

#[tokio::test]
async fn a_request_that_is_another_terminals_or_was_changed_gets_no_certificate() {
    let secure = Secure::open(74).await;
    let (authority, mut database) = (secure.authority(), secure.city.database());
    let mut refused = |order: &EnrolmentOrder, keys: &Keys| {
        let city = secure.city.keys();
        match enrol::answer(&mut database, &city, &authority, order, &keys.request, clock::now()) {
            Err(CentralError::Problem(problem)) => problem.code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&secure.order(EIGHT), &keys(SEVEN, 1)), ProblemCode::Malformed);
    let mut bad = keys(SEVEN, 1);
    bad.request.tls = keys(SEVEN, 3).request.tls;
    assert_eq!(refused(&secure.order(SEVEN), &bad), ProblemCode::Malformed);
    assert_eq!(ca_store::list(secure.city.database().read()).unwrap(), []);
}

#[tokio::test]
async fn a_code_is_good_for_one_request_and_for_a_while() {
    let secure = Secure::open(75).await;
    let mut database = secure.city.database();
    let mut code = |terminal, life| {
        enrol::make_code(&mut database, &secure.order(terminal), life, clock::now()).unwrap().to_string()
    };
    let (mine, other) = (keys(SEVEN, 1), keys(SEVEN, 3));
    let good = code(SEVEN, HOUR_MS);
    let central = stranger(&secure);
    let answer = central.enrol(&good.to_lowercase().replace('-', " "), &mine.request).await.unwrap();
    let answer = answer.verify(&secure.authority().fingerprint()).unwrap();
    let certificate = answer.certificate.clone();
    let bundle = answer.open(&mine.request, &mine.parcel).unwrap();
    assert!(client(&bundle.central, &bundle.authorities, &certificate, &mine.tls).head().await.is_ok());
    assert!(central.enrol(&good, &mine.request).await.is_ok(), "the same request again: its answer may be lost");

    let eights = code(EIGHT, HOUR_MS);
    let (expired, replaced) = (code(TerminalId(9), 0), code(SEVEN, HOUR_MS));
    let newest = code(SEVEN, HOUR_MS);
    for (code, why) in [(&good, "used"), (&expired, "too old"), (&replaced, "replaced")] {
        assert_eq!(central.enrol(code, &other.request).await.unwrap_err().code, ProblemCode::Unauthorised, "{why}");
    }
    let others = central.enrol(&eights, &other.request).await.unwrap_err().code;
    assert_eq!(others, ProblemCode::Malformed, "another terminal's code");
    assert!(central.enrol(&newest, &other.request).await.is_ok());
}

#[test]
fn the_code_of_a_terminal_that_never_enrolled_is_voided_by_withdrawing_it() {
    let city = City::seeded(113, 4, 0);
    let order = EnrolmentOrder {
        terminal: EIGHT,
        place: "Plaza".into(),
        central: "https://central.example:8443".into(),
        codes: 1,
    };
    let withdraw = || enrol::withdraw(&mut city.database(), EIGHT, &technician(), NOW).unwrap();
    assert!(!withdraw(), "there is nothing to withdraw");
    let code = enrol::make_code(&mut city.database(), &order, HOUR_MS, NOW).unwrap();
    assert!(ca_store::is_known(city.database().read(), EIGHT).unwrap());
    assert!(withdraw() && !withdraw());
    let authority = Authority::obtain(&city.data, "bahia", NOW).unwrap();
    let request = keys(EIGHT, 3).request;
    let tried = enrol::redeem(&mut city.database(), &city.keys(), &authority, &code, &request, NOW);
    assert_eq!(Problem::from(tried.unwrap_err()).code, ProblemCode::Unauthorised);
}

#[tokio::test]
async fn a_withdrawn_terminals_codes_enrol_nobody_used_or_not() {
    let secure = Secure::open(81).await;
    let authority = secure.authority();
    let redeemed = |code: &str, keys: &Keys| {
        let mut database = secure.city.database();
        let answer = enrol::redeem(&mut database, &secure.city.keys(), &authority, code, &keys.request, clock::now());
        answer.map(|_| ()).map_err(|error| Problem::from(error).code)
    };
    let code = |terminal| {
        let (mut database, order) = (secure.city.database(), secure.order(terminal));
        enrol::make_code(&mut database, &order, HOUR_MS, clock::now()).unwrap().to_string()
    };
    let (seven, eight, thief) = (keys(SEVEN, 1), keys(EIGHT, 3), keys(SEVEN, 5));
    let used = code(SEVEN);
    assert_eq!(redeemed(&used, &seven), Ok(()));
    let found = code(SEVEN);
    assert!(enrol::withdraw(&mut secure.city.database(), SEVEN, &technician(), clock::now()).unwrap());
    assert_eq!(redeemed(&found, &thief), Err(ProblemCode::Unauthorised), "found beside the terminal");
    assert_eq!(redeemed(&used, &seven), Err(ProblemCode::Unauthorised), "the very request that it was used for");

    let first = code(EIGHT);
    assert_eq!(redeemed(&first, &eight), Ok(()));
    let found = code(EIGHT);
    let (mut database, mut city_keys) = (secure.city.database(), secure.city.keys());
    let rotated = epochs::rotate(
        &secure.city.data,
        &mut database,
        &mut city_keys,
        &[EIGHT],
        &technician(),
        clock::now(),
        &mut |_| Ok(()),
    );
    rotated.unwrap();
    assert_eq!(redeemed(&found, &keys(EIGHT, 7)), Err(ProblemCode::Unauthorised), "it would bring the new epoch's key");
    assert_eq!(redeemed(&code(EIGHT), &keys(EIGHT, 7)), Ok(()), "a new code brings the terminal back");
}

#[tokio::test]
async fn after_some_wrong_codes_a_right_one_has_to_wait() {
    let secure = Secure::open(76).await;
    let mut database = secure.city.database();
    let good = enrol::make_code(&mut database, &secure.order(SEVEN), HOUR_MS, clock::now()).unwrap();
    let (central, keys) = (stranger(&secure), keys(SEVEN, 1));
    for _ in 0..10 {
        assert_eq!(central.enrol("AAAA-BBBB", &keys.request).await.unwrap_err().code, ProblemCode::Unauthorised);
    }
    assert_eq!(central.enrol(&good, &keys.request).await.unwrap_err().code, ProblemCode::LimitReached);
}

#[tokio::test]
async fn a_renewed_certificate_ends_the_old_one_when_it_is_first_used() {
    let secure = Secure::open(77).await;
    let old = keys(SEVEN, 1);
    let (bundle, certificate) = secure.enrol_at(&old, clock::now());
    let central = client(&bundle.central, &bundle.authorities, &certificate, &old.tls);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let lost = central.renew(SEVEN, signing_request(&key)).await.unwrap();
    let next = central.renew(SEVEN, signing_request(&key)).await.unwrap();
    assert!(central.head().await.is_ok(), "the old one is good until the new one is used");
    let still_old = client(&bundle.central, &bundle.authorities, &certificate, &old.tls);
    central.change_identity(&identity(&bundle.authorities, &next, &key)).unwrap();
    assert!(central.head().await.is_ok());
    let code = still_old.head().await.unwrap_err().code;
    assert_eq!(code, ProblemCode::CertificateRevoked, "a copy of the old key opens nothing");
    let never_used = client(&bundle.central, &bundle.authorities, &lost, &key);
    assert_eq!(never_used.head().await.unwrap_err().code, ProblemCode::CertificateRevoked);

    let events = ca_store::events(secure.city.database().read(), SEVEN).unwrap();
    let told: Vec<&str> = events.iter().map(|(_, what, _)| what.as_str()).collect();
    let expected = [
        "enrolled with a certificate",
        "certificate first used",
        "certificate renewed",
        "certificate renewed",
        "certificate first used",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_certificate_can_be_made_again_for_a_terminal_that_cannot_ask() {
    let secure = Secure::open(78).await;
    let keys = keys(SEVEN, 1);
    let (bundle, _) = secure.enrol_at(&keys, clock::now());
    let mut database = secure.city.database();
    let again = enrol::reissue(&mut database, &secure.authority(), SEVEN, clock::now()).unwrap().unwrap();
    assert!(client(&bundle.central, &bundle.authorities, &again, &keys.tls).head().await.is_ok());
    assert_eq!(enrol::reissue(&mut database, &secure.authority(), EIGHT, clock::now()).unwrap(), None);
    enrol::withdraw(&mut database, SEVEN, &technician(), clock::now()).unwrap();
    assert_eq!(enrol::reissue(&mut database, &secure.authority(), SEVEN, clock::now()).unwrap(), None);
}

#[tokio::test]
async fn a_certificate_is_made_again_for_the_key_that_was_shown_and_not_for_one_that_was_lost_on_its_way() {
    let secure = Secure::open(80).await;
    let keys = keys(SEVEN, 1);
    let (bundle, certificate) = secure.enrol_at(&keys, clock::now());
    let central = client(&bundle.central, &bundle.authorities, &certificate, &keys.tls);
    let (mut database, authority) = (secure.city.database(), secure.authority());
    let lost = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut again = || {
        let request = signing_request(&lost);
        enrol::renew(&mut database, &authority, SEVEN, &request, clock::now()).unwrap();
        enrol::reissue(&mut database, &authority, SEVEN, clock::now()).unwrap().unwrap()
    };
    let before_any_was_shown = again();
    assert!(client(&bundle.central, &bundle.authorities, &before_any_was_shown, &keys.tls).head().await.is_ok());
    assert!(central.head().await.is_err(), "the older one ended with that");
    let later = again();
    assert!(client(&bundle.central, &bundle.authorities, &later, &keys.tls).head().await.is_ok());
}

#[test]
fn a_certificate_lives_as_long_as_the_pack_and_its_margin_say_or_the_city_has_set() {
    let city = City::seeded(79, 5, 0);
    let (mut database, now) = (city.database(), Timestamp(1_795_345_200_000));
    let authority = central::Authority::obtain(&city.data, "bahia", now).unwrap();
    let keys = keys(SEVEN, 1);
    let order = EnrolmentOrder { terminal: SEVEN, place: "x".into(), central: "https://c".into(), codes: 1 };
    let days = |database: &mut central::Database| {
        let answer = enrol::answer(database, &city.keys(), &authority, &order, &keys.request, now).unwrap();
        let certificate = answer.verify(&authority.fingerprint()).unwrap().certificate;
        (certificate.expires.0 - certificate.issued.0) / 86_400_000
    };
    assert_eq!(days(&mut database), 35 + 14);
    enrol::set_certificate_days(&mut database, 7, now).unwrap();
    assert_eq!(days(&mut database), 7);
    assert!(enrol::set_certificate_days(&mut database, 0, now).is_err());
    assert!(enrol::set_certificate_days(&mut database, 401, now).is_err());
}

#[test]
fn a_token_is_for_this_machine_and_a_certificate_for_tls() {
    for local in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080", "http://127.0.0.1"] {
        assert!(enrol::check_plain(local).is_ok() && enrol::check_secure(local).is_err(), "{local}");
    }
    for far in ["http://10.20.0.1:8080", "http://127.0.0.1.example", "https://127.0.0.1", "http://localhost.example"] {
        assert!(enrol::check_plain(far).is_err(), "{far}");
    }
    assert!(enrol::check_secure("https://central.example:8443").is_ok());
}
