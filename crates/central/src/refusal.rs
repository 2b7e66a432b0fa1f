//! Why the office's wish is not done now: each with a stable code, the reason with what to do next, and the same for the
//! pages.

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A name that no account may have.
    AccountName,
    /// The name is another account's, also of a disabled one: the log of acts names it for ever.
    AccountTaken,
    /// No account has this name.
    AccountUnknown,
    /// The password is too short or too long.
    PasswordLength,
    /// The password is made of the account's own name, or of one character.
    PasswordWeak,
    /// Name and password do not belong together.
    LogIn,
    /// Too many wrong passwords from there; seconds to wait.
    TooSoon(i64),
    /// No card has this number and generation.
    CardUnknown,
    /// The number belongs to somebody.
    CardTaken,
    /// A MIFARE Classic card holds no sealed records.
    CardClassic,
    /// Another card of this holder is active, or ordered.
    HolderHasCard,
    /// Nobody has this identity number.
    HolderUnknown,
    /// The holder is in the city no more.
    HolderMoved,
    /// The card is blocked or replaced.
    CardInactive,
    /// The card is not blocked.
    CardNotBlocked,
    /// Others know of the block already.
    BlockIsOut,
    /// The number has a newer card.
    CardReplaced,
    /// A debit of the old card may still come.
    BalanceNotDue,
    /// No balance of this card waits.
    BalanceUnknown,
    /// Not this many digits.
    PinLength,
    /// Easily guessed.
    PinWeak,
    /// Typed differently.
    PinDiffers,
    /// No further version fits on the card.
    PinVersions,
    /// More holders would go than one file may take away.
    TooManyMissing,
    /// Lines were rejected whose holder is not known: who is missing cannot be said.
    LinesUnread,
    /// The form is not from this session.
    FormForeign,
    /// A field of the form is empty or unreadable.
    FormField,
}

impl std::error::Error for Refusal {}

