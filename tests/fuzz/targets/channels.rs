//! The secure channels: whatever comes back, it is either refused for good or proven.

use keys::{AesKey, Channel, ChannelError, CommMode, Session, SessionKeys};

/// The first byte chooses mode and expected length, the rest is the reply.
fn exchange(mut channel: Channel, bytes: &[u8]) {
    let Some((&choice, reply)) = bytes.split_first() else { return };
    let mode = match choice & 0x03 {
        0 => CommMode::Plain,
        1 => CommMode::Mac,
        _ => CommMode::Full,
    };
    let expected = (choice & 0x04 != 0).then_some(usize::from(choice >> 3));
    if channel.seal(mode, 0xBD, &[1, 0, 0, 0, 16, 0, 0], &[]).is_err() {
        return;
    }
    match channel.open(mode, reply, expected) {
        Ok(plain) => {
            assert!(plain.len() <= reply.len());
            assert!(expected.is_none_or(|expected| expected == plain.len()));
        }
        Err(_) => assert_eq!(channel.open(mode, reply, expected).map(|_| ()), Err(ChannelError::Closed)),
    }
}

pub(crate) fn ev1(bytes: &[u8]) {
    if let Ok(channel) = Channel::new(Session::Ev1(AesKey::new([0x11; 16]))) {
        exchange(channel, bytes);
    }
}

pub(crate) fn ev2(bytes: &[u8]) {
    let keys = SessionKeys { enc: AesKey::new([0x22; 16]), mac: AesKey::new([0x33; 16]), transaction_id: [1, 2, 3, 4] };
    if let Ok(channel) = Channel::new(Session::Ev2(keys)) {
        exchange(channel, bytes);
    }
}
