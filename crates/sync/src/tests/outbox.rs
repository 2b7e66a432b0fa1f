use crate::double::{City, Fault, NOW, Terminal};
use crate::outbox::{Behind, Pushed, push};
use domain::card::CityOrder;
use domain::document::DocumentKind;
use domain::{CardNumber, Cents, DocumentCode, Generation, TopUpId};
use protocol::{DocumentIssued, IdempotencyKey, ProblemCode, UploadBody};
use std::sync::Arc;

async fn pushed(city: &City, terminal: &Arc<Terminal>) -> Pushed {
    push(city, terminal, &city.trust(), &terminal.ring, &mut Behind::default()).await.unwrap()
}

/// A city with a head, a terminal with two top-ups (four entries) in its outbox, and their keys in order.
fn busy() -> (City, Arc<Terminal>, Vec<IdempotencyKey>) {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(1);
    terminal.book(1);
    terminal.book(2);
    let keys = terminal.queued_keys();
    assert_eq!(keys.len(), 4);
    (city, terminal, keys)
}

fn deposit(terminal: &Terminal) -> IdempotencyKey {
    let kind = DocumentKind::VolanteIndividual;
    let issued = DocumentIssued::new(DocumentCode([5; 16]), kind, vec![1], NOW, true, b"%PDF".to_vec());
    terminal.journal().enqueue(UploadBody::DocumentIssued(issued), NOW).unwrap()
}

