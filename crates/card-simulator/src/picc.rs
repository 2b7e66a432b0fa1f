//! The chip itself, behind the wrapping: what is selected, who is authenticated, what is chained, and the rule that
//! any error status ends the session and rolls the open transaction back.

mod commands;
mod plan;

use crate::ev2::{Challenge, Session};
use crate::memory::{Application, CommMode, Memory};
use crate::status::Status;
use crate::storage::Storage;
use crate::transaction::Transaction;
use plan::Plan;
use std::collections::VecDeque;

/// Where the card's random numbers come from.
pub type Entropy = Box<dyn FnMut(&mut [u8]) + Send>;

/// Data bytes of one native frame in either direction; longer commands and replies are chained by AF.
const FRAME_LEN: usize = 59;

/// Data bytes of one frame of an enciphered reply: whole blocks, as a DESFire EV3 sends them.
const FULL_FRAME_LEN: usize = 48;

const AUTHENTICATE_FIRST: u8 = 0x71;
const AUTHENTICATE_NON_FIRST: u8 = 0x77;
const SELECT_APPLICATION: u8 = 0x5A;
const ADDITIONAL_FRAME: u8 = 0xAF;

/// What the next frame may be.
enum Pending {
    Nothing,
    Authentication(Challenge),
    Command { ins: u8, body: Vec<u8> },
    Reply(VecDeque<Vec<u8>>),
}

/// The chip.
pub(crate) struct Picc {
    pub(crate) memory: Memory,
    pub(crate) storage: Storage,
    pub(crate) entropy: Entropy,
    selected: Option<usize>,
    session: Option<Session>,
    pending: Pending,
    transaction: Transaction,
}

impl Picc {
    pub(crate) fn new(memory: Memory, entropy: Entropy) -> Self {
        Self {
            memory,
            storage: Storage::default(),
            entropy,
            selected: None,
            session: None,
            pending: Pending::Nothing,
            transaction: Transaction::default(),
        }
    }

