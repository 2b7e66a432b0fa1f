//! The API's description is true, whole and the one that is kept.

use crate::fixture::City;
use central::{CityServer, api_description, serve};
use protocol::http as paths;
use std::collections::BTreeSet;
use std::path::PathBuf;

const KEPT: &str = include_str!("../../../../docs/openapi.json");

/// The routes' constants by name, as the sources of the router write them.
const NAMED: [(&str, &str); 15] = [
    ("HEAD_PATH", paths::HEAD_PATH),
    ("UPLOADS_PATH", paths::UPLOADS_PATH),
    ("KEYS_BEGIN_PATH", paths::KEYS_BEGIN_PATH),
    ("KEYS_FINISH_PATH", paths::KEYS_FINISH_PATH),
    ("KEYS_CLASSIC_PATH", paths::KEYS_CLASSIC_PATH),
    ("REKEY_LOOK_PATH", paths::REKEY_LOOK_PATH),
    ("REKEY_BEGIN_PATH", paths::REKEY_BEGIN_PATH),
    ("REKEY_CHANGE_PATH", paths::REKEY_CHANGE_PATH),
    ("REKEY_CONFIRM_PATH", paths::REKEY_CONFIRM_PATH),
    ("CARDS_PATH", paths::CARDS_PATH),
    ("ENROL_PATH", paths::ENROL_PATH),
    ("HEALTH_PATH", paths::HEALTH_PATH),
    ("READY_PATH", paths::READY_PATH),
    ("METRICS_PATH", "/metrics"),
    ("", ""),
];

/// Every path of the router, as its sources have it.
fn routed() -> BTreeSet<String> {
    let web = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = vec![web.join("web.rs")];
    let mut folders = vec![web.join("web")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { sources.push(path) }
        }
    }
    let mut routed = BTreeSet::new();
    for source in sources.iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        let text = std::fs::read_to_string(source).unwrap();
        for rest in text.split(".route(").skip(1) {
            let path = rest.split(',').next().unwrap().trim();
            // A text about routes, in the test of their roles.
            if path.starts_with('\\') {
                continue;
            }
            let literal = path.strip_prefix('"').and_then(|path| path.strip_suffix('"'));
            let named = || NAMED.iter().find(|(name, _)| *name == path).map(|(_, path)| *path);
            let path =
                literal.or_else(named).unwrap_or_else(|| panic!("{path} of {} is not in NAMED", source.display()));
            routed.insert(path.to_owned());
        }
    }
    routed
}

/// What a machine asks; the rest are pages for people.
fn is_described(path: &str) -> bool {
    path.starts_with("/v1/")
        || path.starts_with("/office/api/")
        || path.ends_with(".json")
        || [paths::HEALTH_PATH, paths::READY_PATH, "/metrics"].contains(&path)
}

fn described() -> BTreeSet<String> {
    let description: serde_json::Value = serde_json::from_str(&api_description()).unwrap();
    description["paths"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_kept_description_is_the_one_the_code_makes() {
    assert!(KEPT == api_description(), "run `citizen-central openapi`");
}

#[test]
fn every_route_for_machines_is_described_and_no_other() {
    let wanted: BTreeSet<String> = routed().into_iter().filter(|path| is_described(path)).collect();
    assert!(wanted.len() > 14, "{wanted:?}");
    assert_eq!(described(), wanted);
}

#[test]
fn a_parser_of_openapi_3_1_reads_it_and_finds_every_reference() {
    let spec = oas3::from_json(api_description()).unwrap();
    assert_eq!(spec.validate_version().unwrap().to_string(), "3.1.0");
    let components = spec.components.as_ref().unwrap();
    for (path, item) in spec.paths.as_ref().unwrap() {
        for (method, operation) in item.methods() {
            assert!(operation.operation_id.is_some() && operation.summary.is_some(), "{method} {path}");
            let answers = operation.responses(&spec);
            assert!(answers.contains_key("200"), "{method} {path}");
            for answer in answers.values() {
                for media in answer.content.values() {
                    assert!(media.schema(&spec).unwrap().is_some(), "{method} {path}");
                }
            }
        }
    }
    let said = |name: &str| components.security_schemes.contains_key(name);
    assert!(said("certificate") && said("token"));
    let text = api_description();
    let references = text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
    for name in references.collect::<BTreeSet<_>>() {
        assert!(components.schemas.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn every_described_path_is_answered_by_a_route() {
    let city = City::seeded(93, 20, 0);
    let running = serve(CityServer::open(city.data.clone()).unwrap(), 0).await.unwrap();
    let description: serde_json::Value = serde_json::from_str(&api_description()).unwrap();
    for (path, methods) in description["paths"].as_object().unwrap() {
        if path == "/metrics" {
            continue;
        }
        let url = format!("{}{}", running.url(), path.replace("{id}", "3").replace("{sha256}", "00"));
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse().unwrap();
            let answer = reqwest::Client::new().request(method, &url).send().await.unwrap();
            let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
            // The router's own 404 and 405 have no body.
            assert!(kind.is_some() && answer.status() != 405, "{url} {}", answer.status());
        }
    }
    running.stop().await.unwrap();
}
