//! The line itself, with a central that answers as the test wants. The real one is met in `crates/testbed/tests`.

use super::*;
use keys::remote::KeyLine as _;
use protocol::card_keys::{RekeyBegin, RekeyChange, RekeyConfirm, RekeyLook, RekeyState};
use std::sync::Mutex;
use tokio::runtime::Runtime;

/// What central is asked, and what it says.
#[derive(Default)]
struct Central {
    asked: Mutex<Vec<String>>,
    problem: Option<ProblemCode>,
    silent: bool,
}

impl Central {
    async fn heard<T>(&self, what: &str, answer: T) -> Result<T, Problem> {
        self.asked.lock().unwrap().push(what.to_owned());
        if self.silent {
            std::future::pending::<()>().await;
        }
        self.problem.map_or(Ok(answer), |code| Err(Problem::new(code, "as the test wants")))
    }
}

impl CardKeyHolder for Central {
    async fn begin(&self, ask: &BeginAuthentication) -> Result<Cryptogram, Problem> {
        let what = format!("begin {:?} {:?} {} {}", ask.role, ask.scheme, ask.number, ask.uid.len());
        self.heard(&what, Cryptogram { ticket: [1; 16], cryptogram: [2; 32] }).await
    }

    async fn finish(&self, answer: &FinishAuthentication) -> Result<GrantedSession, Problem> {
        let granted = match answer.answer.len() {
            32 => GrantedSession::Ev2 { enc: [3; 16], mac: [4; 16], transaction_id: [5; 4] },
            _ => GrantedSession::Ev1 { key: [6; 16] },
        };
        self.heard("finish", granted).await
    }

    async fn classic(&self, ask: &ClassicAsk) -> Result<ClassicGrant, Problem> {
        match ask {
            ClassicAsk::Keys { .. } => self.heard("keys", ClassicGrant::Keys { purse: [7; 6], top_ups: [8; 6] }).await,
            ClassicAsk::Found(found) => {
                let what = format!("found {} {} {:02X?}", found.counter, found.value, found.seal);
                self.heard(&what, ClassicGrant::Agreed { seal_again: Some([5; 8]) }).await
            }
            ClassicAsk::Seal(seal) => {
                let amount = seal.top_up.map(|top_up| top_up.amount);
                self.heard(&format!("seal {} {amount:?}", seal.counter), ClassicGrant::Seal { mac: [9; 8] }).await
            }
        }
    }

    async fn rekey_look(&self, _: &RekeyLook) -> Result<RekeyState, Problem> {
        self.heard("look", RekeyState::Current).await
    }

    async fn rekey_begin(&self, _: &RekeyBegin) -> Result<Cryptogram, Problem> {
        self.heard("rekey begin", Cryptogram { ticket: [1; 16], cryptogram: [2; 32] }).await
    }

    async fn rekey_change(&self, _: &FinishAuthentication) -> Result<RekeyChange, Problem> {
        self.heard("change", RekeyChange { ticket: [1; 16], message: Vec::new() }).await
    }

    async fn rekey_confirm(&self, _: &RekeyConfirm) -> Result<protocol::card_keys::Rekeyed, Problem> {
        self.heard("confirm", protocol::card_keys::Rekeyed { version: 1 }).await
    }
}

struct Bench {
    runtime: Runtime,
    central: Arc<Central>,
}

impl Bench {
    fn new(central: Central) -> Self {
        Self { runtime: Runtime::new().unwrap(), central: Arc::new(central) }
    }

    fn line(&self) -> KeyLine<Central> {
        KeyLine::new(self.runtime.handle().clone(), Arc::clone(&self.central))
    }

    fn asked(&self) -> Vec<String> {
        self.central.asked.lock().unwrap().clone()
    }
}

fn uid() -> Uid {
    Uid::new(&[4, 1, 2, 3, 4, 5, 6]).unwrap()
}

fn ask(scheme: Scheme) -> RemoteAuthentication {
    let (role, aid) = (KeyRole::Credit, [0xF5, 0x1C, 0x01]);
    RemoteAuthentication { role, scheme, aid, number: 3, version: 0, uid: uid(), challenge: [0; 16] }
}

fn layout() -> ClassicLayout {
    ClassicLayout {
        mad_aid: 0x511C,
        identity_sector: 1,
        purse_sector: 2,
        top_ups_sector: 3,
        purse_max: Cents(5_000),
        top_up_max: Cents(2_000),
    }
}

#[test]
fn an_authentication_is_relayed_and_its_session_comes_back() {
    let bench = Bench::new(Central::default());
    let mut line = bench.line();
    let begun = line.begin(&ask(Scheme::Ev2First)).unwrap();
    assert_eq!((begun.ticket, begun.cryptogram), ([1; 16], [2; 32]));
    let Session::Ev2(keys) = line.finish(&begun.ticket, &[0; 32]).unwrap() else { panic!("another session") };
    assert_eq!((keys.enc.expose(), keys.mac.expose(), keys.transaction_id), (&[3; 16], &[4; 16], [5; 4]));
    line.begin(&ask(Scheme::Aa)).unwrap();
    let Session::Ev1(key) = line.finish(&[1; 16], &[0; 16]).unwrap() else { panic!("another session") };
    assert_eq!(key.expose(), &[6; 16]);
    assert_eq!(bench.asked(), ["begin Credit Ev2First 3 7", "finish", "begin Credit Aa 3 7", "finish"]);
}

