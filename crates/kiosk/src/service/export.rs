//! What a technician carries away: the overview and the logs, readable, and the outbox, sealed for central.

use super::Service;
use super::overview::moment;
use crate::desk::Desk;
use crate::journal::JournalDesk;
use crate::logfile;
use crate::machine::Input;
use crate::usb::Stick;
use domain::service::{Export, ExportError, ServiceEvent};
use domain::{TerminalId, Timestamp};
use protocol::{Enrolment, EpochKey, ExportHeader, ExportSealer, HpkePublic};
use session::Event;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Journal, Unsent};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

/// Uploads that are read from the journal at once.
const PAGE: u32 = 16;

/// What the outbox is sealed with; central has what opens it.
#[derive(Clone)]
pub(crate) struct Sealing {
    to: To,
    token_sha256: Zeroizing<[u8; 32]>,
    /// What signs the uploads of a terminal that has keys of its own.
    uploads: Option<Arc<sync::Sealing>>,
}

/// To whom.
#[derive(Clone)]
enum To {
    /// To central's public key.
    Central(HpkePublic),
    /// To the fleet's newest epoch key: the enrolment is of before central had a public key.
    Epoch(EpochKey),
    /// The enrolment has neither.
    Nobody,
}

impl Sealing {
    /// Of the enrolment: central's public key, and what stands for its access token; with what signs uploads.
    pub(crate) fn of(enrolment: &Enrolment, uploads: Option<&Arc<sync::Sealing>>) -> Self {
        let to = match (enrolment.central_key, enrolment.epoch_keys.first()) {
            (Some(central), _) => To::Central(central),
            (None, Some(epoch)) => To::Epoch(epoch.clone()),
            (None, None) => To::Nobody,
        };
        let token_sha256 = Zeroizing::new(protocol::export::token_sha256(&enrolment.access_token));
        Self { to, token_sha256, uploads: uploads.cloned() }
    }

    /// Of a terminal that can seal nothing.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self { to: To::Nobody, token_sha256: Zeroizing::new([0; 32]), uploads: None }
    }

    /// The header of an export, and what seals the frames behind it.
    fn begin(&self, terminal: TerminalId, made: Timestamp) -> io::Result<(ExportHeader, ExportSealer)> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let (header, secret) = match &self.to {
            To::Central(key) => ExportHeader::to_central(terminal, made, key, random).map_err(io::Error::other)?,
            To::Epoch(epoch) => (ExportHeader::to_epoch(terminal, made, epoch.epoch, random), epoch.key.clone()),
            To::Nobody => return Err(io::Error::other("the enrolment has no key to seal to")),
        };
        let header = if self.uploads.is_some() { header.signed() } else { header };
        let sealer = ExportSealer::new(&header, &secret, &self.token_sha256).map_err(io::Error::other)?;
        Ok((header, sealer))
    }

    /// The frame of one upload.
    fn frame(&self, sealer: &mut ExportSealer, upload: &[u8]) -> io::Result<Vec<u8>> {
        let frame = match &self.uploads {
            Some(uploads) => sealer.seal_signed(&uploads.signer().signed(upload.to_vec())),
            None => sealer.seal(upload),
        };
        frame.map_err(io::Error::other)
    }
}

/// How long a stick is written. The session waits for four minutes.
const WRITING_MAX: Duration = Duration::from_secs(200);
/// What a stick that hangs may take beyond that to say so.
const HANGING_MAX: Duration = Duration::from_secs(15);

/// The one export that may be under way.
#[derive(Default)]
pub(crate) struct Exporter(Option<JoinHandle<()>>);

impl Exporter {
    /// Writes in a thread of its own, since a stick may hang for ever, and says within `limit` what came of it. While
    /// one hangs, none is begun.
    pub(super) fn begin(
        &mut self,
        limit: Duration,
        write: impl FnOnce() -> Result<Export, ExportError> + Send + 'static,
        say: impl FnOnce(Result<Export, ExportError>) + Send + 'static,
    ) {
        if self.0.as_ref().is_some_and(|writing| !writing.is_finished()) {
            tracing::warn!("an export is under way still: none is begun");
            return say(Err(ExportError::Failed));
        }
        let (done, ended) = oneshot::channel();
        self.0 = Some(tokio::task::spawn_blocking(move || {
            // Nobody waits any more for a stick that hung.
            let _ = done.send(write());
        }));
        tokio::spawn(async move {
            let exported = timeout(limit, ended).await.unwrap_or_else(|_| {
                tracing::warn!("the USB stick does not answer: the export is given up");
                Ok(Err(ExportError::Failed))
            });
            say(exported.unwrap_or(Err(ExportError::Failed)));
        });
    }
}

