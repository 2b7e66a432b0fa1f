//! What the words of the scenes leave in the log: an error for each text that is missing or cannot be filled in, even
//! where another text is shown in its place.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// What is logged at this level or above it, each with its fields.
#[derive(Clone)]
pub(crate) struct Logged(Level, Arc<Mutex<Vec<String>>>);

impl Logged {
    pub(crate) fn from(level: Level) -> Self {
        Self(level, Arc::default())
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Logged {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.0
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.1.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn no_text_of_any_scene_is_an_error_in_the_log() {
    let errors = Logged::from(Level::ERROR);
    tracing::subscriber::with_default(errors.clone(), || {
        super::languages().for_each(|lang| drop(super::stage(lang)));
        tracing::error!("the end");
    });
    // The last proves that errors are seen at all.
    assert_eq!(errors.lines(), ["message=the end "]);
}
