//! Resolved texts and the small pieces every screen is made of.

use crate::Session;
use crate::action::Action;
use crate::view::{Button, Icon, Notice, Row, Step, SumLine, Text, Tone};
use domain::{Cents, FailureCode};
use locale::{Language, Value};
use std::sync::Arc;

/// The words of the language on the screen.
pub(crate) struct Words {
    language: Arc<Language>,
}

impl Words {
    pub(crate) fn new(session: &Session) -> Self {
        Self { language: session.language() }
    }

    pub(crate) fn of(language: Arc<Language>) -> Self {
        Self { language }
    }

    pub(crate) fn tag(&self) -> &str {
        self.language.tag()
    }

    pub(crate) fn language(&self) -> &Language {
        &self.language
    }

    pub(crate) fn text(&self, key: &str) -> Text {
        self.text_with(key, &[])
    }

    pub(crate) fn text_with(&self, key: &str, values: &[(&str, Value<'_>)]) -> Text {
        plain(self.language.text_with(key, values))
    }

    pub(crate) fn private(&self, key: &str, values: &[(&str, Value<'_>)]) -> Text {
        private(self.language.text_with(key, values))
    }

    pub(crate) fn money(&self, amount: Cents) -> String {
        self.language.money(amount)
    }

    pub(crate) fn step(&self, current: u8, total: u8) -> Step {
        let values = [("current", Value::Count(current.into())), ("total", Value::Count(total.into()))];
        Step { current, total, label: self.text_with("common-step", &values) }
    }

    pub(crate) fn button(&self, id: &str, key: &str, tone: Tone, action: Action) -> Button {
        labelled(id, self.text(key), tone, action)
    }

    pub(crate) fn sum_line(&self, key: &str, amount: Cents) -> SumLine {
        SumLine { label: self.text(key), value: private(self.money(amount)), total: false }
    }

    pub(crate) fn row(&self, key: &str, value: Text) -> Row {
        Row { label: self.text(key), value, hint: None, icon: None }
    }

    pub(crate) fn notice(
        &self,
        icon: Icon,
        key: &str,
        code: Option<FailureCode>,
        values: &[(&str, Value<'_>)],
    ) -> Notice {
        Notice {
            icon,
            title: self.text_with(&format!("{key}-title"), values),
            text: self.text_with(&format!("{key}-text"), values),
            code: code.map(|code| code.code().to_owned()),
        }
    }
}

impl Button {
    pub(crate) fn icon(self, icon: Icon) -> Self {
        Self { icon: Some(icon), ..self }
    }

    pub(crate) fn hint(self, hint: Text) -> Self {
        Self { hint: Some(hint), ..self }
    }

    pub(crate) fn selected(self, selected: bool) -> Self {
        Self { selected, ..self }
    }

    pub(crate) fn enabled(self, enabled: bool) -> Self {
        Self { enabled, ..self }
    }
}

/// A button whose words are resolved already.
pub(crate) fn labelled(id: &str, label: Text, tone: Tone, action: Action) -> Button {
    Button { id: id.to_owned(), label, hint: None, icon: None, tone, selected: false, enabled: true, action }
}

pub(crate) fn plain(text: String) -> Text {
    Text { text, speech: None, private: false }
}

pub(crate) fn private(text: String) -> Text {
    Text { text, speech: None, private: true }
}
