//! Where a card's credit key comes from: out of its own record, or from central, which is asked while the card waits.

use super::entropy;
use crate::key_line::{ClassicOrder, KeyLine, RekeyLine, Sight};
use card::CreditKeys;
use card::classic::ClassicIssuer;
use domain::city_pack::ClassicLayout;
use domain::device::CreditOrder;
use keys::remote::{self, RemoteKeys};
use keys::{AesKey, KeyRole, OneKey};
use protocol::card_keys::CardKeyHolder;
use zeroize::Zeroizing;

/// The keys that central holds. What comes of it blocks until central answers, its time is over, or the card has left.
pub(crate) trait Issuer: Send {
    /// The way to the credit keys of DESFire cards.
    fn line(&self, sight: Sight) -> Box<dyn remote::KeyLine>;
    /// Keys and seals of one MIFARE Classic card, for this top-up or for none.
    fn classic(&self, layout: ClassicLayout, top_up: Option<ClassicOrder>, sight: Sight) -> Box<dyn ClassicIssuer>;
    /// The way to the newest read key. Its answers are not waited for.
    fn rekeying(&self) -> &dyn RekeyLine;
}

impl<C: CardKeyHolder + Send + Sync + 'static> Issuer for KeyLine<C> {
    fn line(&self, sight: Sight) -> Box<dyn remote::KeyLine> {
        Box::new(self.clone().in_sight(sight))
    }

    fn classic(&self, layout: ClassicLayout, top_up: Option<ClassicOrder>, sight: Sight) -> Box<dyn ClassicIssuer> {
        Box::new(KeyLine::classic(&self.clone().in_sight(sight), layout, top_up))
    }

    fn rekeying(&self) -> &dyn RekeyLine {
        self
    }
}

/// The credit key of one card, for one proof or one credit.
pub(super) enum Held {
    Own(OneKey),
    Central(RemoteKeys<Box<dyn remote::KeyLine>>),
    Classic(Box<dyn ClassicIssuer>),
}

impl Held {
    /// A card's own key.
    pub(super) fn own(key: &Zeroizing<[u8; 16]>) -> Self {
        Self::Own(OneKey::new(KeyRole::Credit, AesKey::new(**key), entropy()))
    }

    pub(super) fn central(issuer: &dyn Issuer, sight: Sight) -> Self {
        Self::Central(RemoteKeys::new(KeyRole::Credit, issuer.line(sight)))
    }

    pub(super) fn keys(&mut self) -> CreditKeys<'_> {
        match self {
            Self::Own(key) => CreditKeys::Desfire(key),
            Self::Central(keys) => CreditKeys::Desfire(keys),
            Self::Classic(issuer) => CreditKeys::Classic(issuer.as_mut()),
        }
    }
}

/// What central must know of a credit before it seals it.
pub(super) fn of_order(order: &CreditOrder) -> Option<ClassicOrder> {
    let counter = order.counter_seen.checked_add(1)?;
    Some(ClassicOrder { top_up: order.top_up, amount: order.amount, counter })
}
