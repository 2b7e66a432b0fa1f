//! Papers: from an order to a PDF in the vault, with its name and its deposit in the journal before the printer
//! hears of it.

use crate::desk::Desk;
use crate::journal::{JournalDesk, survive};
use crate::machine::{Clock, Input, Inputs};
use crate::vault::Vault;
use documents::{ClaimData, Document, Emblem, Issuer, PaymentLines, Purpose, ReceiptData, VolanteData, Words};
use domain::city_pack::{CityPack, TerminalPlate};
use domain::device::PaymentApproval;
use domain::document::{DocumentKind, PRODUCT_TOP_UP};
use domain::holder::PinFacts;
use domain::{CardNumber, Day, DocumentCode, FailureCode, PrintName, Timestamp};
use ledger::ClaimCode;
use locale::{Catalog, Language, Value};
use protocol::{DocumentIssued, UploadBody};
use session::{Event, PaperEvent, PaperOrder};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the paper thread owns.
pub(crate) struct Papers {
    pub(crate) pack: CityPack,
    pub(crate) plate: TerminalPlate,
    pub(crate) catalog: Catalog,
    pub(crate) emblem: Emblem,
    pub(crate) vault: Vault,
    pub(crate) journal: JournalDesk,
    pub(crate) inputs: Inputs,
    pub(crate) clock: Clock,
    pub(crate) wake: Arc<sync::Wake>,
}

/// Where orders are handed in.
pub(crate) type PaperDesk = Desk<Papers>;

/// Prepares a paper; an event tells when it may be printed. An official document needs a verification code first,
/// which only the journal can give out.
pub(crate) fn order(desk: &PaperDesk, order: PaperOrder) {
    let again = desk.clone();
    desk.hand_in(move |papers| {
        if !matches!(order, PaperOrder::Document { .. }) {
            return papers.prepare(&order, None);
        }
        let now = papers.clock.now().wall;
        papers.journal.hand_in(move |journal| {
            let taken = journal.take_code(now);
            survive(&taken);
            let code = taken.ok().flatten();
            again.hand_in(move |papers| match code {
                Some(code) => papers.prepare(&order, Some(code)),
                None => papers.failed(order.name(), FailureCode::CodesExhausted),
            });
        });
    });
}

impl Papers {
    fn prepare(&self, order: &PaperOrder, code: Option<DocumentCode>) {
        let name = order.name().clone();
        match self.lay_out(order, code) {
            Ok(document) => self.intend(name, order, code, document),
            Err(error) => {
                tracing::error!(%error, "a paper could not be laid out");
                self.failed(&name, FailureCode::DocumentFailed);
            }
        }
    }

    fn failed(&self, name: &PrintName, code: FailureCode) {
        self.inputs.send(Input::Event(Event::Paper(PaperEvent::Failed(name.clone(), code))));
    }

    /// Journals the name, and the deposit in the same commit, so that a paper that comes out can be checked.
    fn intend(&self, name: PrintName, order: &PaperOrder, code: Option<DocumentCode>, document: Document) {
        let deposit = code.and_then(|code| deposit(order, code, &document.pdf));
        let Document { pdf, pages } = document;
        let (vault, inputs, now) = (self.vault.clone(), self.inputs.clone(), self.clock.now().wall);
        let wake = Arc::clone(&self.wake);
        self.journal.hand_in(move |journal| {
            let intended = journal.print_intent(&name, now, deposit);
            survive(&intended);
            let event = match intended {
                Ok(()) => {
                    // The deposit was written in the same commit: the code can be checked as soon as central has it.
                    wake.outbox();
                    let document = vault.put(Zeroizing::new(pdf));
                    PaperEvent::Ready { name, document, pages, code: code.map(DocumentCode::to_print) }
                }
                Err(error) => PaperEvent::Failed(name, error.code()),
            };
            inputs.send(Input::Event(Event::Paper(event)));
        });
    }

    fn lay_out(&self, order: &PaperOrder, code: Option<DocumentCode>) -> Result<Document, PaperError> {
        let words = PaperWords(self.catalog.language(order.lang()));
        let language = &words.0;
        let document = match order {
            PaperOrder::Document { facts, at, offline, .. } => {
                let code = code.ok_or(PaperError::NoCode)?;
                documents::volante(&self.volante(facts, code, *at, *offline, language), &words)
            }
            PaperOrder::Receipt { top_up, card, before, amount, after, approval, at, .. } => {
                let sum = [*before, *amount, *after].map(|cents| language.money(cents));
                let data = self.receipt(ClaimCode::of(*top_up), *card, sum, approval, *at, language);
                documents::receipt(&data, &words)
            }
            PaperOrder::Claim { code, amount, card, at, .. } => {
                documents::claim_slip(&self.claim(*code, language.money(*amount), *card, *at, language), &words)
            }
            PaperOrder::Readiness { report, at, .. } => {
                documents::readiness(&self.issuer(language, "city-card-office"), report, *at, &words)
            }
        };
        Ok(document?)
    }

