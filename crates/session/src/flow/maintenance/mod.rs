//! Maintenance: what a technician does once the service card and its PIN are proven. Everything is asked of the
//! machine, and said to be done when the machine says so. Nothing of a citizen's is touched here.

mod self_test;

use crate::effect::Effect;
use crate::flow::{end, pin};
use crate::place::{Maintenance, PinPurpose, Place};
use crate::{Session, Task};
use domain::FailureCode;
use domain::service::{ExportError, SCALES, ServiceEvent, ServiceRequest};

pub(crate) use self_test::printed;

/// One step of the ruler, in hundredths of a CSS pixel a millimetre.
const SCALE_STEP: u32 = 1;

/// A service card was recognised: to the PIN, whatever the screen shows.
pub(crate) fn card_laid(session: &mut Session) {
    if let Some(visit) = &mut session.visit {
        // Nobody's balance is shown in a technician's visit.
        visit.purse = None;
    }
    let at_work =
        matches!(session.place, Place::Maintenance(_) | Place::Pin { .. } | Place::ForgotPin(_) | Place::Printing(_));
    if !at_work {
        pin::open(session, PinPurpose::Maintenance);
    }
}

/// The PIN is proven.
pub(crate) fn enter(session: &mut Session) {
    go(session, Maintenance::Menu);
}

fn go(session: &mut Session, place: Maintenance) {
    if matches!(
        place,
        Maintenance::Menu | Maintenance::State(_) | Maintenance::Claims(_) | Maintenance::Paper | Maintenance::Ruler(_)
    ) {
        session.ask(Effect::Service(ServiceRequest::Overview));
    }
    session.go(Place::Maintenance(place));
}

/// A task; refused everywhere but in maintenance, and while the machine is at another.
pub(crate) fn act(session: &mut Session, task: Task) {
    let Place::Maintenance(place) = &session.place else { return };
    if place.is_working() || !session.visit.as_ref().is_some_and(|visit| visit.maintains) {
        return;
    }
    match task {
        Task::Menu => go(session, Maintenance::Menu),
        Task::More => go(session, Maintenance::More),
        Task::State => go(session, Maintenance::State(0)),
        Task::SelfTest | Task::Repeat | Task::Next | Task::Heard { .. } | Task::PrintReport => {
            self_test::act(session, task);
        }
        Task::Paper => go(session, Maintenance::Paper),
        Task::PaperChanged if matches!(place, Maintenance::Paper) => ask(session, ServiceRequest::PaperChanged),
        Task::Claims => go(session, Maintenance::Claims(0)),
        Task::Export => go(session, Maintenance::Export),
        Task::StartExport => export(session),
        Task::Ruler | Task::Shorter | Task::Longer | Task::SaveScale => ruler(session, task),
        Task::Reasons => go(session, Maintenance::Reasons),
        Task::SwitchOff { reason } => ask(session, ServiceRequest::SetOutOfOrder(Some(reason))),
        Task::SwitchOn => ask(session, ServiceRequest::SetOutOfOrder(None)),
        Task::Restart => go(session, Maintenance::Restart),
        Task::ConfirmRestart if matches!(place, Maintenance::Restart) && !money_moves(session) => {
            ask(session, ServiceRequest::Restart);
        }
        Task::PaperChanged | Task::ConfirmRestart => {}
    }
}

/// Asks the machine for what it must keep, and waits for its word.
fn ask(session: &mut Session, request: ServiceRequest) {
    session.ask(Effect::Service(request));
    go(session, Maintenance::Asked(request));
}

fn export(session: &mut Session) {
    if matches!(session.place, Place::Maintenance(Maintenance::Export | Maintenance::Exported(_))) {
        session.ask(Effect::Service(ServiceRequest::Export));
        go(session, Maintenance::Exporting);
    }
}

fn ruler(session: &mut Session, task: Task) {
    let kept = session.overview.as_ref().map(|overview| overview.scale_hundredths);
    let Place::Maintenance(place) = &mut session.place else { return };
    match (task, place) {
        (Task::Ruler, _) => {
            let Some(kept) = kept else { return };
            go(session, Maintenance::Ruler(kept));
        }
        (Task::Shorter, Maintenance::Ruler(scale)) => *scale = (*scale - SCALE_STEP).max(*SCALES.start()),
        (Task::Longer, Maintenance::Ruler(scale)) => *scale = (*scale + SCALE_STEP).min(*SCALES.end()),
        (Task::SaveScale, Maintenance::Ruler(scale)) => {
            let hundredths = *scale;
            if !money_moves(session) {
                ask(session, ServiceRequest::SetScale { hundredths });
            }
        }
        _ => {}
    }
}

