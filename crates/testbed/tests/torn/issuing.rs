//! Making cards of blank chips: one that nothing disturbs, and some that are lifted on the way. Every exchange of it is
//! torn without pcscd, in `crates/card/tests/personalise`.

use crate::city::{Kind, NUMBER, TODAY, counting, issuer, layout};
use crate::reader::{Reader, Scene, Tear, with_reader};
use card::personalise::{BlankKeys, CardOrder, PersonaliseError, Personalised, Workpiece};
use card::{CardSecret, CityCard};
use card_simulator::FaultKind;
use domain::card::Wishes;
use domain::{Cents, FailureCode, Generation};

/// How many are lifted, over the whole length.
const LIFTED: usize = 8;

/// The matrix for one kind of chip.
pub(crate) fn issue(test: &str, kind: Kind) {
    with_reader(test, kind.blank(), |mut reader| {
        reader.lay();
        reader.begin(None);
        assert!(!make(&reader, kind).unwrap().was_finished);
        let names = reader.end();
        assert!(names.len() > LIFTED);
        check_as_a_kiosk(&reader, kind);
        for tear in chosen(&names) {
            let _scene = Scene(format!("{kind:?}, personalisation: {tear}"));
            lift(&mut reader, kind, &tear);
        }
    });
}

/// Some, before and after in turn, from the first exchange to the last; and one in the middle of the last write of data,
/// that of the identity. (A sector trailer that is cut off may lock its sector for ever.)
fn chosen(names: &[String]) -> Vec<Tear> {
    let tear = |exchange: usize, kind| {
        let number = u32::try_from(exchange).unwrap() + 1;
        Tear { number, name: names[exchange].clone(), kind }
    };
    let evenly = (0..LIFTED).map(|step| {
        let kind = if step % 2 == 0 { FaultKind::TearBefore } else { FaultKind::TearAfter };
        tear(step * (names.len() - 1) / (LIFTED - 1), kind)
    });
    let is_trailer = |name: &String| ["3", "7", "B", "F"].iter().any(|block| name.ends_with(block));
    let is_write = |name: &String| {
        name.starts_with("90 3D") || name.starts_with("90 8D") || (name.starts_with("FF D6") && !is_trailer(name))
    };
    let identity = names.iter().rposition(is_write).unwrap();
    evenly.chain([tear(identity, FaultKind::TearMidWrite(11))]).collect()
}

fn lift(reader: &mut Reader, kind: Kind, tear: &Tear) {
    reader.replace(kind.blank());
    reader.begin(Some(tear));
    assert_eq!(make(reader, kind).unwrap_err().failure(), FailureCode::CardUnreadable);
    drop(reader.end());
    reader.lay_again();
    make(reader, kind).unwrap();
    check_as_a_kiosk(reader, kind);
    assert!(make(reader, kind).unwrap().was_finished, "nothing is left to be done");
}

fn order(kind: Kind) -> CardOrder {
    CardOrder {
        number: NUMBER,
        generation: Generation(2),
        secret: CardSecret::new([0x5C; 32]),
        purse_max: Cents(15_000),
        wishes: Wishes::default(),
        random_uid: kind == Kind::Ev3,
        today: TODAY,
    }
}

fn make(reader: &Reader, kind: Kind) -> Result<Personalised, PersonaliseError> {
    let mut keys = issuer();
    let piece = Workpiece::look(reader.connect(), &layout(), &mut keys)?;
    let blank = BlankKeys::new(vec![], vec![], Box::new(counting));
    piece.finish(&order(kind), &mut keys, &blank, &mut |_| {})
}

fn check_as_a_kiosk(reader: &Reader, kind: Kind) {
    let (_, contents) = CityCard::open(reader.connect(), &layout(), &mut issuer()).unwrap();
    assert_eq!((contents.identity.number, contents.identity.generation), (NUMBER, Generation(2)));
    assert_eq!((contents.purse, contents.needs_check), (Some(Cents::ZERO), None));
    assert_eq!(contents.identity.secret.is_some(), kind != Kind::Classic);
}
