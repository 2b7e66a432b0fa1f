//! A central of one's own: it receipts registrations, repeats its receipts, refuses what contradicts, can be away, and
//! changes read keys of cards whose master key it has.

use crate::rekey::Rekeying;
use domain::{CardNumber, Timestamp};
use protocol::cards::registration_key;
use protocol::http::{CARDS_PATH, HEAD_PATH};
use protocol::{CardRegistration, CityKeys, NoteKey, Problem, ProblemCode, Receipt, SignedHead, VerifierKey};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

struct Books {
    /// Whose receipts these are.
    signer: String,
    /// The chip and the receipt of each number and generation.
    cards: BTreeMap<(CardNumber, u8), (Vec<u8>, Vec<u8>)>,
    asked: u32,
    rekeying: Rekeying,
}

impl Default for Books {
    fn default() -> Self {
        let (cards, rekeying) = (BTreeMap::new(), Rekeying::default());
        Self { signer: "bahia-head-1".to_owned(), cards, asked: 0, rekeying }
    }
}

/// The key that is trusted without a signature.
pub(crate) fn root_key() -> VerifierKey {
    signer("bahia-root").verifier()
}

/// Every key by its name.
fn signer(name: &str) -> NoteKey {
    NoteKey::from_seed(name, &Sha256::digest(name).into()).unwrap()
}

/// The working keys as the feed has them.
fn head() -> Vec<u8> {
    let (head, facts) = (signer("bahia-head-1").verifier(), signer("bahia-facts-1").verifier());
    let keys = CityKeys { city: "bahia".to_owned(), version: 1, head, facts, until: Timestamp(1_000) };
    let keys = keys.sign(&signer("bahia-root")).unwrap();
    serde_json::to_vec(&SignedHead { keys, head: String::new() }).unwrap()
}

/// A running central. Its thread ends with the test's process.
pub(crate) struct Central {
    address: SocketAddr,
    books: Arc<Mutex<Books>>,
    /// So many answers are lost after central has booked.
    pub(crate) lost: Arc<AtomicU32>,
}

impl Central {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, books, lost) = (listener.local_addr().unwrap(), Arc::<Mutex<Books>>::default(), Arc::default());
        let central = Self { address, books: Arc::clone(&books), lost: Arc::clone(&lost) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(stream, &books, &lost);
            }
        });
        central
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Numbers and generations that are active.
    pub(crate) fn cards(&self) -> Vec<(u64, u8)> {
        self.books.lock().unwrap().cards.keys().map(|(number, generation)| (number.0, *generation)).collect()
    }

    pub(crate) fn asked(&self) -> u32 {
        self.books.lock().unwrap().asked
    }

    /// Somebody else answers in central's place.
    pub(crate) fn is_replaced(&self) {
        "somebody".clone_into(&mut self.books.lock().unwrap().signer);
    }

    /// Every question about a key is answered so.
    pub(crate) fn refuses_to_rekey(&self, code: ProblemCode) {
        self.books.lock().unwrap().rekeying.refuses = Some(code);
    }

    /// A number that has a card of this generation on another chip.
    pub(crate) fn occupy(&self, number: u64, generation: u8) {
        let entry = ((CardNumber(number), generation), (vec![9; 7], Vec::new()));
        self.books.lock().unwrap().cards.extend([entry]);
    }
}

fn serve(stream: TcpStream, books: &Mutex<Books>, lost: &AtomicU32) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut authorised) = (0, false);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    line.clear();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        authorised |= lower.trim() == format!("authorization: bearer {}", "ab".repeat(32));
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut books = books.lock().unwrap();
    let answer = match path.as_str() {
        HEAD_PATH => Ok(head()),
        _ if !authorised => Err(ProblemCode::Unauthorised),
        CARDS_PATH => book(&mut books, &body),
        path => books.rekeying.answer(path, &body),
    };
    drop(books);
    if path != HEAD_PATH && lost.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
        return;
    }
    let (status, body) = match answer {
        Ok(receipt) => (200, receipt),
        Err(code) => (code.status(), Problem::new(code, "refused").to_json()),
    };
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let mut stream = reader.into_inner();
    stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
}

fn book(books: &mut Books, body: &[u8]) -> Result<Vec<u8>, ProblemCode> {
    books.asked += 1;
    let card = CardRegistration::decode(body).map_err(|_| ProblemCode::Malformed)?;
    let name = (card.number, card.generation.0);
    let newest = books.cards.keys().filter(|(number, _)| *number == card.number).map(|(_, newest)| *newest).max();
    if let Some((chip, receipt)) = books.cards.get(&name) {
        return if chip == card.uid.bytes() { Ok(receipt.clone()) } else { Err(ProblemCode::Conflict) };
    }
    if newest > Some(name.1) {
        return Err(ProblemCode::Conflict);
    }
    let signer = signer(&books.signer);
    let receipt = Receipt::sign(registration_key(body), body, 1, Timestamp(1), &signer).encode().unwrap();
    books.cards.insert(name, (card.uid.bytes().to_vec(), receipt.clone()));
    Ok(receipt)
}
