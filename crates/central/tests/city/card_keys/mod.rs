//! Keys that stay with central, asked for by a reader with a card in it. The reader's side is made of `keys` alone; the
//! card is the simulator's, which shares no code with it.

mod audit;
mod classic;
mod credit;
mod rekey;
mod tickets;

use crate::fixture::{City, NOW, TERMINAL};
use crate::http::Street;
use card_simulator::memory::Chip;
use card_simulator::{VirtualCard, personalise};
use central::card_keys::KeyDesk;
use central::pack;
use central::{CentralError, Database, KeyFile};
use domain::city_pack::{CardLayout, CityPack};
use domain::{TerminalId, Timestamp};
use keys::{Channel, CommMode, Scheme, Session};
use protocol::card_keys::{
    BadMessage, BeginAuthentication, Cryptogram, FinishAuthentication, GrantedSession, WireRole, WireScheme,
};
use protocol::http::{KEYS_BEGIN_PATH, KEYS_FINISH_PATH};
use protocol::{Problem, ProblemCode, Secret32};
use zeroize::Zeroizing;

/// A reader that speaks to one card, each command one frame.
pub(crate) struct Reader {
    pub(crate) card: VirtualCard,
    pub(crate) layout: CardLayout,
    channel: Option<Channel>,
}

impl Reader {
    /// The first demonstration card of a city, as this chip.
    pub(crate) fn with(city: &City, chip: Chip) -> Self {
        let mut description = city.demo_cards().remove(0).card;
        description.chip = chip;
        let card = personalise(&description).unwrap();
        Self { card, layout: description.layout, channel: None }
    }

    pub(crate) fn uid(&self) -> Vec<u8> {
        self.card.uid().to_vec()
    }

    /// One command; `None` when the card has left the field, else its status and data.
    pub(crate) fn send(&mut self, command: u8, data: &[u8]) -> Option<(u8, Vec<u8>)> {
        let mut apdu = vec![0x90, command, 0, 0];
        if !data.is_empty() {
            apdu.push(u8::try_from(data.len()).unwrap());
            apdu.extend(data);
        }
        apdu.push(0);
        let mut reply = self.card.exchange(&apdu).reply;
        let status = reply.pop()?;
        assert_eq!(reply.pop(), Some(0x91));
        Some((status, reply))
    }

    /// The card is laid down anew and its application selected.
    pub(crate) fn lay_down(&mut self) {
        self.card.field_off();
        self.channel = None;
        assert_eq!(self.send(0x5A, &self.layout.aid.clone()), Some((0x00, vec![])));
    }

    /// The card's challenge of one key.
    pub(crate) fn challenge(&mut self, scheme: Scheme, number: u8) -> [u8; 16] {
        let data: &[u8] = if scheme == Scheme::Ev2First { &[number, 0] } else { &[number] };
        let (status, challenge) = self.send(scheme.command(), data).unwrap();
        assert_eq!(status, 0xAF);
        challenge.try_into().unwrap()
    }

    /// The card's answer to a cryptogram.
    pub(crate) fn answer(&mut self, cryptogram: &[u8; 32]) -> Vec<u8> {
        let (status, answer) = self.send(0xAF, cryptogram).unwrap();
        assert_eq!(status, 0x00);
        answer
    }

    pub(crate) fn open(&mut self, session: Session) {
        match (&mut self.channel, session) {
            (Some(channel), session @ Session::Ev2Renewed { .. }) => channel.renew(session).unwrap(),
            (channel, session) => *channel = Some(Channel::new(session).unwrap()),
        }
    }

    fn secure(&mut self, mode: CommMode, command: u8, header: &[u8], data: &[u8], expected: usize) -> Vec<u8> {
        let sealed = self.channel.as_mut().unwrap().seal(mode, command, header, data).unwrap();
        let (status, reply) = self.send(command, &sealed).unwrap();
        assert_eq!(status, 0x00, "command {command:02X}");
        self.channel.as_mut().unwrap().open(mode, &reply, Some(expected)).unwrap().to_vec()
    }

    fn value(&mut self) -> i32 {
        let purse = self.layout.files.purse;
        let value = self.secure(CommMode::Full, 0x6C, &[purse], &[], 4);
        i32::from_le_bytes(value.try_into().unwrap())
    }

    /// Credits the purse in the open session and gives its value before and after.
    pub(crate) fn credit(&mut self, cents: i32) -> (i32, i32) {
        let before = self.value();
        let purse = self.layout.files.purse;
        self.secure(CommMode::Full, 0x0C, &[purse], &cents.to_le_bytes(), 0);
        if self.channel.as_ref().unwrap().is_ev2() && self.card.transaction_mac().is_some() {
            self.secure(CommMode::Mac, 0xC8, &[], &[7; 16], 16);
            self.secure(CommMode::Mac, 0xC7, &[1], &[], 12);
        } else {
            self.secure(CommMode::Mac, 0xC7, &[], &[], 0);
        }
        (before, self.value())
    }
}

