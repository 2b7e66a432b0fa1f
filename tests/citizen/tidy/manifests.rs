//! The manifests of the workspace, as far as the house's rules need them.

use super::{files, read};
use std::collections::BTreeMap;
use toml::Table;

/// How a crate uses another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In the program itself.
    Normal,
    /// In its tests only.
    Dev,
    /// In its build script only.
    Build,
}

/// One line of a dependency table.
#[derive(Debug, Clone)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Written as `workspace = true`.
    pub(super) from_workspace: bool,
}

/// One package of the workspace.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) path: String,
    pub(super) layer: Option<i64>,
    pub(super) dependencies: Vec<Dependency>,
}

/// All packages by name.
pub(super) fn packages() -> BTreeMap<String, Package> {
    let manifests = files().into_iter().filter(|path| path == "Cargo.toml" || path.ends_with("/Cargo.toml"));
    let ours = manifests.map(|path| (read(&path), path)).filter(|(text, _)| !stands_alone(text));
    let packages: BTreeMap<_, _> = ours.map(|(text, path)| parse(&path, &text)).collect();
    assert!(packages.len() > 10, "the workspace has only {} packages", packages.len());
    packages
}

/// A package with an empty `[workspace]` of its own is built apart, with other flags.
fn stands_alone(text: &str) -> bool {
    let manifest: Table = text.parse().unwrap_or_default();
    manifest.get("workspace").and_then(toml::Value::as_table).is_some_and(Table::is_empty)
}

/// One manifest: the package's name, and what matters of it.
pub(super) fn parse(path: &str, text: &str) -> (String, Package) {
    let manifest: Table = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let package = manifest.get("package").unwrap_or_else(|| panic!("{path}: no [package]"));
    let name = package.get("name").and_then(|name| name.as_str()).unwrap_or_else(|| panic!("{path}: no name"));
    let layer = package.get("metadata").and_then(|metadata| metadata.get("layer")).and_then(toml::Value::as_integer);
    let mut dependencies = tables(&manifest);
    for target in manifest.get("target").and_then(|target| target.as_table()).into_iter().flat_map(Table::values) {
        dependencies.extend(target.as_table().map(tables).unwrap_or_default());
    }
    (name.to_owned(), Package { path: path.to_owned(), layer, dependencies })
}

fn tables(manifest: &Table) -> Vec<Dependency> {
    let kinds = [("dependencies", Kind::Normal), ("dev-dependencies", Kind::Dev), ("build-dependencies", Kind::Build)];
    let mut all = Vec::new();
    for (table, kind) in kinds {
        for (name, how) in manifest.get(table).and_then(|table| table.as_table()).into_iter().flatten() {
            let from_workspace = how.get("workspace").and_then(toml::Value::as_bool) == Some(true);
            all.push(Dependency { name: name.clone(), kind, from_workspace });
        }
    }
    all
}
