//! The outbox in batches, as a central that answers a whole envelope at once sees it.

use crate::double::{City, NOW, TERMINAL, Terminal};
use crate::outbox::{Behind, Pushed, ask_again, push};
use crate::{CityTrust, Sealing};
use domain::document::DocumentKind;
use domain::{DocumentCode, TerminalId};
use protocol::central::one_by_one;
use protocol::envelope::Envelope;
use protocol::{
    Central, ClaimEvidence, DocumentIssued, FileHash, HpkeSecret, IdempotencyKey, Kept, NoteKey, Outcome, Outgoing,
    Problem, ProblemCode, Receipt, Secret32, SignedCodeBatch, SignedHead, TerminalStatus, Upload, UploadBody,
};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use store::SystemFiles;

/// A city that takes whole batches, with what it does to some of them.
struct Batching {
    city: City,
    /// A batch with one of these meets this problem as a whole.
    whole: HashMap<IdempotencyKey, ProblemCode>,
    /// Uploads that are kept for a person, with the word of this key.
    kept: HashSet<IdempotencyKey>,
    keeper: NoteKey,
    /// As over TLS from a terminal with keys.
    sealed: bool,
    /// How many uploads each batch had.
    sizes: Mutex<Vec<usize>>,
    /// Runs once, while the first batch is on its way.
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Batching {
    fn new(city: City) -> Self {
        // The double's own head key.
        let keeper = NoteKey::from_seed("bahia-head", &[2; 32]).unwrap();
        let (whole, kept) = (HashMap::new(), HashSet::new());
        Self { city, whole, kept, keeper, sealed: false, sizes: Mutex::default(), meanwhile: Mutex::default() }
    }

    fn sizes(&self) -> Vec<usize> {
        self.sizes.lock().unwrap().clone()
    }
}

impl Central for Batching {
    fn is_sealed(&self) -> bool {
        self.sealed
    }

    async fn head(&self) -> Result<SignedHead, Problem> {
        self.city.head().await
    }
    async fn file(&self, sha256: FileHash) -> Result<Vec<u8>, Problem> {
        self.city.file(sha256).await
    }
    async fn upload(&self, upload: &Upload) -> Result<Receipt, Problem> {
        self.city.upload(upload).await
    }
    async fn code_batch(&self, terminal: TerminalId, count: u16) -> Result<SignedCodeBatch, Problem> {
        self.city.code_batch(terminal, count).await
    }

    async fn upload_batch(&self, batch: &[Outgoing]) -> Result<Vec<Outcome>, Problem> {
        self.sizes.lock().unwrap().push(batch.len());
        if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
            meanwhile();
        }
        if let Some(code) = batch.iter().find_map(|one| self.whole.get(&one.upload.key)) {
            return Err(Problem::new(*code, "the batch as a whole"));
        }
        let mut outcomes = Vec::new();
        for one in batch {
            if self.kept.contains(&one.upload.key) {
                let problem = Problem::new(ProblemCode::Conflict, "it contradicts the books");
                outcomes.push(Outcome::Kept(Kept::sign(&one.bytes, 12, NOW, "finance", &problem, &self.keeper)));
            } else {
                outcomes.extend(one_by_one(&self.city, std::slice::from_ref(one)).await);
            }
        }
        Ok(outcomes)
    }
}

/// A city and a terminal with this many top-ups in its outbox, two entries each.
fn busy(top_ups: u8) -> (Batching, Arc<Terminal>, Vec<IdempotencyKey>) {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(1);
    (1..=top_ups).for_each(|byte| drop(terminal.book(byte)));
    let keys = terminal.queued_keys();
    (Batching::new(city), terminal, keys)
}

async fn pushed(central: &Batching, terminal: &Arc<Terminal>) -> Pushed {
    next_pass(central, terminal, &mut Behind::default()).await
}

/// A pass after others.
async fn next_pass(central: &Batching, terminal: &Arc<Terminal>, behind: &mut Behind) -> Pushed {
    push(central, terminal, &central.city.trust(), &terminal.ring, behind).await.unwrap()
}

/// What central has booked of what stood aside.
async fn asked_again(central: &Batching, terminal: &Arc<Terminal>) -> Option<u32> {
    ask_again(central, terminal, &central.city.trust(), &terminal.ring).await.unwrap()
}

