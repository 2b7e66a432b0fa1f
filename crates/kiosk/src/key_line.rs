//! The way to the keys that central holds. The reader's thread has a card in hand and waits for an answer: the request
//! itself runs on tokio's threads, and after the time-out the key counts as not to be had. Never on the path of a tap:
//! only a credit without a key at hand, and a change of a card's read key, ask here. The change is not waited for.

mod answer;
mod rekey;

pub use answer::{Answer, Patience, Sight};
pub use rekey::{Progress, Rekey, RekeyLine};

use card::classic::{ClassicIssuer, PurseFound};
use domain::city_pack::ClassicLayout;
use domain::{Cents, TopUpId, Uid};
use keys::classic::{ClassicKey, PurseSeal};
use keys::remote::{RemoteAuthentication, RemoteCryptogram};
use keys::{AesKey, KeyError, KeyRole, Refusal, Scheme, Session, SessionKeys};
use protocol::card_keys::{
    BeginAuthentication, CardKeyHolder, ClassicAsk, ClassicFound, ClassicGrant, ClassicSealAsk, ClassicTopUp,
    Cryptogram, FinishAuthentication, GrantedSession, WireRole, WireScheme,
};
use protocol::{Problem, ProblemCode};
use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use tokio::runtime::Handle;

/// How long the reader's thread waits for one answer, unless told otherwise.
pub const WAIT: Duration = Duration::from_secs(2);

/// The line to central's keys. Cheap to clone. Its methods block, but for those of [`RekeyLine`]; call them where
/// blocking is allowed, and never on one of the runtime's own threads.
#[derive(Debug)]
pub struct KeyLine<C> {
    runtime: Handle,
    central: Arc<C>,
    wait: Duration,
    sight: Option<Sight>,
}

impl<C> Clone for KeyLine<C> {
    fn clone(&self) -> Self {
        let (runtime, central, sight) = (self.runtime.clone(), Arc::clone(&self.central), self.sight.clone());
        Self { runtime, central, wait: self.wait, sight }
    }
}

impl<C: CardKeyHolder + 'static> KeyLine<C> {
    /// A line whose requests run on this runtime and are waited for two seconds each.
    #[must_use]
    pub fn new(runtime: Handle, central: Arc<C>) -> Self {
        Self { runtime, central, wait: WAIT, sight: None }
    }

    /// With another time-out.
    #[must_use]
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// With a look at the card now and then while central is waited for: who waits learns at once that it has left.
    #[must_use]
    pub fn in_sight(self, sight: Sight) -> Self {
        Self { sight: Some(sight), ..self }
    }

    /// The issuer of one Classic card's visit. `top_up` is what is to be credited; `None` when nothing is, as when the
    /// key is proven or an interrupted credit is finished.
    #[must_use]
    pub fn classic(&self, layout: ClassicLayout, top_up: Option<ClassicOrder>) -> ClassicLine<C> {
        ClassicLine { line: self.clone(), layout, top_up, keys: None }
    }

    /// Sends the work to the runtime and waits. What is still under way after the time-out is dropped.
    fn ask<T, F>(&self, work: impl FnOnce(Arc<C>) -> F) -> Result<T, KeyError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let answer = self.later(work);
        match &self.sight {
            Some(sight) => answer.wait_with(sight),
            None => answer.wait(),
        }
    }

    /// Sends the work to the runtime.
    fn later<T, F>(&self, work: impl FnOnce(Arc<C>) -> F) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let (done, answered) = sync_channel(1);
        let work = work(Arc::clone(&self.central));
        let task = self.runtime.spawn(async move {
            // Who asked may have waited long enough.
            let _ = done.send(work.await.map_err(|problem| key_error(&problem)));
        });
        Answer::of(answered, self.wait, task.abort_handle())
    }
}

fn key_error(problem: &Problem) -> KeyError {
    match problem.code {
        ProblemCode::KeyRejected => KeyError::Rejected,
        ProblemCode::CardRefused => KeyError::Refused(Refusal::Card),
        ProblemCode::LimitReached => KeyError::Refused(Refusal::Limit),
        ProblemCode::PurseDoubtful => KeyError::Refused(Refusal::Purse),
        _ => KeyError::HolderUnavailable(problem.to_string()),
    }
}

impl<C: CardKeyHolder + 'static> keys::remote::KeyLine for KeyLine<C> {
    fn begin(&mut self, ask: &RemoteAuthentication) -> Result<RemoteCryptogram, KeyError> {
        let ask = BeginAuthentication {
            role: wire_role(ask.role),
            scheme: wire_scheme(ask.scheme),
            aid: ask.aid,
            number: ask.number,
            version: ask.version,
            uid: ask.uid.bytes().to_vec(),
            challenge: ask.challenge,
        };
        self.ask(|central| async move { central.begin(&ask).await }).map(|begun| remote_cryptogram(&begun))
    }

    fn finish(&mut self, ticket: &[u8; 16], answer: &[u8]) -> Result<Session, KeyError> {
        let answer = FinishAuthentication { ticket: *ticket, answer: answer.to_vec() };
        self.ask(|central| async move { central.finish(&answer).await }).map(|granted| session(&granted))
    }
}

