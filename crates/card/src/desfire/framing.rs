//! One command and its reply over as many frames as they need.

use super::Status;
use super::command::ADDITIONAL_FRAME;
use crate::apdu::Apdu;
use crate::error::CardError;
use crate::transport::{Transport, TransportError};
use zeroize::Zeroizing;

/// SW1 of every wrapped DESFire reply.
const SW1_DESFIRE: u8 = 0x91;
/// The data bytes an AF-chained frame carries to the card: 60 with the command byte, what an EV1 takes and its
/// successors too.
const FRAME_DATA_MAX: usize = 59;
/// More than any file of the layout; a card that goes on and on is none of ours.
const REPLY_MAX: usize = 8 * 1024;

/// The wire below commands. After the first transport error nothing is sent any more.
pub(super) struct Wire<T> {
    transport: T,
    lost: bool,
}

impl<T: Transport> Wire<T> {
    pub(super) fn new(transport: T) -> Self {
        Self { transport, lost: false }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    pub(super) fn atr(&self) -> &[u8] {
        self.transport.atr()
    }

    pub(super) fn into_transport(self) -> T {
        self.transport
    }

    /// Sends any command as it is.
    pub(super) fn transmit(&mut self, command: &Apdu) -> Result<crate::apdu::Reply, CardError> {
        if self.lost {
            return Err(TransportError::Closed.into());
        }
        let reply = self.transport.transmit(command);
        self.lost = reply.is_err();
        Ok(reply?)
    }

    /// One frame out, one frame back.
    pub(super) fn frame(&mut self, instruction: u8, data: &[u8]) -> Result<(Status, Zeroizing<Vec<u8>>), CardError> {
        let command = Apdu::desfire(instruction, data).ok_or(CardError::Protocol(instruction))?;
        let reply = self.transmit(&command)?;
        match reply.status() {
            [SW1_DESFIRE, status] => Ok((Status::from(status), Zeroizing::new(reply.data().to_vec()))),
            _ => Err(CardError::Protocol(instruction)),
        }
    }

    /// A whole command, its message split as needed, and the whole data of its reply. The status is `Ok`.
    pub(super) fn exchange(&mut self, command: u8, message: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let (mut status, mut data) = self.send(command, message)?;
        let mut whole = Zeroizing::new(Vec::with_capacity(REPLY_MAX.min(512)));
        loop {
            if whole.len() + data.len() > REPLY_MAX {
                return Err(CardError::Protocol(command));
            }
            whole.extend_from_slice(&data);
            match status {
                Status::Ok => return Ok(whole),
                Status::MoreFrames if !data.is_empty() => (status, data) = self.frame(ADDITIONAL_FRAME, &[])?,
                Status::MoreFrames => return Err(CardError::Protocol(command)),
                refused => return Err(CardError::Refused { command, status: refused }),
            }
        }
    }

    /// Sends all frames and gives the reply to the last.
    fn send(&mut self, command: u8, message: &[u8]) -> Result<(Status, Zeroizing<Vec<u8>>), CardError> {
        let frame = if is_iso_chained(command) { message.len() } else { FRAME_DATA_MAX };
        let (first, mut rest) = message.split_at(message.len().min(frame));
        let mut answer = self.frame(command, first)?;
        while !rest.is_empty() {
            match answer.0 {
                Status::MoreFrames if answer.1.is_empty() => {}
                Status::MoreFrames | Status::Ok => return Err(CardError::Protocol(command)),
                refused => return Err(CardError::Refused { command, status: refused }),
            }
            let next;
            (next, rest) = rest.split_at(rest.len().min(FRAME_DATA_MAX));
            answer = self.frame(ADDITIONAL_FRAME, next)?;
        }
        Ok(answer)
    }
}

/// One APDU carries the whole message of these; ISO/IEC 14443-4 chains it below the APDU.
fn is_iso_chained(command: u8) -> bool {
    use super::command::{READ_DATA_ISO, READ_RECORDS_ISO, UPDATE_RECORD_ISO, WRITE_DATA_ISO, WRITE_RECORD_ISO};
    matches!(command, READ_DATA_ISO | WRITE_DATA_ISO | READ_RECORDS_ISO | WRITE_RECORD_ISO | UPDATE_RECORD_ISO)
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;
    use crate::apdu::Reply;
    use proptest::prelude::*;

    fn wire(lines: &[(&str, &str)]) -> Wire<Script> {
        Wire::new(Script::of(lines))
    }

    #[test]
    fn a_reply_of_several_frames_is_joined() {
        let mut wire =
            wire(&[("90 60 00 00 00", "0102 91AF"), ("90 AF 00 00 00", "03 91AF"), ("90 AF 00 00 00", "0405 9100")]);
        assert_eq!(*wire.exchange(0x60, &[]).unwrap(), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_long_message_is_split_and_every_frame_but_the_last_is_asked_for() {
        let first = format!("90 3D 0000 3B {} 00", "AA".repeat(59));
        let second = format!("90 AF 0000 3B {} 00", "AA".repeat(59));
        let mut wire = wire(&[(&first, "91AF"), (&second, "91AF"), ("90 AF 0000 02 AAAA 00", "0102 9100")]);
        assert_eq!(*wire.exchange(0x3D, &[0xAA; 120]).unwrap(), [1, 2]);
    }

    #[test]
    fn an_iso_chained_twin_travels_whole() {
        let command = format!("90 8D 0000 78 {} 00", "AA".repeat(120));
        assert!(wire(&[(&command, "9100")]).exchange(0x8D, &[0xAA; 120]).unwrap().is_empty());
    }

    #[test]
    fn a_refusal_names_command_and_status() {
        let check = |reply, status| {
            let refused = wire(&[("90 6C 00 00 01 02 00", reply)]).exchange(0x6C, &[2]).map(|_| ());
            assert_eq!(refused, Err(CardError::Refused { command: 0x6C, status }));
        };
        check("919D", Status::PermissionDenied);
        check("91AE", Status::AuthenticationError);
        check("9177", Status::Other(0x77));
    }

    #[test]
    fn a_card_that_ends_a_long_message_early_is_not_believed() {
        let first = format!("90 3D 0000 3B {} 00", "AA".repeat(59));
        assert_eq!(wire(&[(&first, "9100")]).exchange(0x3D, &[0xAA; 60]).map(|_| ()), Err(CardError::Protocol(0x3D)));
    }

    #[test]
    fn a_card_that_never_ends_is_cut_off() {
        let frame = format!("{}91AF", "00".repeat(200));
        let mut lines = vec![("90 BD 00 00 00", frame.as_str())];
        lines.extend(vec![("90 AF 00 00 00", frame.as_str()); REPLY_MAX / 200]);
        assert_eq!(wire(&lines).exchange(0xBD, &[]).map(|_| ()), Err(CardError::Protocol(0xBD)));
        assert_eq!(wire(&[("90 BD 00 00 00", "91AF")]).exchange(0xBD, &[]).map(|_| ()), Err(CardError::Protocol(0xBD)));
    }

    #[test]
    fn a_status_of_another_class_is_no_desfire_card() {
        assert_eq!(wire(&[("90 60 00 00 00", "6D00")]).exchange(0x60, &[]).map(|_| ()), Err(CardError::Protocol(0x60)));
    }

    #[test]
    fn after_a_transport_error_nothing_is_sent_any_more() {
        let mut wire = wire(&[("90 60 00 00 00", "91")]);
        assert_eq!(wire.exchange(0x60, &[]).map(|_| ()), Err(TransportError::ShortReply.into()));
        assert!(wire.is_lost());
        assert_eq!(wire.exchange(0x60, &[]).map(|_| ()), Err(TransportError::Closed.into()));
    }

    /// A card that keeps a message of `length` bytes and gives it back in frames of its own size.
    struct Echo {
        length: usize,
        frame: usize,
        heard: Vec<u8>,
        said: usize,
    }

    impl Transport for Echo {
        fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
            let bytes = command.bytes();
            let data = if bytes.len() > 5 { &bytes[5..bytes.len() - 1] } else { &[] };
            assert!(data.len() <= FRAME_DATA_MAX);
            self.heard.extend_from_slice(data);
            if self.heard.len() < self.length {
                return Reply::parse(vec![SW1_DESFIRE, 0xAF]);
            }
            let end = self.length.min(self.said + self.frame);
            let mut reply = self.heard[self.said..end].to_vec();
            self.said = end;
            reply.extend([SW1_DESFIRE, if end < self.length { 0xAF } else { 0x00 }]);
            Reply::parse(reply)
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_arrives_whole_and_so_does_the_reply(
            message in prop::collection::vec(any::<u8>(), 0..600),
            frame in 1..255_usize,
        ) {
            let echo = Echo { length: message.len(), frame, heard: Vec::new(), said: 0 };
            prop_assert_eq!(&*Wire::new(echo).exchange(0x3D, &message).unwrap(), &message);
        }
    }
}
