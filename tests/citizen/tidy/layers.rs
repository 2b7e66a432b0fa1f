//! The layers of `docs/architecture.md`: a crate uses only crates of a lower layer, in its tests too. And no simulator is
//! ever part of the program that stands in the street.

use super::manifests::{Kind, Package, packages, parse};
use super::none;
use std::collections::{BTreeMap, BTreeSet};

/// What never stands in the street.
const SIMULATORS: &[&str] = &["card-simulator", "payment-simulator", "testbed"];

fn complaints(packages: &BTreeMap<String, Package>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, package) in packages {
        let Some(layer) = package.layer else {
            complaints.push(format!("{}: no `[package.metadata] layer = N`", package.path));
            continue;
        };
        for dependency in &package.dependencies {
            if !dependency.from_workspace {
                complaints.push(format!("{}: {} is not `{{ workspace = true }}`", package.path, dependency.name));
            }
            let Some(used) = packages.get(&dependency.name).and_then(|used| used.layer) else { continue };
            if used >= layer {
                complaints.push(format!("{name} (layer {layer}) uses {} (layer {used})", dependency.name));
            }
        }
    }
    complaints
}

/// Everything a package is linked with, itself included, and by which way it came.
fn tree(packages: &BTreeMap<String, Package>, top: &str) -> BTreeMap<String, String> {
    let mut ways = BTreeMap::from([(top.to_owned(), top.to_owned())]);
    let mut open = vec![top.to_owned()];
    while let Some(name) = open.pop() {
        let way = ways.get(&name).cloned().unwrap_or_default();
        let Some(package) = packages.get(&name) else { continue };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind != Kind::Dev) {
            if !ways.contains_key(&dependency.name) {
                ways.insert(dependency.name.clone(), format!("{way} -> {}", dependency.name));
                open.push(dependency.name.clone());
            }
        }
    }
    ways
}

#[test]
fn a_crate_uses_only_crates_of_a_lower_layer() {
    none(
        &complaints(&packages()),
        "Move the code, or the layer (docs/architecture.md), or take the dependency from the workspace:",
    );
}

#[test]
fn a_crate_that_uses_its_own_layer_or_names_none_is_noticed() {
    let bad = [
        ("a/Cargo.toml", "[package]\nname = 'a'\n[package.metadata]\nlayer = 3\n[dependencies]\nb.workspace = true\n"),
        ("b/Cargo.toml", "[package]\nname = 'b'\n[package.metadata]\nlayer = 3\n[dev-dependencies]\nc = '1.0'\n"),
        ("c/Cargo.toml", "[package]\nname = 'c'\n"),
    ];
    let packages: BTreeMap<_, _> = bad.iter().map(|(path, text)| parse(path, text)).collect();
    let found = complaints(&packages).join("\n");
    for part in ["a (layer 3) uses b (layer 3)", "b/Cargo.toml: c is not", "c/Cargo.toml: no `[package.metadata]"] {
        assert!(found.contains(part), "{part} was not noticed in:\n{found}");
    }
}

#[test]
fn no_simulator_is_in_the_program_that_stands_in_the_street() {
    let ways = tree(&packages(), "citizen-kiosk");
    assert!(ways.contains_key("card") && ways.contains_key("payment"), "the tree was not walked: {ways:?}");
    let found: Vec<String> = SIMULATORS.iter().filter_map(|name| ways.get(*name).cloned()).collect();
    none(&found, "A simulator is wired by crates/testbed and nowhere else; cut this way:");
}

#[test]
fn the_testbed_is_where_the_simulators_are() {
    let ways = tree(&packages(), "testbed");
    let missing: BTreeSet<_> = SIMULATORS.iter().filter(|name| !ways.contains_key(**name)).collect();
    assert!(missing.is_empty(), "renamed? The list SIMULATORS names {missing:?}, which the testbed does not use");
}
