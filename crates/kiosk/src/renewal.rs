//! The way to central, and the terminal's certificate on it: asked for anew in the last third of its life, with a new
//! key. The old one stays good until the new one was used, so a power cut at any moment leaves one that is.

use crate::KioskError;
use crate::config::Config;
use crate::desk::Desk;
use crate::enrolment::identity_of;
use crate::terminal_keys::{FromParcel, Kept, KeysHome, TlsPair, signing_request};
use domain::TerminalId;
use protocol::{Central, Enrolment, Problem, ProblemCode};
use std::time::Duration;
use sync::{FeedServer, HttpCentral, Sealing, WallClock};

/// Between two looks at the certificate's age.
const LOOK: Duration = Duration::from_secs(3_600);

/// A line to central, and what keeps its certificate fresh.
pub(crate) struct Line {
    pub(crate) central: HttpCentral,
    /// A static server with a copy of the feed.
    pub(crate) mirror: Option<FeedServer>,
    pub(crate) renewal: Option<Renewal>,
    /// The terminal's own keys, on the thread that changes them; `None` where it has none.
    pub(crate) keys: Option<Desk<KeysHome>>,
    /// What the newest parcel brought.
    pub(crate) parcel: Option<FromParcel>,
}

/// Renews the certificate of one terminal.
pub(crate) struct Renewal {
    central: HttpCentral,
    keys: Desk<KeysHome>,
    terminal: TerminalId,
    authorities: Vec<Vec<u8>>,
    clock: WallClock,
}

fn wrong(config: &Config, message: impl std::fmt::Display) -> KioskError {
    KioskError::Configuration { path: config.enrolment.clone(), at: None, message: format!("central: {message}") }
}

fn mirror_of(config: &Config, central: &HttpCentral) -> Result<Option<FeedServer>, KioskError> {
    let mirror = config.sync.mirror.as_deref().map(|base| FeedServer::beside(central, base)).transpose();
    mirror.map_err(|problem| KioskError::Configuration {
        path: "[sync] mirror".into(),
        at: None,
        message: problem.detail,
    })
}

impl Line {
    /// The line that the enrolment names: TLS with the terminal's certificate, or plain HTTP on this machine.
    ///
    /// # Errors
    /// `Configuration` when the address, the certificate or the keys cannot be used.
    pub(crate) fn open(config: &Config, bundle: &Enrolment, clock: WallClock) -> Result<Self, KioskError> {
        if !bundle.has_certificate() {
            let central = HttpCentral::new(&bundle.central, bundle.access_token.clone(), &config.sync);
            let central = central.map_err(|problem| wrong(config, problem.detail))?;
            let mirror = mirror_of(config, &central)?;
            return Ok(Self { central, mirror, renewal: None, keys: None, parcel: None });
        }
        let home = KeysHome::of(config, bundle.terminal);
        let mut kept = home.read()?;
        if kept.promote() {
            home.write(&kept)?;
        }
        let parcel = kept.parcel.take();
        let own = kept.own.ok_or_else(|| wrong(config, "the terminal's own keys are gone: enrol it anew"))?;
        let identity = identity_of(&own.tls, &bundle.authorities).map_err(|error| wrong(config, error))?;
        let central = HttpCentral::enrolled(&bundle.central, &identity, &config.sync, clock);
        let central = central.map_err(|problem| wrong(config, problem.detail))?;
        let mirror = mirror_of(config, &central)?;
        let to = bundle.central_key.ok_or_else(|| wrong(config, "the enrolment has no key of central's"))?;
        let central = central.with_sealing(Sealing::new(&bundle.city, bundle.terminal, &own.signing, to));
        let (terminal, authorities) = (bundle.terminal, bundle.authorities.clone());
        let keys = Desk::start("keys", home)?;
        let renewal = Renewal { central: central.clone(), keys: keys.clone(), terminal, authorities, clock };
        Ok(Self { central, mirror, renewal: Some(renewal), keys: Some(keys), parcel })
    }
}

impl Renewal {
    /// Looks for ever, and renews when it is time.
    pub(crate) async fn run(self) {
        loop {
            match self.look().await {
                Ok(true) => tracing::info!("the terminal's certificate was renewed"),
                Ok(false) => {}
                Err(problem) => tracing::warn!(code = %problem.failure(), %problem, "the certificate was not renewed"),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Renews the certificate if it is time; whether it did.
    ///
    /// # Errors
    /// `Problem` when central refuses or is not there, or the keys cannot be kept: the old certificate stays.
    pub(crate) async fn look(&self) -> Result<bool, Problem> {
        let mut kept = self.with_keys(KeysHome::read).await?;
        if kept.renewal_due().is_none_or(|due| self.clock.now() < due) {
            return Ok(false);
        }
        let next = match kept.next.take().filter(|next| next.certificate.is_some()) {
            // It came, and could not be shown yet.
            Some(next) => next,
            None => self.certified().await?,
        };
        let identity = identity_of(&next, &self.authorities).map_err(inside)?;
        // On the disk before it is shown: shown, it ends the old one.
        let central = self.central.clone();
        let shown = self.with_keys(move |home| {
            home.change(|kept| kept.next = Some(next))?;
            Ok(central.change_identity(&identity))
        });
        shown.await??;
        self.central.head().await?;
        self.with_keys(|home| home.change(Kept::promote)).await
    }

    /// A new key with its certificate.
    async fn certified(&self) -> Result<TlsPair, Problem> {
        let (mut next, pair) = TlsPair::make().map_err(inside)?;
        let request = signing_request(self.terminal, &pair).map_err(inside)?;
        next.certificate = Some(self.central.renew(self.terminal, request).await?);
        Ok(next)
    }

    async fn with_keys<R: Send + 'static>(
        &self,
        work: impl FnOnce(&KeysHome) -> Result<R, KioskError> + Send + 'static,
    ) -> Result<R, Problem> {
        let done = self.keys.call(|home| work(home)).await;
        done.ok_or_else(|| inside("the kiosk is ending"))?.map_err(inside)
    }
}

fn inside(error: impl std::fmt::Display) -> Problem {
    Problem::new(ProblemCode::Internal, error.to_string())
}