pub(crate) fn wire(scheme: Scheme) -> WireScheme {
    match scheme {
        Scheme::Aa => WireScheme::Aa,
        Scheme::Ev2First => WireScheme::Ev2First,
        Scheme::Ev2NonFirst => WireScheme::Ev2NonFirst,
    }
}

pub(crate) fn session(granted: &GrantedSession) -> Session {
    let key = |bytes: &[u8; 16]| keys::AesKey::new(*bytes);
    match granted {
        GrantedSession::Ev1 { key: bytes } => Session::Ev1(key(bytes)),
        GrantedSession::Ev2 { enc, mac, transaction_id } => {
            Session::Ev2(keys::SessionKeys { enc: key(enc), mac: key(mac), transaction_id: *transaction_id })
        }
        GrantedSession::Ev2Renewed { enc, mac } => Session::Ev2Renewed { enc: key(enc), mac: key(mac) },
    }
}

/// What a reader asks at the begin of a credit.
pub(crate) fn credit_ask(reader: &mut Reader, scheme: Scheme) -> BeginAuthentication {
    let number = reader.layout.keys.credit;
    BeginAuthentication {
        role: WireRole::Credit,
        scheme: wire(scheme),
        aid: reader.layout.aid,
        number,
        version: 0,
        uid: reader.uid(),
        challenge: reader.challenge(scheme, number),
    }
}

type Bytes = Result<Zeroizing<Vec<u8>>, BadMessage>;

impl Street {
    /// One request of the terminal with this token.
    pub(crate) async fn ask<A>(
        &self,
        path: &str,
        token: &Secret32,
        body: Bytes,
        read: impl Fn(&[u8]) -> Result<A, BadMessage>,
    ) -> Result<A, ProblemCode> {
        let (status, body) = self.post(path, token, body.unwrap().to_vec()).await;
        if status != 200 {
            return Err(Problem::from_answer(status, &body).code);
        }
        Ok(read(&body).unwrap())
    }

    pub(crate) async fn begin(&self, ask: &BeginAuthentication) -> Result<Cryptogram, ProblemCode> {
        self.ask(KEYS_BEGIN_PATH, &self.bundle.access_token, ask.encode(), Cryptogram::decode).await
    }

    pub(crate) async fn finish(
        &self,
        token: &Secret32,
        ticket: [u8; 16],
        answer: &[u8],
    ) -> Result<GrantedSession, ProblemCode> {
        let body = FinishAuthentication { ticket, answer: answer.to_vec() }.encode();
        self.ask(KEYS_FINISH_PATH, token, body, GrantedSession::decode).await
    }
}

/// Central's desk without a network, its clocks in the test's hands.
pub(crate) struct Office {
    pub(crate) city: City,
    pub(crate) database: Database,
    pub(crate) keys: KeyFile,
    pack: CityPack,
    pub(crate) now: Timestamp,
}

impl Office {
    pub(crate) fn of(city: City) -> Self {
        let (database, keys) = (city.database(), city.keys());
        let (pack, _) = pack::load(database.read()).unwrap();
        Self { city, database, keys, pack, now: NOW }
    }

    pub(crate) fn by<T>(
        &mut self,
        terminal: TerminalId,
        work: impl FnOnce(&mut KeyDesk<'_>) -> Result<T, CentralError>,
    ) -> Result<T, ProblemCode> {
        let mut desk =
            KeyDesk { database: &mut self.database, keys: &self.keys, city: &self.pack, terminal, now: self.now };
        work(&mut desk).map_err(|error| Problem::from(error).code)
    }

    pub(crate) fn ask<T>(
        &mut self,
        work: impl FnOnce(&mut KeyDesk<'_>) -> Result<T, CentralError>,
    ) -> Result<T, ProblemCode> {
        self.by(TERMINAL, work)
    }

    /// The audit: role, step and outcome of every use, oldest first.
    pub(crate) fn uses(&self) -> Vec<(String, String, String)> {
        let sql = "SELECT role, step, outcome FROM card_key_use ORDER BY id";
        self.database.read().query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    }

    pub(crate) fn anomalies(&self) -> Vec<String> {
        let noticed = central::report::anomalies(self.database.read()).unwrap();
        noticed.into_iter().map(|anomaly| anomaly.kind).collect()
    }
}
