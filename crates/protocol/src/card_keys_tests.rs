use super::*;

fn begin() -> BeginAuthentication {
    BeginAuthentication {
        role: WireRole::Credit,
        scheme: WireScheme::Ev2First,
        aid: [0xF5, 0x1C, 0x01],
        number: 3,
        version: 0,
        uid: vec![0xA7; 7],
        challenge: [0xB7; 16],
    }
}

fn seal() -> ClassicAsk {
    let top_up = Some(ClassicTopUp { id: [9; 16], amount: 500 });
    ClassicAsk::Seal(ClassicSealAsk { uid: vec![0xA7; 7], top_up, counter: 4, day: 9_000, value_after: 1_250 })
}

fn found() -> ClassicAsk {
    ClassicAsk::Found(ClassicFound { uid: vec![0xA7; 7], counter: 3, value: 1_250, seal: [0xA7; 16] })
}

#[test]
fn every_message_survives_the_wire_within_its_limit_and_a_cut_one_is_refused() {
    macro_rules! check {
        ($($message:expr => $kind:ty),* $(,)?) => {$(
            let message: $kind = $message;
            let bytes = message.encode().unwrap();
            assert!(bytes.len() <= CARD_KEYS_BYTES_MAX, "{}", stringify!($kind));
            assert!(<$kind>::decode(&bytes).unwrap() == message, "{}", stringify!($kind));
            for length in 0..bytes.len() {
                assert_eq!(<$kind>::decode(&bytes[..length]).err(), Some(BadMessage), "{} {length}", stringify!($kind));
            }
        )*};
    }
    check!(
        begin() => BeginAuthentication,
        Cryptogram { ticket: [1; 16], cryptogram: [2; 32] } => Cryptogram,
        FinishAuthentication { ticket: [1; 16], answer: vec![3; 32] } => FinishAuthentication,
        GrantedSession::Ev1 { key: [4; 16] } => GrantedSession,
        GrantedSession::Ev2 { enc: [4; 16], mac: [5; 16], transaction_id: [6; 4] } => GrantedSession,
        GrantedSession::Ev2Renewed { enc: [4; 16], mac: [5; 16] } => GrantedSession,
        ClassicAsk::Keys { uid: vec![1; 4] } => ClassicAsk,
        seal() => ClassicAsk,
        found() => ClassicAsk,
        ClassicGrant::Keys { purse: [1; 6], top_ups: [2; 6] } => ClassicGrant,
        ClassicGrant::Seal { mac: [3; 8] } => ClassicGrant,
        ClassicGrant::Agreed { seal_again: None } => ClassicGrant,
        ClassicGrant::Agreed { seal_again: Some([4; 8]) } => ClassicGrant,
        RekeyLook { uid: vec![1; 7], version_on_card: 2 } => RekeyLook,
        RekeyState::Wanted { version: 3 } => RekeyState,
        RekeyState::Current => RekeyState,
        RekeyBegin { scheme: WireScheme::Aa, uid: vec![1; 7], version_on_card: 0, challenge: [9; 16] } => RekeyBegin,
        RekeyChange { ticket: [1; 16], message: vec![2; 41] } => RekeyChange,
        RekeyConfirm { ticket: [1; 16], reply: vec![2; 8] } => RekeyConfirm,
        Rekeyed { version: 4 } => Rekeyed,
    );
}

#[test]
fn nothing_of_a_card_or_a_key_is_shown() {
    let shown = [
        format!("{:?}", begin()),
        format!("{:?}", seal()),
        format!("{:?}", found()),
        format!("{:?}", GrantedSession::Ev1 { key: [0xA7; 16] }),
        format!("{:?}", ClassicGrant::Keys { purse: [0xA7; 6], top_ups: [0xA7; 6] }),
    ];
    for text in shown {
        assert!(text.ends_with("(redacted)"), "{text}");
    }
}