    fn volante(
        &self,
        facts: &PinFacts,
        code: DocumentCode,
        at: Timestamp,
        offline: bool,
        language: &Language,
    ) -> VolanteData {
        let kind = DocumentKind::VolanteIndividual;
        let policy = self.pack.documents.iter().find(|policy| policy.kind == kind);
        let days = policy.map_or(0, |policy| i32::try_from(policy.validity_days).unwrap_or(i32::MAX));
        let valid_until = Day(language.local_day(at).0.saturating_add(days));
        VolanteData {
            issuer: self.issuer(language, "city-register-office"),
            name: facts.name.clone(),
            identity_number: facts.identity_number.clone(),
            birth_date: language.date_long(facts.born),
            address: facts.residence.street.clone(),
            locality: facts.residence.place.clone(),
            district: facts.residence.district.clone(),
            registered_since: language.date_long(facts.residence.registered),
            data_date: language.date_long(language.local_day(facts.as_of)),
            issued_at: language.moment(at),
            valid_until: language.date_long(valid_until),
            offline,
            code,
            check_url: self.pack.brand.check_url.clone(),
            created: at,
        }
    }

    fn receipt(
        &self,
        reference: ClaimCode,
        card: CardNumber,
        [before, amount, after]: [String; 3],
        approval: &PaymentApproval,
        at: Timestamp,
        language: &Language,
    ) -> ReceiptData {
        ReceiptData {
            purpose: Purpose::TopUp,
            issuer: self.issuer(language, "city-card-office"),
            completed_at: language.moment(at),
            top_up: reference.to_string(),
            card_last_four: card.last_four(),
            before,
            amount,
            after,
            product_code: PRODUCT_TOP_UP.to_owned(),
            payment: PaymentLines {
                scheme: approval.scheme.clone(),
                masked_pan: approval.masked_pan.clone(),
                entry: approval.entry,
                check: approval.check,
                application: approval.application.clone(),
                authorisation: approval.authorisation.clone(),
                terminal: approval.reference.terminal.clone(),
                trace: format!("{:06}", approval.reference.trace),
                receipt: format!("{:04}", approval.reference.receipt),
                notes: Vec::new(),
            },
            created: at,
        }
    }

    fn claim(
        &self,
        code: ClaimCode,
        amount: String,
        card: CardNumber,
        at: Timestamp,
        language: &Language,
    ) -> ClaimData {
        ClaimData {
            issuer: self.issuer(language, "city-card-office"),
            claim_code: code.to_string(),
            amount,
            happened_at: language.moment(at),
            top_up: code.to_string(),
            card_last_four: card.last_four(),
            payment_receipt: None,
            created: at,
        }
    }

    /// `office` is the key of the body responsible for the paper.
    fn issuer(&self, language: &Language, office: &str) -> Issuer {
        Issuer {
            city: language.text("city-name"),
            office: language.text(office),
            emblem: self.emblem.clone(),
            telephone: self.pack.brand.telephone.clone(),
            tax_number: self.pack.brand.tax_number.clone(),
            terminal: format!("{:02}", self.plate.id.0),
            place: self.plate.place.clone(),
        }
    }
}

/// Why a paper was not laid out.
#[derive(Debug, thiserror::Error)]
enum PaperError {
    /// An official document without its code.
    #[error("no verification code was drawn")]
    NoCode,
    /// The layout failed.
    #[error(transparent)]
    Layout(#[from] documents::DocumentError),
}

/// What central is told of an issued document: its code can be checked from then on.
fn deposit(order: &PaperOrder, code: DocumentCode, pdf: &[u8]) -> Option<UploadBody> {
    let PaperOrder::Document { kind, facts, at, offline, .. } = order else { return None };
    let signed = facts.documents.iter().find(|document| document.kind == *kind)?;
    let issued = DocumentIssued::new(code, *kind, signed.signed_facts.clone(), *at, *offline, pdf.to_vec());
    Some(UploadBody::DocumentIssued(issued))
}

/// The words of a paper, as `documents` asks for them.
struct PaperWords(Arc<Language>);

impl Words for PaperWords {
    fn language(&self) -> &str {
        self.0.tag()
    }

    fn text(&self, key: &str, args: &[(&str, &str)]) -> String {
        let values: Vec<(&str, Value<'_>)> = args.iter().map(|(name, value)| (*name, Value::Text(value))).collect();
        self.0.text_with(key, &values)
    }
}
