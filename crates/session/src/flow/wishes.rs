//! What helps this person: applied when their card is laid down, and kept on it or erased from it at their wish only.
//! Nothing is ever written without the press on the screen that shows what would be.

use crate::effect::Effect;
use crate::flow::end;
use crate::place::{Place, WishErrand, WishStage};
use crate::{Action, Session};
use domain::FailureCode;
use domain::card::{Presentation, Wishes};
use domain::device::ReaderRequest;

/// How often a card that is laid back is written by itself, before its holder is asked again.
const ATTEMPTS_MAX: u8 = 3;
/// Whoever had the screen before them for this long has read that nothing was kept.
const READ_MS: u64 = 2_000;

/// As the card asks for; what was chosen on the way to this visit stays.
pub(crate) fn apply(session: &mut Session, wishes: &Wishes) {
    session.large_text |= wishes.large_text;
    session.high_contrast |= wishes.high_contrast;
    session.more_time |= wishes.more_time;
    session.simple_view |= wishes.simple_view;
    if let Some(lang) = language_of(session, wishes) {
        session.lang = lang;
    }
}

/// The language a card asks for, if this terminal speaks it.
pub(crate) fn language_of(session: &Session, wishes: &Wishes) -> Option<String> {
    let code = wishes.language?;
    let wished: String = code.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
    session.terminal.catalog.tags().any(|tag| tag == wished).then_some(wished)
}

/// What the card would be asked to keep: how the screen is now, and what this terminal cannot do yet as it stands on
/// the card. The city's first language needs no wish.
fn of_now(session: &Session) -> Option<Wishes> {
    let visit = session.visit.as_ref()?;
    let on_card = &visit.card.wishes;
    let is_default = session.lang == session.terminal.catalog.default_tag();
    // A language this terminal does not speak was not chosen away here.
    let foreign = on_card.language.filter(|_| language_of(session, on_card).is_none());
    Some(Wishes {
        language: if is_default { foreign } else { code_of(&session.lang) },
        large_text: session.large_text,
        high_contrast: session.high_contrast,
        speech: on_card.speech,
        more_time: session.more_time,
        simple_view: session.simple_view,
    })
}

/// Two or three letters, as a card keeps them.
fn code_of(lang: &str) -> Option<[u8; 3]> {
    let mut code = [0; 3];
    let letters = lang.split('-').next().unwrap_or(lang).as_bytes();
    code.get_mut(..letters.len())?.copy_from_slice(letters);
    Some(code)
}

/// What can be kept: something else than the card holds.
pub(crate) fn to_remember(session: &Session) -> Option<Wishes> {
    let on_card = session.visit.as_ref().filter(|_| may_ask(session))?.card.wishes;
    of_now(session).filter(|wishes| *wishes != on_card && *wishes != Wishes::default())
}

/// What can be erased.
pub(crate) fn to_erase(session: &Session) -> Option<Wishes> {
    let on_card = session.visit.as_ref().filter(|_| may_ask(session))?.card.wishes;
    (on_card != Wishes::default()).then_some(on_card)
}

/// Between errands, on a card that can keep wishes.
fn may_ask(session: &Session) -> bool {
    let between = matches!(
        session.place,
        Place::Home | Place::More | Place::Services(_) | Place::Movements(_) | Place::Documents | Place::Wishes(_)
    );
    let able = session.visit.as_ref().is_some_and(|visit| {
        visit.present && visit.card.technology.is_desfire() && !visit.is_revoked() && !visit.is_technicians()
    });
    between && able && !session.place.is_working() && !session.is_covered()
}

pub(crate) fn act(session: &mut Session, action: &Action) {
    match (action, &session.place) {
        (Action::RememberWishes, _) => {
            if let Some(wishes) = to_remember(session) {
                session.go(Place::Wishes(WishErrand::asking(wishes)));
            }
        }
        (Action::EraseWishes, _) if to_erase(session).is_some() => {
            session.go(Place::Wishes(WishErrand::asking(Wishes::default())));
        }
        (Action::WriteWishes, Place::Wishes(errand))
            if matches!(errand.stage, WishStage::Asking | WishStage::NotKept) =>
        {
            let errand = *errand;
            write(session, WishErrand { attempts: 0, ..errand });
        }
        _ => {}
    }
}

fn write(session: &mut Session, errand: WishErrand) {
    let Some(visit) = session.visit.as_ref().filter(|visit| visit.present) else { return };
    let presentation = visit.card.presentation;
    let attempts = errand.attempts.saturating_add(1);
    session.go(Place::Wishes(WishErrand { stage: WishStage::Writing, attempts, ..errand }));
    session.ask(Effect::Reader(ReaderRequest::WriteWishes(presentation, errand.wishes)));
}

/// The card holds them: read back.
pub(crate) fn written(session: &mut Session, presentation: Presentation, wishes: Wishes) {
    let Some(visit) = session.visit.as_mut().filter(|visit| visit.is(presentation)) else { return };
    visit.card.wishes = wishes;
    if let Place::Wishes(errand) = session.place
        && errand.stage == WishStage::Writing
        && errand.wishes == wishes
    {
        session.go(Place::Wishes(WishErrand { stage: WishStage::Kept, ..errand }));
    }
}

/// The card does not hold them, or could not be asked.
pub(crate) fn not_written(session: &mut Session, presentation: Presentation, code: FailureCode) {
    let Place::Wishes(errand) = session.place else { return };
    if errand.stage == WishStage::Writing && session.visit.as_ref().is_some_and(|visit| visit.is(presentation)) {
        tracing::info!(%code, "wishes could not be kept on a card");
        session.go(Place::Wishes(WishErrand { stage: WishStage::NotKept, ..errand }));
    }
}

/// The card has not answered for long.
pub(crate) fn silent(session: &mut Session, errand: WishErrand) {
    session.go(Place::Wishes(WishErrand { stage: WishStage::NotKept, ..errand }));
}

/// The card was laid back. What it was lifted in the middle of is tried again, since the holder had agreed; a card that
/// holds it already is not written again.
pub(crate) fn again(session: &mut Session, errand: WishErrand) {
    let Some(visit) = &session.visit else { return };
    match errand.stage {
        WishStage::Writing | WishStage::NotKept if visit.card.wishes == errand.wishes => {
            session.go(Place::Wishes(WishErrand { stage: WishStage::Kept, ..errand }));
        }
        WishStage::Writing | WishStage::NotKept if errand.attempts < ATTEMPTS_MAX => write(session, errand),
        WishStage::Writing => silent(session, errand),
        WishStage::NotKept | WishStage::Asking | WishStage::Kept => {}
    }
}

/// The card was lifted while it was being written, and its holder does not know yet that nothing was kept.
pub(crate) fn were_being_written(session: &Session) -> bool {
    let Place::Wishes(WishErrand { stage, .. }) = session.place else { return false };
    let read_by = session.timing.touched_ms.saturating_add(READ_MS);
    let unread = session.timing.lifted_ms.is_some_and(|lifted| lifted < read_by);
    session.visit.is_some() && (stage == WishStage::Writing || (stage == WishStage::NotKept && unread))
}

/// It was not laid back: the visit is over, and whoever still stands there is told what became of it.
pub(crate) fn given_up(session: &mut Session) {
    let (trouble, now_ms) = (session.tray_trouble, session.now.monotonic_ms);
    end::close(session);
    session.go(Place::Trouble { code: trouble.unwrap_or(FailureCode::WishesNotKept), amount: None });
    session.timing.lifted_ms = (!session.card_in_tray).then_some(now_ms);
}
