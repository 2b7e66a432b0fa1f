//! The chip itself, behind the wrapping: what is selected, who is authenticated, what is chained, and the rule that
//! any error status ends the session and rolls the open transaction back.

mod administration;
mod authentication;
mod codes;
mod commands;
mod creation;
mod keys;
mod plan;
mod records;

use crate::channel::Session;
use crate::memory::{Application, CardKey, CommMode, Memory};
use crate::status::Status;
use crate::storage::Storage;
use crate::transaction::Transaction;
use crate::{ev1, ev2, iso};
use plan::Plan;
use std::collections::VecDeque;

/// Where the card's random numbers come from.
pub type Entropy = Box<dyn FnMut(&mut [u8]) + Send>;

/// Data bytes of one native frame in either direction; longer commands and replies are chained by AF.
const FRAME_LEN: usize = 59;

/// Data bytes of one frame of an enciphered reply: whole blocks, as a DESFire EV3 sends them.
const FULL_FRAME_LEN: usize = 48;

/// Data bytes a short response APDU can carry (ISO/IEC 7816-4, 5.1).
const APDU_LEN: usize = 256;

/// One frame's data and status, or the status with which the command failed.
type Answer = Result<(Vec<u8>, Status), Status>;

/// What the next frame may be.
enum Pending {
    Nothing,
    AuthenticationAes(ev1::Challenge),
    AuthenticationEv2(ev2::Challenge),
    AuthenticationIso(iso::Challenge),
    Command { ins: u8, body: Vec<u8> },
    Reply(VecDeque<Vec<u8>>),
}

/// The chip.
pub(crate) struct Picc {
    pub(crate) memory: Memory,
    pub(crate) storage: Storage,
    pub(crate) entropy: Entropy,
    /// Index of the application; `None` is the level of the chip itself, AID 000000.
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

    /// A key of the selected application, or the chip's master key where none is selected.
    fn key(&self, number: u8) -> Result<&CardKey, Status> {
        let key = match (self.selected, number) {
            (None, 0) => Some(&self.memory.master),
            (None, _) => None,
            (Some(_), _) => self.application()?.keys.get(usize::from(number)),
        };
        key.ok_or(Status::NoSuchKey)
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

    fn frame(&mut self, ins: u8, data: &[u8]) -> Answer {
        if data.len() > FRAME_LEN && !codes::is_iso_chained(ins) {
            return Err(Status::Length);
        }
        let is_next = ins == codes::ADDITIONAL_FRAME;
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing if is_next => Err(Status::IllegalCommand),
            Pending::Nothing => self.begin(ins, data),
            Pending::AuthenticationAes(challenge) if is_next => self.finish_aes(challenge, data),
            Pending::AuthenticationEv2(challenge) if is_next => self.finish_ev2(challenge, data),
            Pending::AuthenticationIso(challenge) if is_next => self.finish_iso(challenge, data),
            Pending::Command { .. } if is_next && data.is_empty() => Err(Status::Length),
            Pending::Command { ins, mut body } if is_next => {
                body.extend_from_slice(data);
                self.collect(ins, body)
            }
            Pending::Reply(frames) if is_next && data.is_empty() => Ok(self.send(frames)),
            _ => Err(Status::CommandAborted),
        }
    }

    fn begin(&mut self, ins: u8, data: &[u8]) -> Answer {
        if !codes::knows(self.memory.chip, ins) {
            return Err(Status::IllegalCommand);
        }
        match ins {
            codes::AUTHENTICATE_AES => self.authenticate_aes(data),
            codes::AUTHENTICATE_ISO => self.authenticate_iso(data),
            codes::AUTHENTICATE_EV2_FIRST => self.authenticate_first(data),
            codes::AUTHENTICATE_EV2_NON_FIRST => self.authenticate_non_first(data),
            codes::SELECT_APPLICATION => self.select_application(data),
            _ => self.collect(ins, data.to_vec()),
        }
    }

    fn select_application(&mut self, data: &[u8]) -> Answer {
        self.end_session();
        let aid: [u8; 3] = data.try_into().map_err(|_| Status::Length)?;
        self.selected = None;
        if aid != [0; 3] {
            let found = self.memory.applications.iter().position(|application| application.aid == aid);
            self.selected = Some(found.ok_or(Status::ApplicationNotFound)?);
        }
        Ok((Vec::new(), Status::Ok))
    }

    /// Waits for the frames a long command still lacks, then opens, runs and answers it.
    fn collect(&mut self, ins: u8, body: Vec<u8>) -> Answer {
        if matches!(self.session, Some(Session::Iso(_))) && ins != codes::CHANGE_KEY {
            return Err(Status::IllegalCommand);
        }
        let plan = self.plan(ins, &body)?;
        let expected = match &self.session {
            Some(session) => session.wire_len(ins, &plan.shape),
            None => plan.shape.clear_len(),
        };
        if body.len() < expected && plan.may_be_chained {
            self.pending = Pending::Command { ins, body };
            return Ok((Vec::new(), Status::AdditionalFrame));
        }
        if body.len() != expected {
            return Err(Status::Length);
        }
        let clear = match &mut self.session {
            Some(session) => session.open(ins, &plan.shape, &body)?,
            None => body,
        };
        if clear.len() != plan.shape.clear_len() {
            return Err(Status::Integrity);
        }
        let reply = self.run(ins, &clear)?;
        self.answer(ins, &plan, &reply)
    }

    fn answer(&mut self, ins: u8, plan: &Plan, reply: &[u8]) -> Answer {
        let sealed = match &mut self.session {
            Some(session) => session.seal(plan.reply, reply),
            None => reply.to_vec(),
        };
        let frame_len = if plan.reply == CommMode::Full { FULL_FRAME_LEN } else { FRAME_LEN };
        let frames = if codes::is_iso_chained(ins) {
            if sealed.len() > APDU_LEN {
                return Err(Status::Length);
            }
            VecDeque::from([sealed])
        } else if ins == codes::GET_VERSION {
            plan::version_frames(&sealed)
        } else {
            sealed.chunks(frame_len).map(<[u8]>::to_vec).collect()
        };
        Ok(self.send(frames))
    }

    fn send(&mut self, mut frames: VecDeque<Vec<u8>>) -> (Vec<u8>, Status) {
        let frame = frames.pop_front().unwrap_or_default();
        if frames.is_empty() {
            return (frame, Status::Ok);
        }
        self.pending = Pending::Reply(frames);
        (frame, Status::AdditionalFrame)
    }

    /// Swaps in the memory as one step: saved first, so that what was answered is never lost, and what was not saved
    /// never happened.
    pub(crate) fn install_memory(&mut self, memory: Memory) -> Result<(), Status> {
        self.storage.save(&memory).map_err(|error| {
            tracing::error!(%error, "the card's memory could not be saved");
            Status::Memory
        })?;
        self.memory = memory;
        Ok(())
    }

    /// [`Self::install_memory`] of a change to one application.
    pub(crate) fn install(&mut self, index: usize, after: Application) -> Result<(), Status> {
        let mut memory = self.memory.clone();
        *memory.applications.get_mut(index).ok_or(Status::Memory)? = after;
        self.install_memory(memory)
    }
}
