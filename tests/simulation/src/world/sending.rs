//! The outbox on its way to central: uploads taken, replies lost, and what comes twice.

use super::claims::ORDER_MS;
use super::kiosk::What;
use super::street::{Death, Street, Struck};
use crate::bugs::Bug;
use crate::fault::Fault;
use crate::point::{Cut, Deed, Point};
use domain::card::{CardReport, CityOrder};
use protocol::{CardSeen, IdempotencyKey, Upload, UploadBody};
use session::Event;
use store::{OutboxItem, Unsent};

/// How many uploads go in one turn.
const TURN: u32 = 64;

impl Street<'_> {
    pub(super) fn report(&mut self, at: usize, report: &CardReport) {
        let wall = self.now(at).wall;
        let Some(process) = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.process.as_mut()) else { return };
        let body = UploadBody::CardSeen(CardSeen::from(report));
        if let Err(error) = process.journal.enqueue(body, wall)
            && error.is_fatal()
        {
            return self.die(at, Death::Kill);
        }
        self.send_soon(at);
    }

    /// A terminal that talks sends what is new soon after.
    pub(super) fn send_soon(&mut self, at: usize) {
        let Some(kiosk) = self.kiosks.get(at).filter(|kiosk| kiosk.online && self.plan.talks) else { return };
        if !kiosk.queue.iter().any(|due| matches!(due.what, What::Send)) {
            self.put(at, 250, What::Send);
        }
    }

    /// Sends what waits, as far as central can be reached and nothing goes wrong.
    pub fn upload(&mut self, at: usize) {
        let Some(kiosk) = self.kiosks.get_mut(at).filter(|kiosk| kiosk.online) else { return };
        let Some(process) = &mut kiosk.process else { return };
        let items = process.journal.outbox_next(TURN).unwrap_or_default();
        for item in items {
            if !self.send(at, &item) {
                return;
            }
        }
        // Receipts wait for the next commit; at times there is none for so long that they are written by themselves.
        if self.dice.one_in(2) {
            self.flush(at);
        }
    }

    fn flush(&mut self, at: usize) {
        let Some(process) = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.process.as_mut()) else { return };
        if let Err(error) = process.journal.outbox_flush()
            && error.is_fatal()
        {
            self.die(at, Death::Kill);
        }
    }

    /// One upload; `false` when the turn is over.
    fn send(&mut self, at: usize, item: &OutboxItem) -> bool {
        let struck = self.point(at, Point::deed(Deed::Upload, Cut::Undone));
        if struck == Struck::Dead {
            return false;
        }
        if struck == Struck::Wrong(Fault::UploadRefused) {
            return self.refused(at, item);
        }
        let wall = self.now(at).wall;
        let early = self.bug == Some(Bug::ReceiptBeforeServer);
        if early && !self.settle(at, &item.bytes, item.key) {
            return false;
        }
        let lost_on_the_way = early && self.dice.one_in(4);
        let sent = self.as_sent(item);
        let answer = if lost_on_the_way { None } else { self.central.take(&sent, wall) };
        let (receipt, order) = answer.map_or((None, None), |(receipt, order)| (Some(receipt), order));
        self.tell(|| format!("terminal {}: central takes an upload ({})", at + 1, item.kind));
        match self.point(at, Point::deed(Deed::Upload, Cut::Unanswered)) {
            Struck::Dead => return false,
            Struck::Wrong(Fault::ReplyLost) => return self.attempted(at, item.key),
            Struck::Wrong(Fault::UploadDoubled)
                if self.central.take(&sent, wall).map(|(receipt, _)| receipt) != receipt =>
            {
                self.breaks("central answered a repeat otherwise than the first time".to_owned());
            }
            _ => {}
        }
        if let Some(order) = order {
            self.say(at, 30, Event::CityOrder(self.as_told(order)), None);
        }
        let Some(process) = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.process.as_mut()) else { return false };
        if let Some(receipt) = receipt.filter(|_| !early)
            && let Err(error) = process.journal.outbox_settle_later(receipt)
            && error.is_fatal()
        {
            self.die(at, Death::Kill);
            return false;
        }
        self.point(at, Point::deed(Deed::Upload, Cut::Untaken)) != Struck::Dead
    }

    /// An order as the kiosk hears it: a deliberate mistake overlooks when it ends.
    pub(super) fn as_told(&self, order: CityOrder) -> CityOrder {
        let ever = order.expires.plus_ms(1_000 * ORDER_MS);
        if self.bug == Some(Bug::OrderAfterExpiry) { CityOrder { expires: ever, ..order } } else { order }
    }

    /// The bytes that go: those of the outbox, unless a mistake makes a new key for each attempt.
    fn as_sent(&mut self, item: &OutboxItem) -> Vec<u8> {
        if self.bug != Some(Bug::NewKeyPerRetry) || item.attempts == 0 {
            return item.bytes.clone();
        }
        let mut key = [0; 16];
        self.dice.fill(&mut key);
        let upload = Upload::decode(&item.bytes).map(|upload| Upload { key: IdempotencyKey(key), ..upload });
        upload.and_then(|upload| upload.encode()).unwrap_or_default()
    }

    fn attempted(&mut self, at: usize, key: IdempotencyKey) -> bool {
        if let Some(process) = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.process.as_mut())
            && process.journal.outbox_attempted(key).is_err()
        {
            self.die(at, Death::Kill);
        }
        // A network that just lost a reply is tried again later.
        false
    }

    fn refused(&mut self, at: usize, item: &OutboxItem) -> bool {
        if self.bug == Some(Bug::RefusedUploadDeleted) {
            return self.settle(at, &item.bytes, item.key);
        }
        let Some(process) = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.process.as_mut()) else { return false };
        if process.journal.outbox_quarantine(item.key, "refused").is_err() {
            self.die(at, Death::Kill);
            return false;
        }
        true
    }

    /// Counts an upload as receipted that central never receipted: only mistakes do so.
    fn settle(&mut self, at: usize, bytes: &[u8], key: IdempotencyKey) -> bool {
        use sha2::{Digest, Sha256};
        let receipt = protocol::Receipt {
            key,
            upload_sha256: Sha256::digest(bytes).into(),
            number: 0,
            received: 0,
            signature: Vec::new(),
            order: None,
        };
        let process = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.process.as_mut());
        process.is_some_and(|process| process.journal.outbox_settle(&receipt).is_ok())
    }

    /// What was refused is asked for again, apart from what waits.
    pub(super) fn ask_again(&mut self, at: usize) {
        let Some(process) = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.process.as_mut()) else { return };
        let aside = process.journal.outbox_aside(0, u32::MAX).unwrap_or_default();
        let wall = self.now(at).wall;
        for Unsent { bytes, .. } in aside {
            let Ok(upload) = Upload::decode(&bytes) else { continue };
            let item = OutboxItem { key: upload.key, kind: upload.body.name().to_owned(), bytes, attempts: 1 };
            let sent = self.as_sent(&item);
            let receipt = self.central.take(&sent, wall).map(|(receipt, _)| receipt);
            let Some(receipt) = receipt.filter(|receipt| receipt.key == item.key) else {
                if !self.plan.is_beyond_contract() {
                    self.breaks(format!("terminal {}: central's receipt is for another upload", at + 1));
                }
                continue;
            };
            if !self.plan.receipts {
                continue;
            }
            let Some(process) = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.process.as_mut()) else { return };
            if let Err(error) = process.journal.outbox_settle_later(receipt)
                && error.is_fatal()
            {
                return self.die(at, Death::Kill);
            }
        }
    }

    /// The end of a history: everything that waits goes up, and nothing stays behind.
    pub(super) fn drain(&mut self, at: usize) {
        self.ask_again(at);
        for _ in 0..6 {
            let Some(process) = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.process.as_mut()) else { return };
            let items = process.journal.outbox_next(256).unwrap_or_default();
            if items.is_empty() {
                return self.flush(at);
            }
            let receipts = self.plan.receipts;
            if !receipts {
                let wall = self.now(at).wall;
                let taken = items.iter().all(|item| {
                    let sent = self.as_sent(item);
                    self.central.take(&sent, wall).is_some_and(|(receipt, _)| receipt.key == item.key)
                });
                // What a damaged disk has made of an upload is no upload, and a gap at central.
                if !taken && !self.plan.is_beyond_contract() {
                    self.breaks(format!("terminal {}: central's receipt is for another upload", at + 1));
                }
                return;
            }
            self.upload(at);
        }
        self.breaks(format!("terminal {}: the outbox does not become empty", at + 1));
    }
}
