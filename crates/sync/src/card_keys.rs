//! The client's side of `CardKeyHolder`: keys of cards that stay with central. Each request is made once: whoever asks
//! has a card in hand that waits, and begins anew with the card when an answer is lost.

use crate::http::{Ask, HttpCentral, untrusted};
use protocol::card_keys::{
    BadMessage, BeginAuthentication, CardKeyHolder, ClassicAsk, ClassicGrant, Cryptogram, FinishAuthentication,
    GrantedSession, RekeyBegin, RekeyChange, RekeyConfirm, RekeyLook, RekeyState, Rekeyed,
};
use protocol::http::{
    CBOR, KEYS_BEGIN_PATH, KEYS_CLASSIC_PATH, KEYS_FINISH_PATH, REKEY_BEGIN_PATH, REKEY_CHANGE_PATH,
    REKEY_CONFIRM_PATH, REKEY_LOOK_PATH,
};
use protocol::{Problem, ProblemCode};
use zeroize::Zeroizing;

impl HttpCentral {
    /// One request about keys, and its answer's bytes.
    async fn ask_keys(
        &self,
        path: &str,
        body: Result<Zeroizing<Vec<u8>>, BadMessage>,
    ) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let body = body.map_err(|error| Problem::new(ProblemCode::Malformed, error.to_string()))?;
        self.answer(Ask::post(path).with(CBOR, body.to_vec())).await.map(Zeroizing::new)
    }
}

fn unreadable(_: BadMessage) -> Problem {
    untrusted("the answer about keys cannot be read")
}

impl CardKeyHolder for HttpCentral {
    async fn begin(&self, ask: &BeginAuthentication) -> Result<Cryptogram, Problem> {
        Cryptogram::decode(&self.ask_keys(KEYS_BEGIN_PATH, ask.encode()).await?).map_err(unreadable)
    }

    async fn finish(&self, answer: &FinishAuthentication) -> Result<GrantedSession, Problem> {
        GrantedSession::decode(&self.ask_keys(KEYS_FINISH_PATH, answer.encode()).await?).map_err(unreadable)
    }

    async fn classic(&self, ask: &ClassicAsk) -> Result<ClassicGrant, Problem> {
        ClassicGrant::decode(&self.ask_keys(KEYS_CLASSIC_PATH, ask.encode()).await?).map_err(unreadable)
    }

    async fn rekey_look(&self, look: &RekeyLook) -> Result<RekeyState, Problem> {
        RekeyState::decode(&self.ask_keys(REKEY_LOOK_PATH, look.encode()).await?).map_err(unreadable)
    }

    async fn rekey_begin(&self, ask: &RekeyBegin) -> Result<Cryptogram, Problem> {
        Cryptogram::decode(&self.ask_keys(REKEY_BEGIN_PATH, ask.encode()).await?).map_err(unreadable)
    }

    async fn rekey_change(&self, answer: &FinishAuthentication) -> Result<RekeyChange, Problem> {
        RekeyChange::decode(&self.ask_keys(REKEY_CHANGE_PATH, answer.encode()).await?).map_err(unreadable)
    }

    async fn rekey_confirm(&self, confirm: &RekeyConfirm) -> Result<Rekeyed, Problem> {
        Rekeyed::decode(&self.ask_keys(REKEY_CONFIRM_PATH, confirm.encode()).await?).map_err(unreadable)
    }
}
