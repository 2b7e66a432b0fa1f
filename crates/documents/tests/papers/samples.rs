//! Invented people and their papers, in the city's own words and with its own emblem.

use documents::{ClaimData, Emblem, Issuer, PaymentLines, Purpose, ReceiptData, VolanteData, Words};
use domain::device::{CardEntry, PayerCheck};
use domain::service::{Readiness, ReadinessRow};
use domain::{DocumentCode, Timestamp};
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};

pub(crate) const EMBLEM: &[u8] = include_bytes!("../../../../assets/city-packs/bahia/emblem.svg");
const PAPER: &str = include_str!("../../../../locales/es/paper.ftl");

/// The real Spanish texts; a key or argument that is missing fails the test.
pub(crate) struct Spanish(FluentBundle<FluentResource>);

impl Spanish {
    pub(crate) fn new() -> Self {
        let resource = FluentResource::try_new(PAPER.to_owned()).expect("paper.ftl parses");
        let mut bundle = FluentBundle::new(vec!["es".parse().unwrap()]);
        bundle.add_resource(resource).expect("each key once");
        Self(bundle)
    }
}

impl Words for Spanish {
    fn language(&self) -> &str {
        "es-ES"
    }

    fn text(&self, key: &str, args: &[(&str, &str)]) -> String {
        let message = self.0.get_message(key).unwrap_or_else(|| panic!("no {key}"));
        let mut given = FluentArgs::new();
        for (name, value) in args {
            given.set(*name, *value);
        }
        let mut errors = Vec::new();
        let text = self.0.format_pattern(message.value().unwrap(), Some(&given), &mut errors).into_owned();
        assert!(errors.is_empty(), "{key}: {errors:?}");
        text
    }
}

pub(crate) fn issuer() -> Issuer {
    Issuer {
        city: "Ciudad de la Bahía".to_owned(),
        office: "Padrón municipal de habitantes".to_owned(),
        emblem: Emblem::from_svg(EMBLEM).unwrap(),
        telephone: "985 000 000".to_owned(),
        tax_number: "P3300000X".to_owned(),
        terminal: "07".to_owned(),
        place: "Plaza de la Pescadería".to_owned(),
    }
}

pub(crate) const CREATED: Timestamp = Timestamp(1_789_003_265_000);
pub(crate) const CODE: DocumentCode =
    DocumentCode([0x5e, 0x21, 0x90, 0xaf, 0x03, 0x6c, 0xd8, 0x77, 0x1b, 0x42, 0xe5, 0x99, 0x0d, 0xc6, 0x3a, 0xf4]);

pub(crate) fn volante_data() -> VolanteData {
    VolanteData {
        issuer: issuer(),
        name: "Begoña Ḷḷanes del Puertu Riaño".to_owned(),
        identity_number: "00000000T".to_owned(),
        birth_date: "3 de mayo de 1957".to_owned(),
        address: "Calle de la Atalaya, 14, 3.º B".to_owned(),
        locality: "33999 Ciudad de la Bahía".to_owned(),
        district: "Distrito 02 · Sección 014".to_owned(),
        registered_since: "19 de octubre de 1988".to_owned(),
        data_date: "9 de septiembre de 2026".to_owned(),
        issued_at: "10 de septiembre de 2026, 3:21".to_owned(),
        valid_until: "10 de diciembre de 2026".to_owned(),
        offline: false,
        code: CODE,
        check_url: "https://bahia.example/csv/".to_owned(),
        created: CREATED,
    }
}

fn card_office() -> Issuer {
    Issuer { office: "Oficina de la Tarjeta Ciudadana".to_owned(), ..issuer() }
}

pub(crate) fn receipt_data() -> ReceiptData {
    ReceiptData {
        purpose: Purpose::TopUp,
        issuer: card_office(),
        completed_at: "10 de septiembre de 2026, 3:21".to_owned(),
        top_up: "7F3A-19C2".to_owned(),
        card_last_four: "4821".to_owned(),
        before: "12,35\u{a0}€".to_owned(),
        amount: "20,00\u{a0}€".to_owned(),
        after: "32,35\u{a0}€".to_owned(),
        product_code: "M01".to_owned(),
        payment: PaymentLines {
            scheme: "Visa Débito".to_owned(),
            masked_pan: "**** **** **** 1117".to_owned(),
            entry: CardEntry::Contactless,
            check: PayerCheck::Pin,
            application: "A0000000031010".to_owned(),
            authorisation: "529713".to_owned(),
            terminal: "65000042".to_owned(),
            trace: "000318".to_owned(),
            receipt: "0117".to_owned(),
            notes: vec!["Operación contactless. Firma no necesaria.".to_owned()],
        },
        created: CREATED,
    }
}

pub(crate) fn claim_data() -> ClaimData {
    ClaimData {
        issuer: card_office(),
        claim_code: "K7M-4QX-92".to_owned(),
        amount: "20,00\u{a0}€".to_owned(),
        happened_at: "10 de septiembre de 2026, 3:21".to_owned(),
        top_up: "7F3A-19C2".to_owned(),
        card_last_four: "4821".to_owned(),
        payment_receipt: Some("0117".to_owned()),
        created: CREATED,
    }
}

pub(crate) fn readiness_data() -> Readiness {
    let row = |label: &str, verdict: &str, note: &str| ReadinessRow {
        label: label.to_owned(),
        verdict: verdict.to_owned(),
        note: note.to_owned(),
    };
    Readiness {
        title: "Informe de estado".to_owned(),
        lines: vec![
            "Terminal 07 · Plaza de la Pescadería".to_owned(),
            "10 de septiembre de 2026, 3:21".to_owned(),
            "Programa 0.1.0".to_owned(),
        ],
        rows: vec![
            row("Lector de tarjetas", "Funciona", "Leyó la tarjeta de servicio."),
            row("Terminal de pago", "No funciona (P-01)", "Revise el cable y la corriente del terminal de pago."),
            row("Impresora", "Funciona", "Lista para imprimir."),
            row("Sonido", "Funciona", "La persona técnica lo oyó."),
            row("Conexión", "Funciona", "Respondió en 12 ms. El reloj va bien."),
        ],
        verdict: "El terminal no está listo.".to_owned(),
        signature: "Firma de la persona técnica".to_owned(),
    }
}