fn deposit(terminal: &Terminal, byte: u8, length: usize) -> IdempotencyKey {
    let kind = DocumentKind::VolanteIndividual;
    let issued = DocumentIssued::new(DocumentCode([byte; 16]), kind, vec![1], NOW, true, vec![byte; length]);
    let mut journal = terminal.journal();
    // As the kiosk does when nothing else is to do.
    assert!(journal.keep_reserve(&SystemFiles).unwrap());
    journal.enqueue(UploadBody::DocumentIssued(issued), NOW).unwrap()
}

fn status(terminal: &Terminal, version: &str) -> IdempotencyKey {
    let status = TerminalStatus { version: version.into(), ..TerminalStatus::default() };
    terminal.journal().put_status(status, NOW).unwrap()
}

#[tokio::test]
async fn an_outbox_goes_up_in_few_batches_in_its_order() {
    let (central, terminal, keys) = busy(20);
    assert_eq!(pushed(&central, &terminal).await.sent, 40);
    assert_eq!((central.city.taken_keys(), central.sizes()), (keys, vec![32, 8]));
}

#[tokio::test]
async fn a_batch_that_is_refused_whole_is_halved_until_the_poison_stands_alone() {
    for code in [ProblemCode::Malformed, ProblemCode::TooLarge, ProblemCode::Conflict] {
        let (mut central, terminal, keys) = busy(8);
        central.whole.insert(keys[5], code);
        let pass = pushed(&central, &terminal).await;
        assert_eq!((pass.sent, pass.quarantined, pass.problem), (15, 1, None), "{code:?}");
        assert_eq!(central.sizes(), [16, 8, 4, 4, 2, 1, 1, 2, 8], "{code:?}");
        assert_eq!(terminal.journal().outbox_quarantined().unwrap()[0].0, keys[5]);
    }
}

#[tokio::test]
async fn where_uploads_are_sealed_a_refusal_that_nobody_signed_sets_nothing_aside() {
    let (mut central, terminal, keys) = busy(2);
    central.sealed = true;
    let documents: Vec<_> = (0..5).map(|byte| deposit(&terminal, byte, 100)).collect();
    central.whole.extend(documents[..4].iter().map(|key| (*key, ProblemCode::Malformed)));
    let pass = pushed(&central, &terminal).await;
    assert_eq!((pass.sent, pass.quarantined, pass.later), (5, 0, 4), "whoever ends TLS on the way can only delay");
    assert!(central.city.taken_keys().starts_with(&keys) && central.city.taken_keys().contains(&documents[4]));
    assert!(terminal.journal().outbox_quarantined().unwrap().is_empty());
}

#[tokio::test]
async fn what_brings_central_down_waits_with_its_chain_and_holds_nothing_else_back() {
    let (mut central, terminal, keys) = busy(2);
    let document = deposit(&terminal, 5, 100);
    central.whole.insert(keys[1], ProblemCode::Internal);
    let pass = pushed(&central, &terminal).await;
    assert_eq!((pass.sent, pass.quarantined, pass.later), (2, 0, 3));
    assert_eq!(central.city.taken_keys(), [keys[0], document]);
    assert_eq!(terminal.queued_keys(), keys[1..]);
}

fn evidence(terminal: &Terminal, byte: u8) -> IdempotencyKey {
    let records = Vec::new();
    let evidence = ClaimEvidence { card: 1, generation: 1, top_up: [byte; 16], purse: None, records };
    terminal.journal().enqueue(UploadBody::ClaimEvidence(evidence), NOW).unwrap()
}

#[tokio::test]
async fn what_is_answered_behind_any_number_of_refusals_that_pass_is_settled() {
    for code in [ProblemCode::Internal, ProblemCode::LimitReached] {
        let (central, terminal, _) = busy(0);
        // Money, and not chained: it comes before all that is written later.
        let poison: Vec<_> = (1..=5).map(|byte| evidence(&terminal, byte)).collect();
        central.city.state().poison.extend(poison.iter().map(|key| (*key, code)));
        (1..=2).for_each(|byte| drop(terminal.book(byte)));
        let document = deposit(&terminal, 9, 100);
        let pass = pushed(&central, &terminal).await;
        assert_eq!((pass.sent, pass.later, pass.problem.map(|problem| problem.code)), (5, 5, Some(code)));
        assert_eq!((terminal.queued_keys(), central.city.taken_keys().last()), (poison, Some(&document)), "{code:?}");
    }
}

