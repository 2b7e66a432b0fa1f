use super::http::{client, serve};
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use protocol::ProblemCode;
use protocol::card_keys::{CardKeyHolder, FinishAuthentication, GrantedSession, RekeyLook, RekeyState};
use protocol::http::{KEYS_FINISH_PATH, REKEY_LOOK_PATH};

#[tokio::test]
async fn what_is_asked_about_keys_travels_with_the_token_and_only_a_readable_answer_is_believed() {
    let finish = async |headers: HeaderMap, body: Bytes| {
        assert_eq!(headers["authorization"], format!("Bearer {}", "a1".repeat(32)));
        let asked = FinishAuthentication::decode(&body).unwrap();
        let session = GrantedSession::Ev1 { key: asked.ticket };
        session.encode().unwrap().to_vec()
    };
    let app =
        Router::new().route(KEYS_FINISH_PATH, post(finish)).route(REKEY_LOOK_PATH, post(async || "something else"));
    let central = client(&serve(app).await, 0xA1);
    let answer = FinishAuthentication { ticket: [7; 16], answer: vec![1; 16] };
    assert!(central.finish(&answer).await.unwrap() == GrantedSession::Ev1 { key: [7; 16] });
    let look: Result<RekeyState, _> = central.rekey_look(&RekeyLook { uid: vec![4; 7], version_on_card: 0 }).await;
    assert_eq!(look.unwrap_err().code, ProblemCode::Untrusted);
    let missing = central.rekey_change(&answer).await;
    assert_eq!(missing.err().map(|problem| problem.code), Some(ProblemCode::NotFound));
}