#[test]
fn a_card_that_does_not_know_its_key_is_told_apart_from_a_central_that_will_not() {
    let finish = |code| {
        let bench = Bench::new(Central { problem: Some(code), ..Central::default() });
        let result = bench.line().finish(&[1; 16], &[0; 32]).map(|_| ());
        result.unwrap_err()
    };
    assert_eq!(finish(ProblemCode::KeyRejected), KeyError::Rejected);
    assert_eq!(finish(ProblemCode::CardRefused), KeyError::Refused(Refusal::Card));
    assert_eq!(finish(ProblemCode::LimitReached), KeyError::Refused(Refusal::Limit));
    assert_eq!(finish(ProblemCode::PurseDoubtful), KeyError::Refused(Refusal::Purse));
    for code in [ProblemCode::TicketInvalid, ProblemCode::Unreachable] {
        assert!(matches!(finish(code), KeyError::HolderUnavailable(_)), "{code:?}");
    }
}

#[test]
fn a_central_that_says_nothing_is_not_waited_for() {
    let bench = Bench::new(Central { silent: true, ..Central::default() });
    let begun = bench.line().with_wait(Duration::from_millis(20)).begin(&ask(Scheme::Aa));
    assert_eq!(begun, Err(KeyError::HolderUnavailable("central did not answer in time".to_owned())));
    assert_eq!(bench.asked().len(), 1);
}

#[test]
fn a_change_of_the_read_key_is_asked_for_and_not_waited_for() {
    let bench = Bench::new(Central { silent: true, ..Central::default() });
    let answer = bench.line().with_wait(Duration::from_secs(600)).rekey_look(&uid(), 0);
    assert!(answer.get(Patience::None).is_none());
    let answer = bench.line().with_wait(Duration::ZERO).rekey_look(&uid(), 0);
    assert!(matches!(answer.get(Patience::None), Some(Err(KeyError::HolderUnavailable(_)))), "its time is over");
    let bench = Bench::new(Central::default());
    assert_eq!(bench.line().rekey_look(&uid(), 0).wait(), Ok(None));
    assert_eq!(bench.line().rekey_confirm([1; 16], &[0; 8]).wait(), Ok(1));
    assert_eq!(bench.asked(), ["look", "confirm"]);
}

#[test]
fn a_runtime_that_has_ended_answers_at_once() {
    let bench = Bench::new(Central::default());
    let mut line = bench.line().with_wait(Duration::from_secs(600));
    bench.runtime.shutdown_background();
    assert!(matches!(line.begin(&ask(Scheme::Aa)), Err(KeyError::HolderUnavailable(_))));
}

#[test]
fn a_classic_cards_keys_are_asked_for_once_a_visit_and_only_its_own_top_up_is_named() {
    let bench = Bench::new(Central::default());
    let order = ClassicOrder { top_up: TopUpId([1; 16]), amount: Cents(500), counter: 5 };
    let mut classic = bench.line().classic(layout(), Some(order));
    assert!(classic.sector_key_b(&uid(), 2).unwrap() == ClassicKey::new([7; 6]));
    assert!(classic.sector_key_b(&uid(), 3).unwrap() == ClassicKey::new([8; 6]));
    assert_eq!(classic.sector_key_b(&uid(), 1).err(), Some(KeyError::NoKey(KeyRole::Credit)));
    let seal = |counter| PurseSeal { counter, day: 9_000, value_after: 1_500 };
    assert_eq!(classic.purse_seal(&uid(), &seal(4)), Ok([9; 8]));
    assert_eq!(classic.purse_seal(&uid(), &seal(5)), Ok([9; 8]));
    assert_eq!(bench.asked(), ["keys", "seal 4 None", "seal 5 Some(500)"]);
    assert_eq!(format!("{classic:?}"), "ClassicLine(redacted)");
}

#[test]
fn what_lies_on_a_classic_card_is_told_with_its_whole_seal() {
    let bench = Bench::new(Central::default());
    let mut classic = bench.line().classic(layout(), None);
    let seal = card::classic::StoredSeal::read(&[7; 16]);
    let found = |value| PurseFound { counter: 4, value: Cents(value), seal };
    assert_eq!(classic.purse_found(&uid(), &found(1_500)), Ok(Some([5; 8])));
    assert!(matches!(classic.purse_found(&uid(), &found(70_000)), Err(KeyError::HolderUnavailable(_))));
    assert_eq!(bench.asked(), [format!("found 4 1500 {:02X?}", [7; 16])]);
}

#[test]
fn a_card_that_leaves_ends_the_wait_at_once() {
    let bench = Bench::new(Central { silent: true, ..Central::default() });
    let looks = std::sync::atomic::AtomicU32::new(0);
    let sight = Sight::new(move || looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 2);
    let mut line = bench.line().with_wait(Duration::from_secs(600)).in_sight(sight);
    assert_eq!(line.begin(&ask(Scheme::Aa)), Err(KeyError::CardLeft));
}