#[tokio::test]
async fn uploads_that_bring_central_down_one_after_the_other_are_passed_over_by_the_next_pass() {
    let (mut central, terminal, _) = busy(0);
    let poison: Vec<_> = (1..=3).map(|byte| evidence(&terminal, byte)).collect();
    central.whole.extend(poison.iter().map(|key| (*key, ProblemCode::Internal)));
    (1..=2).for_each(|byte| drop(terminal.book(byte)));
    let mut behind = Behind::default();
    assert_eq!(next_pass(&central, &terminal, &mut behind).await.sent, 0, "a central in trouble is spared");
    assert_eq!(central.sizes(), [7, 3, 1, 2, 1, 1], "three requests in vain end it");
    let pass = next_pass(&central, &terminal, &mut behind).await;
    assert_eq!((pass.sent, pass.problem), (4, None), "what is behind them has its turn");
    central.whole.clear();
    assert_eq!(next_pass(&central, &terminal, &mut behind).await.sent, 3, "and then they have theirs");
}

#[tokio::test]
async fn a_central_that_refuses_everything_is_asked_three_times_in_a_pass_however_much_waits() {
    let (central, terminal, _) = busy(0);
    let documents: Vec<_> = (0..100).map(|byte| deposit(&terminal, byte, 10)).collect();
    central.city.state().poison.extend(documents.iter().map(|key| (*key, ProblemCode::LimitReached)));
    let mut behind = Behind::default();
    for expected in [vec![32, 32, 32], vec![4], vec![32, 32, 32]] {
        let before = central.sizes().len();
        next_pass(&central, &terminal, &mut behind).await;
        assert_eq!(central.sizes()[before..], expected);
    }
}

#[tokio::test]
async fn an_older_central_or_another_key_of_its_ends_the_pass_and_puts_nothing_aside() {
    let codes = [ProblemCode::UnknownVersion, ProblemCode::UnknownKey, ProblemCode::Unauthorised];
    for code in codes.into_iter().chain([ProblemCode::Unavailable, ProblemCode::Unreachable]) {
        let (mut central, terminal, keys) = busy(4);
        central.whole.insert(keys[3], code);
        let pass = pushed(&central, &terminal).await;
        assert_eq!((pass.sent, pass.quarantined, pass.later), (0, 0, 1), "{code:?}");
        assert_eq!((central.sizes(), terminal.queued_keys()), (vec![8], keys), "{code:?}");
    }
}

#[tokio::test]
async fn an_upload_that_central_keeps_stands_aside_and_says_who_has_it() {
    let (mut central, terminal, keys) = busy(2);
    central.kept.insert(keys[1]);
    let pass = pushed(&central, &terminal).await;
    assert_eq!((pass.sent, pass.quarantined, pass.problem), (3, 1, None));
    let quarantined = terminal.journal().outbox_quarantined().unwrap();
    let reason = "conflict: central keeps it as case 12, for the finance: it contradicts the books";
    assert_eq!(quarantined, [(keys[1], reason.to_owned())]);
}

#[tokio::test]
async fn what_stands_aside_is_asked_for_apart_and_is_over_once_the_office_has_booked_it() {
    let (mut central, terminal, keys) = busy(2);
    central.kept.insert(keys[1]);
    pushed(&central, &terminal).await;
    assert_eq!(asked_again(&central, &terminal).await, Some(0), "kept again");
    // Central fails at it: that is no reason to hold anything back, neither money nor its chain.
    central.whole.insert(keys[1], ProblemCode::Internal);
    assert_eq!(asked_again(&central, &terminal).await, Some(0));
    terminal.book(3);
    let pass = pushed(&central, &terminal).await;
    assert_eq!((pass.sent, pass.problem), (2, None));
    central.city.state().cut = true;
    central.whole.clear();
    central.kept.clear();
    assert_eq!(asked_again(&central, &terminal).await, None, "silence is no answer");
    assert_eq!(terminal.journal().outbox_quarantined().unwrap().len(), 1);
    // A person has booked it: its receipt comes, and the plain text goes.
    central.city.state().cut = false;
    assert_eq!(asked_again(&central, &terminal).await, Some(1));
    assert_eq!(central.city.taken_keys().last(), Some(&keys[1]));
    assert_eq!(terminal.journal().outbox_unsent(0, 9).unwrap(), [], "nothing is left in clear");
}