    /// The field is gone: only the non-volatile memory is left.
    pub(crate) fn power_off(&mut self) {
        self.selected = None;
        self.end_session();
    }

    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.entropy)(&mut bytes);
        bytes
    }

    fn end_session(&mut self) {
        self.session = None;
        self.pending = Pending::Nothing;
        self.transaction = Transaction::default();
    }

    fn application(&self) -> Result<&Application, Status> {
        self.selected.and_then(|index| self.memory.applications.get(index)).ok_or(Status::PermissionDenied)
    }

    /// One frame in, one frame out.
    pub(crate) fn exchange(&mut self, ins: u8, data: &[u8]) -> (Vec<u8>, Status) {
        match self.frame(ins, data) {
            Ok(answer) => answer,
            Err(status) => {
                self.end_session();
                (Vec::new(), status)
            }
        }
    }

    fn frame(&mut self, ins: u8, data: &[u8]) -> Result<(Vec<u8>, Status), Status> {
        if data.len() > FRAME_LEN && !plan::is_iso_chained(ins) {
            return Err(Status::Length);
        }
        match (std::mem::replace(&mut self.pending, Pending::Nothing), ins) {
            (Pending::Nothing, ADDITIONAL_FRAME) => Err(Status::IllegalCommand),
            (Pending::Nothing, _) => self.begin(ins, data),
            (Pending::Authentication(challenge), ADDITIONAL_FRAME) => self.finish_authentication(challenge, data),
            (Pending::Command { ins, mut body }, ADDITIONAL_FRAME) => {
                body.extend_from_slice(data);
                self.collect(ins, body)
            }
            (Pending::Reply(frames), ADDITIONAL_FRAME) if data.is_empty() => Ok(self.send(frames)),
            _ => Err(Status::CommandAborted),
        }
    }

    fn begin(&mut self, ins: u8, data: &[u8]) -> Result<(Vec<u8>, Status), Status> {
        match ins {
            AUTHENTICATE_FIRST => self.authenticate_first(data),
            AUTHENTICATE_NON_FIRST => self.authenticate_non_first(data),
            SELECT_APPLICATION => self.select_application(data),
            _ => self.collect(ins, data.to_vec()),
        }
    }

    fn select_application(&mut self, data: &[u8]) -> Result<(Vec<u8>, Status), Status> {
        self.end_session();
        let aid: [u8; 3] = data.try_into().map_err(|_| Status::Length)?;
        self.selected = None;
        if aid != [0; 3] {
            let found = self.memory.applications.iter().position(|application| application.aid == aid);
            self.selected = Some(found.ok_or(Status::ApplicationNotFound)?);
        }
        Ok((Vec::new(), Status::Ok))
    }

    fn authenticate_first(&mut self, data: &[u8]) -> Result<(Vec<u8>, Status), Status> {
        self.end_session();
        let [key_number, capability_len, capabilities @ ..] = data else { return Err(Status::Length) };
        if usize::from(*capability_len) != capabilities.len() || capabilities.len() > 6 {
            return Err(Status::Length);
        }
        let mut reader_capabilities = [0; 6];
        reader_capabilities[..capabilities.len()].copy_from_slice(capabilities);
        self.challenge(*key_number, Some(reader_capabilities))
    }

    fn authenticate_non_first(&mut self, data: &[u8]) -> Result<(Vec<u8>, Status), Status> {
        let [key_number] = data else { return Err(Status::Length) };
        if self.session.is_none() {
            return Err(Status::Authentication);
        }
        self.challenge(*key_number, None)
    }

    fn challenge(&mut self, key_number: u8, capabilities: Option<[u8; 6]>) -> Result<(Vec<u8>, Status), Status> {
        let key = self.application().map_err(|_| Status::NoSuchKey)?.keys.get(usize::from(key_number)).cloned();
        let rnd_b = self.random();
        let (challenge, cryptogram) = Challenge::new(key_number, &key.ok_or(Status::NoSuchKey)?, rnd_b, capabilities);
        self.pending = Pending::Authentication(challenge);
        Ok((cryptogram, Status::AdditionalFrame))
    }

    fn finish_authentication(&mut self, challenge: Challenge, data: &[u8]) -> Result<(Vec<u8>, Status), Status> {
        let transaction = if challenge.is_first() { self.random() } else { [0; 4] };
        let (session, reply) = challenge.answer(data, transaction, self.session.as_ref())?;
        self.session = Some(session);
        Ok((reply, Status::Ok))
    }

    /// Waits for the frames a long command still lacks, then opens, runs and answers it.
    fn collect(&mut self, ins: u8, body: Vec<u8>) -> Result<(Vec<u8>, Status), Status> {
        let plan = self.plan(ins, &body)?;
        let expected = plan.wire_len(self.session.is_some());
        if body.len() < expected && plan.may_be_chained {
            self.pending = Pending::Command { ins, body };
            return Ok((Vec::new(), Status::AdditionalFrame));
        }
        if body.len() != expected {
            return Err(Status::Length);
        }
        let clear = match &mut self.session {
            Some(session) => session.open(plan.command, ins, &body, plan.header_len)?,
            None => body,
        };
        if clear.len() != plan.header_len + plan.data_len {
            return Err(Status::Integrity);
        }
        let reply = self.run(ins, &clear)?;
        Ok(self.answer(ins, &plan, &reply))
    }

    fn answer(&mut self, ins: u8, plan: &Plan, reply: &[u8]) -> (Vec<u8>, Status) {
        let sealed = match &self.session {
            Some(session) => session.seal(plan.reply, reply),
            None => reply.to_vec(),
        };
        let frame_len = if plan.reply == CommMode::Full { FULL_FRAME_LEN } else { FRAME_LEN };
        let frames = if plan::is_iso_chained(ins) {
            VecDeque::from([sealed])
        } else if ins == plan::GET_VERSION {
            plan::version_frames(&sealed)
        } else {
            sealed.chunks(frame_len).map(<[u8]>::to_vec).collect()
        };
        self.send(frames)
    }

    fn send(&mut self, mut frames: VecDeque<Vec<u8>>) -> (Vec<u8>, Status) {
        let frame = frames.pop_front().unwrap_or_default();
        if frames.is_empty() {
            return (frame, Status::Ok);
        }
        self.pending = Pending::Reply(frames);
        (frame, Status::AdditionalFrame)
    }
}