/// Money of somebody's is on its way in this very moment: the program is not ended now, though nothing would be lost.
pub(crate) fn money_moves(session: &Session) -> bool {
    let mut waiting = session.till.waiting.values();
    waiting.any(|waits| waits.journal.is_some() || waits.payment || waits.card.is_some())
}

/// The machine answered.
pub(crate) fn said(session: &mut Session, event: ServiceEvent) {
    match event {
        ServiceEvent::Overview(overview) => session.overview = Some(overview),
        ServiceEvent::Tested(part, result) => self_test::tested(session, part, result),
        ServiceEvent::Exported(result) => {
            if session.place == Place::Maintenance(Maintenance::Exporting) {
                answered(session, Maintenance::Exported(result));
            }
        }
        ServiceEvent::OutOfOrder(reason) => session.out_of_order = reason,
        ServiceEvent::Kept(request) => kept(session, request),
        ServiceEvent::Failed(request, code) => failed(session, request, code),
    }
}

/// The machine has kept what it was asked to keep. Nothing else says so: how it is, it also tells unasked.
fn kept(session: &mut Session, request: ServiceRequest) {
    if session.place == Place::Maintenance(Maintenance::Asked(request)) {
        answered(
            session,
            match request {
                // A new scale holds from the next start on, which is all that is waited for now.
                ServiceRequest::SetScale { .. } => Maintenance::Asked(ServiceRequest::Restart),
                _ => Maintenance::Menu,
            },
        );
    }
}

fn failed(session: &mut Session, request: ServiceRequest, code: FailureCode) {
    let Place::Maintenance(Maintenance::Asked(asked)) = session.place else { return };
    let of_start = asked == ServiceRequest::Restart && matches!(request, ServiceRequest::SetScale { .. });
    if asked == request || of_start {
        answered(session, Maintenance::Failed(asked, code));
    }
}

/// A new screen by the machine's word. A card lifted meanwhile gets its seconds from here, as after a print.
fn answered(session: &mut Session, place: Maintenance) {
    if session.timing.lifted_ms.is_some() {
        session.timing.lifted_ms = Some(session.now.monotonic_ms);
    }
    go(session, place);
}

/// The machine has not answered in its time.
pub(crate) fn given_up(session: &mut Session) {
    let Place::Maintenance(place) = &session.place else { return };
    match *place {
        Maintenance::Testing(_) => self_test::given_up(session),
        Maintenance::Exporting => answered(session, Maintenance::Exported(Err(ExportError::Failed))),
        Maintenance::Asked(request) => answered(session, Maintenance::Failed(request, FailureCode::ServiceUnanswered)),
        _ => {}
    }
}

/// One step back in a technician's visit, which knows no home screen.
pub(crate) fn back(session: &mut Session) {
    match &session.place {
        Place::ForgotPin(purpose) => pin::open(session, *purpose),
        Place::Maintenance(Maintenance::Menu) => end::finish(session),
        Place::Maintenance(place) if place.is_working() => {}
        Place::Maintenance(
            Maintenance::Export | Maintenance::Exported(_) | Maintenance::Ruler(_) | Maintenance::Restart,
        ) => go(session, Maintenance::More),
        Place::Maintenance(_) => go(session, Maintenance::Menu),
        place if !place.is_working() => end::finish(session),
        _ => {}
    }
}

/// The next page of a list.
pub(crate) fn next_page(session: &mut Session) {
    match session.place {
        Place::Maintenance(Maintenance::Claims(page)) => go(session, Maintenance::Claims(page + 1)),
        Place::Maintenance(Maintenance::State(page)) => go(session, Maintenance::State(page + 1)),
        _ => {}
    }
}

impl Session {
    /// The card of this visit is a service card.
    pub(crate) fn is_technicians(&self) -> bool {
        self.visit.as_ref().is_some_and(crate::visit::Visit::is_technicians)
    }
}