/// The code, and the words for the command line.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code(), self.words().0)?;
        if let Self::TooSoon(seconds) = self { write!(f, " ({seconds} seconds)") } else { Ok(()) }
    }
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AccountName => "account-name",
            Self::AccountTaken => "account-taken",
            Self::AccountUnknown => "account-unknown",
            Self::PasswordLength => "password-length",
            Self::PasswordWeak => "password-weak",
            Self::LogIn => "log-in",
            Self::TooSoon(_) => "too-soon",
            Self::CardUnknown => "card-unknown",
            Self::CardTaken => "card-taken",
            Self::CardClassic => "card-classic",
            Self::HolderHasCard => "holder-has-card",
            Self::HolderUnknown => "holder-unknown",
            Self::HolderMoved => "holder-moved",
            Self::CardInactive => "card-inactive",
            Self::CardNotBlocked => "card-not-blocked",
            Self::BlockIsOut => "block-is-out",
            Self::CardReplaced => "card-replaced",
            Self::BalanceNotDue => "balance-not-due",
            Self::BalanceUnknown => "balance-unknown",
            Self::PinLength => "pin-length",
            Self::PinWeak => "pin-weak",
            Self::PinDiffers => "pin-differs",
            Self::PinVersions => "pin-versions",
            Self::TooManyMissing => "too-many-missing",
            Self::LinesUnread => "lines-unread",
            Self::FormForeign => "form-foreign",
            Self::FormField => "form-field",
        }
    }

    /// Reason and next step, in English for the command line and in Spanish for the pages.
    #[must_use]
    pub fn words(&self) -> (&'static str, &'static str) {
        self.account_words().or_else(|| self.card_words()).unwrap_or_else(|| self.other_words())
    }

    fn account_words(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::AccountName => (
                "a name is 2 to 32 small letters, digits, dots or hyphens: choose another one",
                "El nombre tiene de 2 a 32 letras minúsculas, cifras, puntos o guiones. Elija otro.",
            ),
            Self::AccountTaken => {
                ("the name is taken, perhaps by a disabled account: choose another one", "Ese nombre ya existe.")
            }
            Self::AccountUnknown => ("there is no such account: see `account list`", "Esa cuenta no existe."),
            Self::PasswordLength => (
                "a password has 12 to 128 characters: take several words",
                "La contraseña tiene de 12 a 128 caracteres. Use varias palabras.",
            ),
            Self::PasswordWeak => (
                "the password is the name, or one character again and again: take several words",
                "La contraseña contiene el nombre o repite un solo carácter. Use varias palabras.",
            ),
            Self::LogIn => (
                "name and password do not belong together",
                "El nombre o la contraseña no son correctos, o la cuenta está cerrada.",
            ),
            Self::TooSoon(_) => (
                "too many wrong passwords from here: wait",
                "Demasiados intentos fallidos desde este equipo. Espere antes de volver a intentarlo.",
            ),
            _ => return None,
        })
    }

    fn card_words(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::CardUnknown => (
                "no card has this number: look at what is printed on it, or register it at the card office first",
                "Ninguna tarjeta tiene ese número. Compruebe el número impreso o regístrela primero.",
            ),
            Self::CardTaken => (
                "the number belongs to somebody else, or to a service card: take another card",
                "Ese número ya pertenece a otra persona. Use otra tarjeta.",
            ),
            Self::CardClassic => (
                "a MIFARE Classic card holds no records: give a DESFire card",
                "Una tarjeta MIFARE Classic no admite registros. Entregue una tarjeta DESFire.",
            ),
            Self::HolderHasCard => (
                "the holder has an active or ordered card: block or replace that one",
                "La persona ya tiene una tarjeta activa o encargada. Bloquéela o sustitúyala.",
            ),
            Self::HolderUnknown => (
                "nobody has this identity number: import the register first",
                "Nadie consta con ese documento. Importe antes el padrón.",
            ),
            Self::HolderMoved => (
                "the holder is in the city's register no more: import the register first",
                "La persona consta como baja en el padrón. Importe antes el padrón.",
            ),
            Self::CardInactive => (
                "the card is blocked or replaced: make a new one",
                "La tarjeta está bloqueada o sustituida. Haga una nueva.",
            ),
            Self::CardNotBlocked => ("the card is not blocked", "La tarjeta no está bloqueada."),
            Self::BlockIsOut => (
                "terminals, validators or the finance office act on the block already: replace the card",
                "El bloqueo ya ha salido hacia terminales o validadores. Sustituya la tarjeta.",
            ),
            Self::CardReplaced => (
                "the number has a newer card: name that one's generation",
                "El número tiene ya una tarjeta más nueva. Indique su generación.",
            ),
            Self::BalanceNotDue => (
                "a validator may still bring a debit of the old card: wait until the day that is shown",
                "Aún puede llegar un cargo de la tarjeta antigua. Espere al día indicado.",
            ),
            Self::BalanceUnknown => {
                ("no balance of this card waits to be moved", "Ningún saldo de esa tarjeta espera traspaso.")
            }
            _ => return None,
        })
    }

    fn other_words(&self) -> (&'static str, &'static str) {
        match self {
            Self::PinLength => (
                "the PIN has another number of digits in this city",
                "El PIN no tiene el número de cifras de esta ciudad.",
            ),
            Self::PinWeak => (
                "the PIN is easily guessed (one digit repeated, a row, a date of birth): choose another one",
                "El PIN es fácil de adivinar (cifra repetida, serie o fecha de nacimiento). Elija otro.",
            ),
            Self::PinDiffers => ("the two PINs differ: type it again", "Los dos PIN no coinciden. Escríbalo otra vez."),
            Self::PinVersions => {
                ("the card has had 255 PINs: replace the card", "La tarjeta ha tenido 255 PIN. Sustituya la tarjeta.")
            }
            Self::TooManyMissing => (
                "more holders would go than the limit allows: look at the file, or raise --removals-max-percent",
                "Desaparecerían más personas de las permitidas. Revise el fichero.",
            ),
            Self::LinesUnread => (
                "some rejected lines name nobody, so nobody can be called missing: correct the file first",
                "Hay líneas rechazadas sin persona reconocible. Corrija antes el fichero.",
            ),
            Self::FormForeign => (
                "the form is not of this session: load the page again",
                "El formulario no es de esta sesión. Vuelva a cargar la página.",
            ),
            _ => (
                "a field is empty or unreadable: fill it in again",
                "Falta un dato o no se entiende. Rellénelo otra vez.",
            ),
        }
    }
}