#[tokio::test]
async fn everything_is_sent_once_in_the_order_it_was_written() {
    let (city, terminal, keys) = busy();
    assert_eq!(pushed(&city, &terminal).await, Pushed { sent: 4, ..Pushed::default() });
    assert_eq!(city.taken_keys(), keys);
    assert_eq!(terminal.queued_keys(), []);
    assert_eq!(pushed(&city, &terminal).await, Pushed::default());
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_key_and_has_one_effect() {
    let (city, terminal, keys) = busy();
    city.state().faults.push_back(Fault::AnswerLost);
    let first = pushed(&city, &terminal).await;
    assert_eq!((first.sent, first.heard()), (0, Some(false)));
    assert_eq!((city.taken_keys(), terminal.queued_keys()), (vec![keys[0]], keys.clone()));
    assert_eq!(pushed(&city, &terminal).await.sent, 4);
    assert_eq!(city.taken_keys(), keys);
    assert_eq!(terminal.queued_keys(), []);
}

#[tokio::test]
async fn a_lost_request_leaves_everything_queued_and_counts_the_attempt() {
    let (city, terminal, keys) = busy();
    city.state().faults.push_back(Fault::RequestLost);
    pushed(&city, &terminal).await;
    assert_eq!(city.taken_keys(), []);
    let attempts: Vec<u32> = terminal.journal().outbox_next(9).unwrap().iter().map(|item| item.attempts).collect();
    assert_eq!(attempts, [1, 0, 0, 0]);
    assert_eq!(pushed(&city, &terminal).await.sent, 4);
    assert_eq!(city.taken_keys(), keys);
}

#[tokio::test]
async fn one_poison_upload_is_quarantined_with_its_reason_and_the_others_go_on() {
    let (city, terminal, keys) = busy();
    city.state().poison.insert(keys[1], ProblemCode::Conflict);
    let pass = pushed(&city, &terminal).await;
    assert_eq!((pass.sent, pass.quarantined, pass.problem), (3, 1, None));
    assert_eq!(city.taken_keys(), [keys[0], keys[2], keys[3]]);
    let quarantined = terminal.journal().outbox_quarantined().unwrap();
    assert_eq!(quarantined.len(), 1);
    assert!(quarantined[0].0 == keys[1] && quarantined[0].1.contains("Conflict"));
}

#[tokio::test]
async fn an_entry_that_has_to_wait_holds_back_its_chain_and_nothing_else() {
    let (city, terminal, keys) = busy();
    let document = deposit(&terminal);
    city.state().poison.insert(keys[1], ProblemCode::Internal);
    let pass = pushed(&city, &terminal).await;
    assert_eq!((pass.sent, pass.later, pass.must_retry()), (2, 3, true));
    assert_eq!(city.taken_keys(), [keys[0], document]);
    assert_eq!(terminal.queued_keys(), keys[1..]);
    city.state().poison.clear();
    assert_eq!(pushed(&city, &terminal).await.sent, 3);
    assert_eq!(city.taken_keys(), [&[keys[0], document][..], &keys[1..]].concat());
}

#[tokio::test]
async fn silence_or_a_refused_token_ends_the_pass_at_once() {
    for code in [ProblemCode::Unreachable, ProblemCode::Unavailable, ProblemCode::Unauthorised] {
        let (city, terminal, _) = busy();
        deposit(&terminal);
        city.state().faults.push_back(Fault::Answer(code));
        assert_eq!(pushed(&city, &terminal).await.sent, 0, "{code:?}");
        assert_eq!(city.state().attempts, 1, "{code:?}");
    }
}

#[tokio::test]
async fn a_receipt_that_is_not_the_citys_settles_nothing() {
    let (city, terminal, keys) = busy();
    city.state().faults.push_back(Fault::ForgedReceipt);
    let pass = pushed(&city, &terminal).await;
    assert_eq!(pass.problem.unwrap().code, ProblemCode::Untrusted);
    assert_eq!(terminal.queued_keys(), keys[..1], "the others have the city's own");
    assert_eq!(pushed(&city, &terminal).await.sent, 1);
}

fn credit_order() -> CityOrder {
    CityOrder {
        top_up: TopUpId([9; 16]),
        card: CardNumber(9),
        generation: Generation(1),
        amount: Cents(5_00),
        counter: 4,
        expires: NOW,
    }
}

#[tokio::test]
async fn an_order_in_the_answer_is_handed_on_once_the_receipt_is_settled() {
    let (city, terminal, keys) = busy();
    let order = city.order(&credit_order());
    city.state().order = Some(order.clone());
    // The first answer is lost, and its order with it: the repeat brings both.
    city.state().faults.push_back(Fault::AnswerLost);
    pushed(&city, &terminal).await;
    assert_eq!(*terminal.ordered.lock().unwrap(), []);
    assert_eq!(pushed(&city, &terminal).await.sent, 4);
    assert_eq!((city.taken_keys(), terminal.queued_keys()), (keys, Vec::new()));
    assert_eq!(*terminal.ordered.lock().unwrap(), vec![order; 4]);
}

#[tokio::test]
async fn an_order_that_is_not_the_citys_is_dropped_and_its_receipt_counts_all_the_same() {
    let (city, terminal, _) = busy();
    city.state().order = Some(city.with_next_key().order(&credit_order()));
    assert_eq!(pushed(&city, &terminal).await.sent, 4);
    assert_eq!((terminal.queued_keys(), terminal.ordered.lock().unwrap().clone()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_receipt_of_the_citys_former_key_is_still_good_after_the_change() {
    let (city, terminal, keys) = busy();
    let trust = city.trust();
    crate::feed::pull(&city, &terminal, &trust, &terminal.ring, NOW).await.unwrap();
    city.state().faults.push_back(Fault::AnswerLost);
    pushed(&city, &terminal).await;
    let city = city.with_next_key();
    city.publish_standard(2);
    crate::feed::pull(&city, &terminal, &trust, &terminal.ring, NOW).await.unwrap();
    assert_eq!(pushed(&city, &terminal).await.sent, 4);
    assert_eq!(city.taken_keys(), keys);
}

#[tokio::test]
async fn uploads_go_on_while_the_feed_is_broken() {
    let (city, terminal, keys) = busy();
    city.state().files.clear();
    assert!(crate::feed::pull(&city, &terminal, &city.trust(), &terminal.ring, NOW).await.is_err());
    assert_eq!(pushed(&city, &terminal).await.sent, 4);
    assert_eq!(city.taken_keys(), keys);
}

#[tokio::test]
async fn more_than_a_batch_is_sent_in_one_pass() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(1);
    (1..=20).for_each(|byte| drop(terminal.book(byte)));
    let keys = terminal.queued_keys();
    city.state().poison.insert(keys[30], ProblemCode::Malformed);
    let pass = pushed(&city, &terminal).await;
    assert_eq!((pass.sent, pass.quarantined), (39, 1));
}
