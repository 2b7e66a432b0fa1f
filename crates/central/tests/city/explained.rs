//! What a person has explained is listed no more, and hides nothing that comes after it.

use crate::fixture::NOW;
use crate::fixture::officer;
use crate::money::{A, OURS, Street, intent};
use central::reconcile::Cause;
use central::report;
use domain::TopUpId;
use protocol::UploadBody;

#[test]
fn what_a_person_has_explained_is_listed_no_more_and_stays_in_the_books() {
    let mut street = Street::open();
    let first = street.write(A, OURS, intent());
    street.send(&first);
    street.ledgers_back();
    street.says(A, TopUpId([5; 16]), [intent()]);
    assert_eq!(street.found(), [(Cause::Rollback, 0)]);
    let mut database = street.city.database();
    let explain =
        |database: &mut central::Database, who: &str| report::explain(database, 1, &officer(who), "disk", NOW);
    assert!(explain(&mut database, " ").is_err());
    assert!(explain(&mut database, "Ana Prado").unwrap());
    assert!(!explain(&mut database, "Luis Mar").unwrap(), "the first explanation stands");
    assert_eq!((street.found(), street.noticed()), (vec![], vec!["rollback".to_owned()]));
}

#[test]
fn a_refusal_that_was_explained_does_not_hide_the_next_one() {
    let street = Street::open();
    let refused = |street: &Street, key: u8| {
        let body = UploadBody::LedgerEntry(vec![0xFF, key]);
        let key = protocol::IdempotencyKey([key; 16]);
        let upload = protocol::Upload { terminal: A.0, journal_generation: 1, key, written: 1, body };
        let (mut database, keys) = (street.city.database(), street.city.keys());
        assert!(central::uploads::take(&mut database, &keys, A, &upload.encode().unwrap(), street.now).is_err());
    };
    refused(&street, 1);
    refused(&street, 1);
    assert_eq!(street.found(), [(Cause::RefusedUpload, 0)], "the same upload once");
    assert!(report::explain(&mut street.city.database(), 1, &officer("Ana Prado"), "a worn disk", NOW).unwrap());
    refused(&street, 1);
    assert_eq!(street.found(), []);
    refused(&street, 2);
    assert_eq!(street.found(), [(Cause::RefusedUpload, 0)]);
}

#[test]
fn a_journal_that_is_set_back_again_is_named_again() {
    let mut street = Street::open();
    street.says(A, OURS, [intent()]);
    for again in [5, 6] {
        street.ledgers_back();
        let entry = street.write(A, TopUpId([again; 16]), intent());
        street.send(&entry);
        let notices = report::anomalies(street.city.database().read()).unwrap();
        let newest = notices.iter().map(|notice| notice.id).max().unwrap();
        assert_eq!(street.found(), [(Cause::Rollback, 0)], "{again}");
        assert!(report::explain(&mut street.city.database(), newest, &officer("Ana Prado"), "the disk", NOW).unwrap());
    }
}
