//! Both channels against the card's side: whatever is said arrives, and whatever was changed on the way is refused.

use super::card_side::Card;
use super::{Channel, ChannelError, CommMode};
use crate::aes_key::AesKey;
use crate::ev2::SessionKeys;
use crate::holder::Session;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const KEYS: ([u8; 16], [u8; 16]) = ([0x5C; 16], [0xC5; 16]);
const TRANSACTION_ID: [u8; 4] = [1, 2, 3, 4];

/// One command and its reply.
#[derive(Debug, Clone)]
struct Said {
    mode: CommMode,
    command: u8,
    header: Vec<u8>,
    data: Vec<u8>,
    reply: Vec<u8>,
    /// Whether the reader knows how long the reply is.
    asked: bool,
}

impl Said {
    fn expected(&self) -> Option<usize> {
        self.asked.then_some(self.reply.len())
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Generation {
    Ev1,
    Ev2,
}

fn pair(generation: Generation) -> (Channel, Card) {
    let (first, second) = KEYS;
    match generation {
        Generation::Ev1 => {
            let channel = Channel::new(Session::Ev1(AesKey::new(first))).unwrap();
            (channel, Card::Ev1 { key: first, iv: [0; 16] })
        }
        Generation::Ev2 => {
            let (enc, mac) = (AesKey::new(first), AesKey::new(second));
            let channel = Channel::new(Session::Ev2(SessionKeys { enc, mac, transaction_id: TRANSACTION_ID })).unwrap();
            (channel, Card::Ev2 { enc: first, mac: second, transaction_id: TRANSACTION_ID, counter: 0 })
        }
    }
}

fn generations() -> impl Strategy<Value = Generation> {
    select(vec![Generation::Ev1, Generation::Ev2])
}

fn said() -> impl Strategy<Value = Said> {
    let modes = select(vec![CommMode::Plain, CommMode::Mac, CommMode::Full]);
    let commands = select(vec![0x3D, 0x8D, 0x3B, 0xDB, 0x0C, 0xDC, 0x1C, 0xBD, 0xBB, 0x6C, 0xF5, 0xC7, 0x51]);
    (modes, commands, vec(any::<u8>(), 0..8), vec(any::<u8>(), 0..70), vec(any::<u8>(), 0..120), any::<bool>())
        .prop_map(|(mode, command, header, data, reply, asked)| Said { mode, command, header, data, reply, asked })
}

/// The reader says it, the card takes it and answers.
fn carried(channel: &mut Channel, card: &mut Card, said: &Said) -> Vec<u8> {
    let message = channel.seal(said.mode, said.command, &said.header, &said.data).unwrap();
    let taken = card.take(said.mode, said.command, said.header.len(), said.data.len(), &message).unwrap();
    assert_eq!(taken, [said.header.clone(), said.data.clone()].concat());
    card.answer(said.mode, &said.reply)
}

/// The reply is refused, and nothing more is said on the channel.
fn assert_refused(mut channel: Channel, said: &Said, reply: &[u8]) {
    let refused = channel.open(said.mode, reply, said.expected());
    assert!(refused.is_err(), "{reply:02X?} was taken for {said:?}");
    assert_eq!(channel.seal(CommMode::Plain, 0xC7, &[], &[]), Err(ChannelError::Closed));
    assert_eq!(channel.open(said.mode, reply, None).map(|_| ()), Err(ChannelError::Closed));
}

/// EV2 leaves a plain reply without protection; EV1 does not.
fn protected(generation: Generation, said: &Said) -> bool {
    generation == Generation::Ev1 || said.mode != CommMode::Plain
}

proptest! {
    #[test]
    fn a_conversation_arrives_in_every_mode(generation in generations(), all in vec(said(), 1..8)) {
        let (mut channel, mut card) = pair(generation);
        for said in &all {
            let reply = carried(&mut channel, &mut card, said);
            match channel.open(said.mode, &reply, said.expected()) {
                Ok(plain) => prop_assert_eq!(&*plain, &said.reply),
                // Rare, and only where the length was not said: see `ev1_vectors`.
                Err(error) => {
                    prop_assert_eq!(error, ChannelError::AmbiguousEnd);
                    prop_assert!(generation == Generation::Ev1 && said.mode == CommMode::Full && !said.asked);
                    break;
                }
            }
        }
    }

    #[test]
    fn a_reply_with_any_bit_changed_is_refused(
        generation in generations(), before in vec(said(), 0..3), said in said(), at in any::<Index>(), bit in 0..8_u8,
    ) {
        prop_assume!(protected(generation, &said));
        let (mut channel, mut card) = pair(generation);
        for said in &before {
            let reply = carried(&mut channel, &mut card, said);
            channel.open(said.mode, &reply, Some(said.reply.len())).unwrap();
        }
        let mut reply = carried(&mut channel, &mut card, &said);
        let at = at.index(reply.len());
        reply[at] ^= 1 << bit;
        assert_refused(channel, &said, &reply);
    }

    #[test]
    fn a_reply_cut_short_or_drawn_out_is_refused(
        generation in generations(), said in said(), keep in any::<Index>(), more in vec(any::<u8>(), 1..33),
    ) {
        prop_assume!(protected(generation, &said));
        let (mut channel, mut card) = pair(generation);
        let reply = carried(&mut channel, &mut card, &said);
        assert_refused(channel, &said, &reply[..keep.index(reply.len())]);
        let (mut channel, mut card) = pair(generation);
        let reply = carried(&mut channel, &mut card, &said);
        assert_refused(channel, &said, &[reply, more].concat());
    }

    #[test]
    fn an_earlier_reply_said_again_is_refused(generation in generations(), said in said()) {
        prop_assume!(protected(generation, &said));
        let (mut channel, mut card) = pair(generation);
        let first = carried(&mut channel, &mut card, &said);
        channel.open(said.mode, &first, Some(said.reply.len())).unwrap();
        carried(&mut channel, &mut card, &said);
        assert_refused(channel, &said, &first);
    }

    #[test]
    fn replies_in_another_order_are_refused(generation in generations(), first in said(), second in said()) {
        prop_assume!(protected(generation, &first));
        let (mut channel, mut card) = pair(generation);
        let reply = carried(&mut channel, &mut card, &first);
        channel.open(first.mode, &reply, Some(first.reply.len())).unwrap();
        let later = carried(&mut channel, &mut card, &Said { mode: first.mode, ..second });
        // The same conversation again: the keys and every byte of the reader are the same.
        let (mut channel, mut card) = pair(generation);
        carried(&mut channel, &mut card, &first);
        assert_refused(channel, &first, &later);
    }

    #[test]
    fn a_command_changed_on_the_way_is_noticed(
        generation in generations(), said in said(), at in any::<Index>(), bit in 0..8_u8,
    ) {
        prop_assume!(protected(generation, &said) && said.header.len() + said.data.len() > 0);
        let (mut channel, mut card) = pair(generation);
        let mut message = channel.seal(said.mode, said.command, &said.header, &said.data).unwrap();
        let at = at.index(message.len());
        message[at] ^= 1 << bit;
        // Either the card notices, or its reply does not fit the reader's channel any more.
        if card.take(said.mode, said.command, said.header.len(), said.data.len(), &message).is_ok() {
            let reply = card.answer(said.mode, &said.reply);
            assert_refused(channel, &said, &reply);
        }
    }

    #[test]
    fn a_reply_that_nobody_asked_for_is_refused(generation in generations(), said in said()) {
        let (mut channel, mut card) = pair(generation);
        let reply = card.answer(said.mode, &said.reply);
        prop_assert_eq!(channel.open(said.mode, &reply, None).map(|_| ()), Err(ChannelError::OutOfTurn));
        prop_assert_eq!(channel.seal(said.mode, said.command, &[], &[]), Err(ChannelError::Closed));
    }

    #[test]
    fn two_commands_are_never_sealed_in_one_place(generation in generations(), said in said()) {
        let (mut channel, _) = pair(generation);
        channel.seal(said.mode, said.command, &said.header, &said.data).unwrap();
        let again = channel.seal(said.mode, said.command, &said.header, &said.data);
        prop_assert_eq!(again, Err(ChannelError::OutOfTurn));
        prop_assert_eq!(channel.open(said.mode, &[0; 8], None).map(|_| ()), Err(ChannelError::Closed));
    }

    #[test]
    fn a_genuine_reply_of_another_length_than_asked_is_refused(
        generation in generations(), said in said(), more in 1..40_usize,
    ) {
        let (mut channel, mut card) = pair(generation);
        let reply = carried(&mut channel, &mut card, &said);
        prop_assert!(channel.open(said.mode, &reply, Some(said.reply.len() + more)).is_err());
        prop_assert_eq!(channel.seal(said.mode, said.command, &[], &[]), Err(ChannelError::Closed));
    }

    #[test]
    fn any_bytes_at_all_are_an_answer_or_a_refusal(
        generation in generations(), said in said(), reply in vec(any::<u8>(), 0..200),
    ) {
        prop_assume!(protected(generation, &said));
        let (mut channel, _) = pair(generation);
        channel.seal(said.mode, said.command, &said.header, &said.data).unwrap();
        assert_refused(channel, &said, &reply);
    }
}