fn wire_scheme(scheme: Scheme) -> WireScheme {
    match scheme {
        Scheme::Aa => WireScheme::Aa,
        Scheme::Ev2First => WireScheme::Ev2First,
        Scheme::Ev2NonFirst => WireScheme::Ev2NonFirst,
    }
}

fn wire_role(role: KeyRole) -> WireRole {
    match role {
        KeyRole::Master => WireRole::Master,
        KeyRole::Read => WireRole::Read,
        KeyRole::Debit => WireRole::Debit,
        KeyRole::Credit => WireRole::Credit,
        KeyRole::Uid => WireRole::Uid,
        KeyRole::Picc => WireRole::Picc,
    }
}

fn remote_cryptogram(cryptogram: &Cryptogram) -> RemoteCryptogram {
    RemoteCryptogram { ticket: cryptogram.ticket, cryptogram: cryptogram.cryptogram }
}

fn session(granted: &GrantedSession) -> Session {
    match granted {
        GrantedSession::Ev1 { key } => Session::Ev1(AesKey::new(*key)),
        GrantedSession::Ev2 { enc, mac, transaction_id } => Session::Ev2(SessionKeys {
            enc: AesKey::new(*enc),
            mac: AesKey::new(*mac),
            transaction_id: *transaction_id,
        }),
        GrantedSession::Ev2Renewed { enc, mac } => {
            Session::Ev2Renewed { enc: AesKey::new(*enc), mac: AesKey::new(*mac) }
        }
    }
}

/// What is to be credited on a Classic card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassicOrder {
    /// The top-up.
    pub top_up: TopUpId,
    /// How much.
    pub amount: Cents,
    /// The counter the credit writes: the one that was seen, plus one.
    pub counter: u32,
}

fn another(what: &str) -> KeyError {
    KeyError::HolderUnavailable(what.to_owned())
}

/// Key B and seals of one Classic card, from central, for one visit. The keys are wiped when it is dropped.
pub struct ClassicLine<C> {
    line: KeyLine<C>,
    layout: ClassicLayout,
    top_up: Option<ClassicOrder>,
    keys: Option<(Uid, ClassicGrant)>,
}

impl<C: CardKeyHolder + 'static> ClassicLine<C> {
    /// Both keys come with one request.
    fn granted(&mut self, uid: &Uid) -> Result<&ClassicGrant, KeyError> {
        if self.keys.as_ref().is_none_or(|(owner, _)| owner != uid) {
            let ask = ClassicAsk::Keys { uid: uid.bytes().to_vec() };
            let grant = self.line.ask(|central| async move { central.classic(&ask).await })?;
            self.keys = Some((uid.clone(), grant));
        }
        self.keys.as_ref().map(|(_, grant)| grant).ok_or(KeyError::NoKey(KeyRole::Credit))
    }
}

impl<C: CardKeyHolder + 'static> ClassicIssuer for ClassicLine<C> {
    fn sector_key_b(&mut self, uid: &Uid, sector: u8) -> Result<ClassicKey, KeyError> {
        let layout = self.layout;
        match self.granted(uid)? {
            ClassicGrant::Keys { purse, .. } if sector == layout.purse_sector => Ok(ClassicKey::new(*purse)),
            ClassicGrant::Keys { top_ups, .. } if sector == layout.top_ups_sector => Ok(ClassicKey::new(*top_ups)),
            _ => Err(KeyError::NoKey(KeyRole::Credit)),
        }
    }

    fn purse_found(&mut self, uid: &Uid, found: &PurseFound) -> Result<Option<[u8; 8]>, KeyError> {
        let value = u16::try_from(found.value.0).map_err(|_| another("a purse that a Classic card cannot hold"))?;
        let ask = ClassicAsk::Found(ClassicFound {
            uid: uid.bytes().to_vec(),
            counter: found.counter,
            value,
            seal: found.seal.to_bytes(),
        });
        match self.line.ask(|central| async move { central.classic(&ask).await })? {
            ClassicGrant::Agreed { seal_again } => Ok(seal_again),
            ClassicGrant::Keys { .. } | ClassicGrant::Seal { .. } => Err(another("another answer than was asked for")),
        }
    }

    fn purse_seal(&mut self, uid: &Uid, seal: &PurseSeal) -> Result<[u8; 8], KeyError> {
        // Another counter than the order's is an earlier top-up's, whose seal was cut off.
        let order = self.top_up.filter(|order| order.counter == seal.counter);
        let too_much = |_| another("no such amount fits a Classic card");
        let top_up = order
            .map(|order| u16::try_from(order.amount.0).map(|amount| ClassicTopUp { id: order.top_up.0, amount }))
            .transpose()
            .map_err(too_much)?;
        let ask = ClassicAsk::Seal(ClassicSealAsk {
            uid: uid.bytes().to_vec(),
            top_up,
            counter: seal.counter,
            day: seal.day,
            value_after: seal.value_after,
        });
        match self.line.ask(|central| async move { central.classic(&ask).await })? {
            ClassicGrant::Seal { mac } => Ok(mac),
            ClassicGrant::Keys { .. } | ClassicGrant::Agreed { .. } => Err(another("another answer than a seal")),
        }
    }
}

impl<C> std::fmt::Debug for ClassicLine<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClassicLine(redacted)")
    }
}

#[cfg(test)]
mod tests;