impl Service {
    /// Begins an export; an event says what came of it.
    pub(super) async fn export(&mut self, until: Instant) {
        let inputs = self.inputs.clone();
        let say = move |exported| {
            tracing::info!(?exported, "the technician exported logs and outbox");
            inputs.send(Input::Event(Event::Service(ServiceEvent::Exported(exported))));
        };
        match timeout_at(until, self.overview_json()).await {
            Ok(Ok(overview)) => {
                let write = self.writing(overview);
                self.exporter.begin(WRITING_MAX + HANGING_MAX, write, say);
            }
            _ => say(Err(ExportError::Failed)),
        }
    }

    fn writing(&self, overview: Vec<u8>) -> impl FnOnce() -> Result<Export, ExportError> + Send + 'static {
        let now = self.clock.now().wall;
        let (config, name) = (self.config.clone(), name(self.terminal, now));
        let outbox = Outbox {
            terminal: self.terminal,
            now,
            sealing: self.sealing.clone(),
            journal: self.journal.clone(),
            runtime: Handle::current(),
        };
        let logs = logfile::files(&self.data);
        let until = std::time::Instant::now() + WRITING_MAX;
        move || {
            let mut stick = Stick::begin(&config, &name, until)?;
            stick.file("outbox.sealed", |out| outbox.write(out))?;
            stick.file("overview.json", |out| out.write_all(&overview))?;
            for log in logs {
                copy(&mut stick, &log)?;
            }
            stick.finish()
        }
    }
}

/// The folder's name on the stick: `citizen-kiosk-07-20261122T155500Z`.
fn name(terminal: TerminalId, now: Timestamp) -> String {
    let moment: String = moment(now).split('.').next().unwrap_or_default().replace(['-', ':', 'Z'], "");
    format!("citizen-kiosk-{:02}-{moment}Z", terminal.0)
}

/// A log that was given up meanwhile is no reason to fail.
fn copy(stick: &mut Stick, log: &Path) -> Result<(), ExportError> {
    let Some(name) = log.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
    match std::fs::File::open(log) {
        Ok(mut file) => stick.file(name, |out| io::copy(&mut file, out).map(drop)),
        Err(error) => {
            tracing::info!(%error, name, "a log was not exported");
            Ok(())
        }
    }
}

/// The outbox on its way to the stick, page by page: the journal's thread is never kept long.
struct Outbox {
    terminal: TerminalId,
    now: Timestamp,
    sealing: Sealing,
    journal: JournalDesk,
    runtime: Handle,
}

