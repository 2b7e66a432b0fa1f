//! The city's tests, on PostgreSQL.

#[cfg(test)]
#[path = "../city/accounts.rs"]
mod accounts;
#[cfg(test)]
#[path = "../city/audit.rs"]
mod audit;
#[cfg(test)]
#[path = "../city/backend.rs"]
mod backend;
#[cfg(test)]
#[path = "../city/backup.rs"]
mod backup;
#[cfg(test)]
#[path = "../city/browser.rs"]
mod browser;
#[cfg(test)]
#[path = "../city/card_desk.rs"]
mod card_desk;
#[cfg(test)]
#[path = "../city/card_keys/mod.rs"]
mod card_keys;
#[cfg(test)]
#[path = "../city/cards.rs"]
mod cards;
#[cfg(test)]
#[path = "../city/carry.rs"]
mod carry;
#[cfg(test)]
#[path = "../city/claims.rs"]
mod claims;
#[cfg(test)]
#[path = "../city/crowds.rs"]
mod crowds;
#[cfg(test)]
#[path = "../city/differences.rs"]
mod differences;
#[cfg(test)]
mod durable;
#[cfg(test)]
#[path = "../city/enrolment.rs"]
mod enrolment;
#[cfg(test)]
#[path = "../city/envelopes.rs"]
mod envelopes;
#[cfg(test)]
#[path = "../city/epochs.rs"]
mod epochs;
#[cfg(test)]
#[path = "../city/explained.rs"]
mod explained;
#[cfg(test)]
mod failover;
#[cfg(test)]
#[path = "../city/feed.rs"]
mod feed;
#[cfg(test)]
#[path = "../city/fixture.rs"]
mod fixture;
#[cfg(test)]
#[path = "../city/fleet.rs"]
mod fleet;
#[cfg(test)]
#[path = "../city/follower.rs"]
mod follower;
#[cfg(test)]
#[path = "../city/holders.rs"]
mod holders;
#[cfg(test)]
#[path = "../city/holders_again.rs"]
mod holders_again;
#[cfg(test)]
#[path = "../city/http.rs"]
mod http;
#[cfg(test)]
#[path = "../city/import.rs"]
mod import;
#[cfg(test)]
#[path = "../city/journal.rs"]
mod journal;
#[cfg(test)]
#[path = "../city/kept_uploads.rs"]
mod kept_uploads;
#[cfg(test)]
#[path = "../city/learned.rs"]
mod learned;
#[cfg(test)]
#[path = "../city/limits.rs"]
mod limits;
#[cfg(test)]
#[path = "../city/logs.rs"]
mod logs;
#[cfg(test)]
#[path = "../city/metrics.rs"]
mod metrics;
#[cfg(test)]
#[path = "../city/migrations.rs"]
mod migrations;
#[cfg(test)]
#[path = "../city/money.rs"]
mod money;
#[cfg(test)]
#[path = "../city/nodes.rs"]
mod nodes;
#[cfg(test)]
#[path = "../city/openapi.rs"]
mod openapi;
#[cfg(test)]
mod pair;
#[cfg(test)]
#[path = "../city/parcels.rs"]
mod parcels;
#[cfg(test)]
#[path = "../city/pins.rs"]
mod pins;
#[cfg(test)]
#[path = "../city/reconcile.rs"]
mod reconcile;
#[cfg(test)]
#[path = "../city/retention.rs"]
mod retention;
#[cfg(test)]
#[path = "../city/roles.rs"]
mod roles;
#[cfg(test)]
mod secure;
#[cfg(test)]
#[path = "../city/seeding.rs"]
mod seeding;
#[cfg(test)]
#[path = "../city/server.rs"]
mod server;
#[cfg(test)]
#[path = "../city/settle.rs"]
mod settle;
#[cfg(test)]
#[path = "../city/sql.rs"]
mod sql;
#[cfg(test)]
#[path = "../city/statements.rs"]
mod statements;
#[cfg(test)]
#[path = "../city/stop.rs"]
mod stop;
#[cfg(test)]
#[path = "../city/threats.rs"]
mod threats;
#[cfg(test)]
#[path = "../city/tls.rs"]
mod tls;
#[cfg(test)]
#[path = "../city/uploads.rs"]
mod uploads;

#[cfg(test)]
const BACKEND: backend::Backend = backend::Backend::Postgres;

#[test]
fn every_test_of_the_city_runs_on_postgresql_too() {
    let modules = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("mod ")).map(str::to_owned).collect()
    };
    let mut here = modules(include_str!("main.rs"));
    here.retain(|module| !["mod secure;", "mod failover;", "mod durable;", "mod pair;"].contains(&module.as_str()));
    assert_eq!(here, modules(include_str!("../city/main.rs")));
}