#[tokio::test]
async fn that_an_upload_is_kept_is_believed_of_the_city_only() {
    let (mut central, terminal, keys) = busy(1);
    central.kept.insert(keys[0]);
    central.keeper = NoteKey::from_seed("bahia-head", &[66; 32]).unwrap();
    let pass = pushed(&central, &terminal).await;
    assert_eq!((pass.quarantined, pass.problem.unwrap().code), (0, ProblemCode::Untrusted));
    assert!(terminal.queued_keys().contains(&keys[0]));
}

#[tokio::test]
async fn large_documents_go_in_batches_of_so_many_bytes_and_the_largest_alone() {
    let (central, terminal, _) = busy(1);
    for (byte, length) in [(1, 400_000), (2, 400_000), (3, 400_000), (4, 10)] {
        deposit(&terminal, byte, length);
    }
    assert_eq!(pushed(&central, &terminal).await.sent, 6);
    assert_eq!(central.sizes(), [4, 2]);
    let (central, terminal, _) = busy(1);
    deposit(&terminal, 1, 10);
    deposit(&terminal, 2, 1_100_000);
    assert_eq!(pushed(&central, &terminal).await.sent, 4);
    assert_eq!(central.sizes(), [3, 1]);
}

#[tokio::test]
async fn the_status_goes_last_and_one_that_was_replaced_on_its_way_is_no_error() {
    let (central, terminal, keys) = busy(1);
    let first = status(&terminal, "1");
    let writer = Arc::clone(&terminal);
    *central.meanwhile.lock().unwrap() = Some(Box::new(move || {
        status(&writer, "2");
    }));
    assert_eq!(pushed(&central, &terminal).await.sent, 4);
    let taken = central.city.taken_keys();
    assert_eq!((&taken[..2], taken[2], taken.len()), (&keys[..], first, 4));
    assert_eq!((terminal.queued_keys(), terminal.journal().outbox_counts().unwrap().quarantined), (vec![], 0));
}

#[tokio::test]
async fn a_cache_that_is_dropped_at_a_start_takes_nothing_of_the_outbox_with_it() {
    let (central, terminal, keys) = busy(3);
    let trust = central.city.trust();
    crate::feed::pull(&central, &terminal, &trust, &terminal.ring, NOW).await.unwrap();
    let terminal = Arc::into_inner(terminal).unwrap().restarted_after(|folder| {
        std::fs::remove_dir_all(folder.join("cache.db-segments")).unwrap();
    });
    let terminal = Arc::new(terminal);
    assert!(terminal.cache.lock().unwrap().head().unwrap().is_none(), "it was dropped");
    assert_eq!(terminal.queued_keys(), keys);
    assert_eq!(pushed(&central, &terminal).await.sent, 6);
    assert_eq!(central.city.taken_keys(), keys);
}

#[test]
fn what_waits_is_sealed_at_sending_so_that_a_change_of_centrals_key_reseals_it() {
    let (city, terminal) = (City::new(), Terminal::new());
    let CityTrust { city: name, .. } = city.trust();
    terminal.book(1);
    let (old, new) = (HpkeSecret::new([1; 32]), HpkeSecret::new([2; 32]));
    let sealing = Sealing::new(&name, TERMINAL, &Secret32::new([3; 32]), old.public().unwrap());
    let batch: Vec<Outgoing> = terminal
        .journal()
        .outbox_next(9)
        .unwrap()
        .into_iter()
        .map(|item| Outgoing { upload: Upload::decode(&item.bytes).unwrap(), bytes: item.bytes })
        .collect();
    let opens = |envelope: &[u8], key: &HpkeSecret| {
        let opened = Envelope::read(envelope).unwrap().open(&name, std::slice::from_ref(key));
        opened.ok().map(|uploads| uploads.into_iter().map(|upload| upload.bytes).collect::<Vec<_>>())
    };
    let first = sealing.envelope(&batch).unwrap();
    sealing.change_key(new.public().unwrap());
    let second = sealing.envelope(&batch).unwrap();
    let plain: Vec<Vec<u8>> = batch.iter().map(|one| one.bytes.clone()).collect();
    assert_eq!((opens(&first, &old), opens(&first, &new)), (Some(plain.clone()), None));
    assert_eq!((opens(&second, &old), opens(&second, &new)), (None, Some(plain)));
    let too_many: Vec<Outgoing> = batch.iter().cycle().take(300).cloned().collect();
    assert_eq!(sealing.envelope(&too_many).unwrap_err().code, ProblemCode::TooLarge);
}
