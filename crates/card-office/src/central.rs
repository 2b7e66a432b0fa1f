//! Central over HTTP, one question after another: registrations of cards, and the change of a card's read key. Plain
//! HTTP, for a loopback or a VPN (`docs/security.md`).

use crate::error::OfficeError;
use crate::files;
use data_encoding::HEXLOWER_PERMISSIVE;
use protocol::card_keys::{
    BadMessage, Cryptogram, FinishAuthentication, RekeyBegin, RekeyChange, RekeyConfirm, RekeyLook, RekeyState, Rekeyed,
};
use protocol::cards::registration_key;
use protocol::http::{
    CARDS_PATH, CBOR, HEAD_PATH, REKEY_BEGIN_PATH, REKEY_CHANGE_PATH, REKEY_CONFIRM_PATH, REKEY_LOOK_PATH, bearer,
};
use protocol::{
    CardRegistration, CityKeys, Enrolment, Problem, ProblemCode, Receipt, Secret32, SignedHead, VerifierKey,
};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use std::cell::OnceCell;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

/// How long a connection may take to stand.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How long one question may take in all.
const EXCHANGE_MAX: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A line to central.
pub struct CentralLine {
    runtime: Runtime,
    client: reqwest::Client,
    base: String,
    pass: Pass,
    city: String,
    /// Once they were asked for.
    keys: OnceCell<CityKeys>,
}

/// What opens central, and what is trusted of it.
pub struct Pass {
    /// The access token.
    pub token: Secret32,
    /// The city's root key.
    pub root: VerifierKey,
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pass").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Reads a token file: 64 hexadecimal digits and the city's root key in the next line, as `citizen-central
/// office-token` writes them; or a terminal's enrolment bundle, which has both.
///
/// # Errors
/// `Unsafe`, `File`, or `Content`.
pub fn read_pass(path: &Path) -> Result<Pass, OfficeError> {
    let text = files::read_private(path)?;
    let mut lines = text.lines().map(str::trim);
    let digits = HEXLOWER_PERMISSIVE.decode(lines.next().unwrap_or_default().as_bytes()).map(Zeroizing::new);
    if let Some(bytes) = digits.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()) {
        let root = lines.next().and_then(|line| line.parse().ok());
        let root = root.ok_or_else(|| OfficeError::content(path, "the city's root key is missing: make it anew"))?;
        return Ok(Pass { token: Secret32::new(bytes), root });
    }
    match Enrolment::from_json(&text) {
        Ok(bundle) => Ok(Pass { token: bundle.access_token, root: bundle.root_key }),
        Err(_) => Err(OfficeError::content(path, "neither a token with the city's root key nor an enrolment bundle")),
    }
}