impl Outbox {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (header, mut sealer) = self.sealing.begin(self.terminal, self.now)?;
        out.write_all(&header.encode())?;
        let mut after = 0;
        loop {
            let page = self.page(after)?;
            let Some(last) = page.last() else { break };
            after = last.position;
            for unsent in page {
                let upload = Zeroizing::new(unsent.bytes);
                out.write_all(&self.sealing.frame(&mut sealer, &upload)?)?;
            }
        }
        out.write_all(&sealer.finish().map_err(io::Error::other)?)
    }

    fn page(&self, after: i64) -> io::Result<Vec<Unsent>> {
        let page = Desk::<Journal>::call(&self.journal, move |journal| journal.outbox_unsent(after, PAGE));
        match self.runtime.block_on(page) {
            Some(page) => page.map_err(io::Error::other),
            None => Err(io::Error::other("the journal's thread has ended")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{ClaimEvidence, ExportForm, ExportReader, HpkeSecret, Secret32, Upload, UploadBody};
    use std::sync::mpsc::channel;
    use store::JournalKey;

    #[test]
    fn a_stick_that_hangs_is_given_up_in_time_and_blocks_no_later_export_once_it_goes_on() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _inside = runtime.enter();
        let (mut exporter, (said, heard)) = (Exporter::default(), channel());
        let say = |name| {
            let said = said.clone();
            move |exported| said.send((name, exported)).unwrap()
        };
        let wrote = Export { files: 1, bytes: 2 };
        let (go_on, hanging) = channel::<()>();
        let hang = move || {
            let _ = hanging.recv();
            Ok(wrote)
        };
        exporter.begin(Duration::from_millis(20), hang, say("hanging"));
        assert_eq!(heard.recv().unwrap(), ("hanging", Err(ExportError::Failed)));
        exporter.begin(Duration::from_secs(60), move || Ok(wrote), say("second"));
        assert_eq!(heard.recv().unwrap(), ("second", Err(ExportError::Failed)), "none beside one that hangs");
        drop(go_on);
        runtime.block_on(exporter.0.take().unwrap()).unwrap();
        exporter.begin(Duration::from_secs(60), move || Ok(wrote), say("third"));
        assert_eq!(heard.recv().unwrap(), ("third", Ok(wrote)), "what the first wrote late is not said");
    }

    #[test]
    fn a_folder_on_a_stick_says_whose_and_when_and_any_file_system_takes_it() {
        assert_eq!(name(TerminalId(7), Timestamp(1_795_345_200_123)), "citizen-kiosk-07-20261122T110000Z");
        assert_eq!(name(TerminalId(1_234), Timestamp(0)), "citizen-kiosk-1234-19700101T000000Z");
    }

    #[test]
    fn the_outbox_is_sealed_whole_over_many_pages_and_opens_with_what_central_has() {
        let (folder, now) = (tempfile::tempdir().unwrap(), Timestamp(1_795_345_200_000));
        let path = folder.path().join("journal.db");
        let mut journal =
            store::Journal::open(&path, &JournalKey::random().unwrap(), TerminalId(7), now).unwrap().journal;
        let count = u64::from(PAGE) * 2 + 3;
        for card in 0..count {
            let evidence = ClaimEvidence { card, generation: 1, top_up: [1; 16], purse: None, records: vec![] };
            journal.enqueue(UploadBody::ClaimEvidence(evidence), now).unwrap();
        }
        let central = HpkeSecret::new([5; 32]);
        let token_sha256 = protocol::export::token_sha256(&Secret32::new([6; 32]));
        let to = To::Central(central.public().unwrap());
        let signing = Secret32::new([8; 32]);
        let uploads = sync::Sealing::new("bahia", TerminalId(7), &signing, central.public().unwrap());
        let sealing = Sealing { to, token_sha256: Zeroizing::new(token_sha256), uploads: Some(Arc::new(uploads)) };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let outbox = Outbox {
            terminal: TerminalId(7),
            now,
            sealing,
            journal: Desk::start("journal", journal).unwrap(),
            runtime: runtime.handle().clone(),
        };
        let (mut file, mut again) = (Vec::new(), Vec::new());
        outbox.write(&mut file).unwrap();
        outbox.write(&mut again).unwrap();
        assert_ne!(file, again, "each export has a key of its own");

        let (header, frames) = ExportHeader::decode(&file).unwrap();
        assert_eq!((header.terminal, header.made), (TerminalId(7), now));
        let secret = header.secret_of_central(&central).unwrap();
        let signer = protocol::UploadSigner::new(TerminalId(7), &signing);
        let cards: Vec<u64> = ExportReader::new(&header, frames, &secret, &token_sha256)
            .unwrap()
            .map(|frame| protocol::export::read_signed(&frame.unwrap()).unwrap())
            .inspect(|signed| assert_eq!(signed.signature, signer.sign(&signed.bytes)))
            .map(|signed| match Upload::decode(&signed.bytes).unwrap().body {
                UploadBody::ClaimEvidence(evidence) => evidence.card,
                other => panic!("{}", other.name()),
            })
            .collect();
        assert_eq!(cards, (0..count).collect::<Vec<_>>());
    }

    #[test]
    fn an_older_enrolment_seals_to_the_epoch_and_one_without_keys_not_at_all() {
        let epoch = EpochKey { epoch: 4, key: Secret32::new([5; 32]) };
        let begin = |to| Sealing { to, ..Sealing::none() }.begin(TerminalId(7), Timestamp(1));
        let (header, _) = begin(To::Epoch(epoch)).unwrap();
        assert!(matches!(header.form, ExportForm::Epoch { epoch: 4, .. }));
        assert!(begin(To::Nobody).is_err());
    }
}