impl CentralLine {
    /// A line to the base URL (without a path) of this city's central.
    ///
    /// # Errors
    /// `Usage` for something that is no http URL, else as [`read_pass`].
    pub fn new(base: &str, token: &Path, city: &str) -> Result<Self, OfficeError> {
        let url = reqwest::Url::parse(base).ok().filter(|url| url.scheme() == "http" && url.host_str().is_some());
        if url.is_none() {
            return Err(OfficeError::Usage("--central is no http URL"));
        }
        let pass = read_pass(token)?;
        let failed = |_| Problem::new(ProblemCode::Unavailable, "this machine cannot open a connection");
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_MAX)
            .timeout(EXCHANGE_MAX)
            .build()
            .map_err(failed)?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|_| Problem::new(ProblemCode::Unavailable, "this machine has no more threads"))?;
        let (base, city) = (base.trim_end_matches('/').to_owned(), city.to_owned());
        Ok(Self { runtime, client, base, pass, city, keys: OnceCell::new() })
    }

    /// Registers one card. A repeat, byte for byte, is answered with the first receipt.
    ///
    /// # Errors
    /// `NotRegistered` when central refuses this card for good, else `Central`.
    pub fn register(&self, card: &CardRegistration) -> Result<Receipt, OfficeError> {
        let refused = |problem: Problem| OfficeError::NotRegistered { last_four: card.number.last_four(), problem };
        let malformed = |_| refused(Problem::new(ProblemCode::Malformed, "it cannot be encoded"));
        let bytes = card.encode().map_err(malformed)?;
        let answer = self
            .ask(CARDS_PATH, &bytes)
            .map_err(|problem| if problem.is_permanent() { refused(problem) } else { OfficeError::Central(problem) })?;
        let receipt = Receipt::decode(&answer).map_err(|_| untrusted("the receipt cannot be read"))?;
        if receipt.key != registration_key(&bytes) {
            return Err(untrusted("the receipt is another card's").into());
        }
        let keys = self.city_keys()?;
        let signed = receipt.received <= keys.until.0 && receipt.verify(&bytes, &keys.head).is_ok();
        if signed { Ok(receipt) } else { Err(untrusted("the receipt is not signed by the city").into()) }
    }

    /// The city's working keys, which the root key signed.
    fn city_keys(&self) -> Result<&CityKeys, Problem> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys);
        }
        let answer = self.runtime.block_on(self.answer(self.client.get(format!("{}{HEAD_PATH}", self.base))))?;
        let signed: SignedHead =
            serde_json::from_slice(&answer).map_err(|_| untrusted("the feed's head cannot be read"))?;
        let keys = CityKeys::verify(&signed.keys, &self.city, &self.pass.root);
        let keys = keys.map_err(|_| untrusted("the city's keys are not signed by its root key"))?;
        Ok(self.keys.get_or_init(|| keys))
    }

    /// Whether a card's read key is to be changed.
    ///
    /// # Errors
    /// `Problem`.
    pub fn rekey_look(&self, look: &RekeyLook) -> Result<RekeyState, Problem> {
        self.talk(REKEY_LOOK_PATH, look.encode(), RekeyState::decode)
    }

    /// Has the challenge of a card's master key answered.
    ///
    /// # Errors
    /// `Problem`.
    pub fn rekey_begin(&self, begin: &RekeyBegin) -> Result<Cryptogram, Problem> {
        self.talk(REKEY_BEGIN_PATH, begin.encode(), Cryptogram::decode)
    }

    /// Has the sealed ChangeKey made.
    ///
    /// # Errors
    /// `Problem`.
    pub fn rekey_change(&self, answer: &FinishAuthentication) -> Result<RekeyChange, Problem> {
        self.talk(REKEY_CHANGE_PATH, answer.encode(), RekeyChange::decode)
    }

    /// Has the card's reply checked and booked.
    ///
    /// # Errors
    /// `Problem`.
    pub fn rekey_confirm(&self, confirm: &RekeyConfirm) -> Result<Rekeyed, Problem> {
        self.talk(REKEY_CONFIRM_PATH, confirm.encode(), Rekeyed::decode)
    }

    fn talk<A>(
        &self,
        path: &str,
        question: Result<Zeroizing<Vec<u8>>, BadMessage>,
        read: impl Fn(&[u8]) -> Result<A, BadMessage>,
    ) -> Result<A, Problem> {
        let question = question.map_err(|error| Problem::new(ProblemCode::Malformed, error.to_string()))?;
        read(&self.ask(path, &question)?).map_err(|_| untrusted("the answer cannot be read"))
    }

    fn ask(&self, path: &str, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Problem> {
        self.runtime.block_on(self.exchange(path, body))
    }

    async fn exchange(&self, path: &str, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let mut token = HeaderValue::from_str(&bearer(&self.pass.token))
            .map_err(|_| Problem::new(ProblemCode::Malformed, "the access token is no header"))?;
        token.set_sensitive(true);
        let request = self.client.post(format!("{}{path}", self.base)).header(AUTHORIZATION, token);
        self.answer(request.header(CONTENT_TYPE, CBOR).body(body.to_vec())).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let mut answer = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if answer.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(untrusted("the answer is longer than any answer may be"));
            }
            answer.extend_from_slice(&chunk);
        }
        if status == 200 { Ok(answer) } else { Err(Problem::from_answer(status, &answer)) }
    }
}

impl std::fmt::Debug for CentralLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CentralLine").finish_non_exhaustive()
    }
}

fn unreachable(error: reqwest::Error) -> Problem {
    Problem::new(ProblemCode::Unreachable, error.without_url().to_string())
}

fn untrusted(detail: &str) -> Problem {
    Problem::new(ProblemCode::Untrusted, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn pass(text: &str) -> Result<Pass, OfficeError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        read_pass(&path)
    }

    #[test]
    fn a_token_is_64_digits_and_a_root_key_or_lies_in_a_bundle() {
        let root = protocol::NoteKey::from_seed("bahia-root", &[1; 32]).unwrap().verifier();
        let read = pass(&format!("{}\n{root}\n", "ab".repeat(32))).unwrap();
        assert_eq!((read.token.expose(), &read.root), (&[0xAB; 32], &root));
        assert!(!format!("{read:?}").contains("abab"));
        for bad in ["", "abcd", "{}", &"ab".repeat(32), &format!("{}\nroot", "ab".repeat(32))] {
            assert!(matches!(pass(bad), Err(OfficeError::Content { .. })), "{bad}");
        }
    }
}
