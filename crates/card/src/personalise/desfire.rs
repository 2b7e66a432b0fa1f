//! A DESFire card, from its transport key to the closed identity file.

use super::contents::{self, FileSpec};
use super::unlock::Bench;
use super::{BlankKeys, CardOrder, OfficeKeys, PersonaliseError, Personalised, Step};
use crate::desfire::{Chip, Desfire, FileSettings, PICC, Status};
use crate::error::CardError;
use crate::layout::{self, CardSecret, IDENTITY_LENGTH, Identity, WISHES_FIELDS, WISHES_LENGTH};
use crate::session::{self, CardSession, UID_LENGTH};
use crate::transport::Transport;
use domain::Uid;
use domain::card::Technology;
use domain::city_pack::CardLayout;
use keys::{CommMode, KeyRole};

/// A DESFire chip that was looked at.
pub(super) struct Blank<T> {
    card: Desfire<T>,
    layout: CardLayout,
    uid: Uid,
    hides_uid: bool,
    technology: Technology,
    has_application: bool,
}

impl<T: Transport> Blank<T> {
    pub(super) fn look<K: OfficeKeys>(
        transport: T,
        layout: &CardLayout,
        keys: &mut K,
    ) -> Result<Self, PersonaliseError> {
        let mut card = Desfire::new(transport);
        let shown = card.anticollision_uid()?;
        // A connection before this one may have left a session open, which would not answer in clear.
        card.select_application(PICC)?;
        let technology = match card.version()?.chip() {
            Chip::Ev1 => Technology::DesfireEv1,
            Chip::Ev2 | Chip::Ev3 => Technology::DesfireEv2,
            Chip::D40 | Chip::Light | Chip::Other(_) => return Err(PersonaliseError::NotBlank("type")),
        };
        let has_application = match card.select_application(layout.aid) {
            Ok(()) => true,
            Err(CardError::NoApplication) => false,
            Err(error) => return Err(error.into()),
        };
        let hides_uid = session::is_random(&shown)?;
        let uid = if hides_uid { real_uid(&mut card, layout, keys)? } else { shown };
        Ok(Self { card, layout: layout.clone(), uid, hides_uid, technology, has_application })
    }

    pub(super) fn uid(&self) -> &Uid {
        &self.uid
    }

    pub(super) fn technology(&self) -> Technology {
        self.technology
    }

    pub(super) fn finish<K: OfficeKeys>(
        mut self,
        order: &CardOrder,
        keys: &mut K,
        blank: &BlankKeys,
        told: &mut dyn FnMut(Step),
    ) -> Result<Personalised, PersonaliseError> {
        let was_finished = self.is_finished()?;
        if !was_finished {
            let (layout, uid) = (self.layout.clone(), self.uid.clone());
            let mut bench = Bench { layout: &layout, uid: &uid, keys, blank };
            self.make(&mut bench, order, told)?;
        }
        told(Step::ReadBack);
        let (technology, layout, uid) = (self.technology, self.layout, self.uid);
        read_back(self.card, &layout, &uid, keys, order).map(|(secret, read_key_version)| Personalised {
            uid,
            technology,
            secret: Some(secret),
            read_key_version,
            was_finished,
        })
    }

    /// Whether the identity is closed. Listing is free in our application from its creation on; one under our AID that
    /// hides what it holds is another city's, and nothing of its chip is touched.
    fn is_finished(&mut self) -> Result<bool, PersonaliseError> {
        if !self.has_application {
            return Ok(false);
        }
        self.card.select_application(self.layout.aid)?;
        let files = match self.card.file_ids() {
            Err(CardError::Refused { status: Status::AuthenticationError | Status::PermissionDenied, .. }) => {
                return Err(PersonaliseError::KeyUnknown(KeyRole::Master));
            }
            listed => listed?,
        };
        if !files.contains(&self.layout.files.identity) {
            return Ok(false);
        }
        let found = self.card.file_settings(self.layout.files.identity)?;
        Ok(found.rights == contents::identity_rights(&self.layout))
    }

    fn make<K: OfficeKeys>(
        &mut self,
        bench: &mut Bench<'_, K>,
        order: &CardOrder,
        told: &mut dyn FnMut(Step),
    ) -> Result<(), PersonaliseError> {
        let files = contents::files(&self.layout, order)?;
        told(Step::Application);
        self.own_chip(bench)?;
        told(Step::Keys);
        self.own_application(bench)?;
        told(Step::Files);
        self.create_files(bench, &files)?;
        told(Step::Records);
        self.write_records(bench, order)?;
        if self.technology != Technology::DesfireEv1 {
            told(Step::TransactionMac);
            self.create_transaction_mac(bench)?;
        }
        if order.random_uid && !self.hides_uid {
            told(Step::RandomUid);
            bench.login(&mut self.card, KeyRole::Picc)?;
            self.card.set_random_uid()?;
        }
        told(Step::Identity);
        self.write_identity(bench, order, &files)
    }

    /// The chip's own master key becomes the city's, and the application is there.
    fn own_chip<K: OfficeKeys>(&mut self, bench: &mut Bench<'_, K>) -> Result<(), PersonaliseError> {
        bench.own_master(&mut self.card, KeyRole::Picc)?;
        if self.card.key_settings()?.settings != contents::CHIP_SETTINGS {
            self.card.change_key_settings(contents::CHIP_SETTINGS)?;
        }
        if !self.card.application_ids()?.contains(&self.layout.aid) {
            self.card.create_application(self.layout.aid, contents::KEY_SETTINGS, contents::KEYS)?;
        }
        Ok(())
    }

    fn own_application<K: OfficeKeys>(&mut self, bench: &mut Bench<'_, K>) -> Result<(), PersonaliseError> {
        bench.own_master(&mut self.card, KeyRole::Master)?;
        let settings = self.card.key_settings()?;
        if (settings.settings, settings.keys, settings.aes) != (contents::KEY_SETTINGS, contents::KEYS, true) {
            return Err(PersonaliseError::NotBlank("application"));
        }
        for role in [KeyRole::Read, KeyRole::Debit, KeyRole::Credit, KeyRole::Uid] {
            bench.own(&mut self.card, role)?;
        }
        Ok(())
    }

    fn create_files<K: OfficeKeys>(
        &mut self,
        bench: &mut Bench<'_, K>,
        files: &[FileSpec],
    ) -> Result<(), PersonaliseError> {
        bench.login(&mut self.card, KeyRole::Master)?;
        let there = self.card.file_ids()?;
        for file in files {
            if !there.contains(&file.number) {
                self.card.create_file(file.number, CommMode::Full, file.rights, &file.file)?;
            } else if !file.is(&self.card.file_settings(file.number)?) {
                return Err(PersonaliseError::NotBlank(file.name));
            }
        }
        Ok(())
    }

    /// Record 0 of both cyclic files, and the wishes. The TransactionMAC file comes after them, so that its counter is
    /// zero on every new card, however often making it was interrupted.
    fn write_records<K: OfficeKeys>(
        &mut self,
        bench: &mut Bench<'_, K>,
        order: &CardOrder,
    ) -> Result<(), PersonaliseError> {
        let files = self.layout.files;
        // Asked before anything is written: between a write and its commit nothing else is said to the card.
        let names_reader = self.card.file_ids()?.contains(&files.transaction_mac);
        self.write_first(bench, KeyRole::Credit, files.top_ups, &contents::first_top_up()?, names_reader)?;
        self.write_first(bench, KeyRole::Debit, files.movements, &contents::first_movement(), names_reader)?;
        bench.login(&mut self.card, KeyRole::Read)?;
        let wishes = layout::write_wishes(&order.wishes);
        let found = self.card.read_data(files.wishes, WISHES_LENGTH)?;
        if found.get(..WISHES_FIELDS) == wishes.get(..WISHES_FIELDS) {
            return Ok(());
        }
        self.card.write_data(files.wishes, &wishes)?;
        self.commit(names_reader)
    }

    fn write_first<K: OfficeKeys>(
        &mut self,
        bench: &mut Bench<'_, K>,
        role: KeyRole,
        file: u8,
        record: &[u8],
        names_reader: bool,
    ) -> Result<(), PersonaliseError> {
        bench.login(&mut self.card, role)?;
        if self.records_in(file)? > 0 {
            return Ok(());
        }
        self.card.write_record(file, record)?;
        self.commit(names_reader)
    }

    fn records_in(&mut self, file: u8) -> Result<u32, PersonaliseError> {
        let records = self.card.file_settings(file)?.records();
        Ok(records.ok_or(PersonaliseError::NotBlank("record file"))?.count)
    }

    /// Commits, as the office where the card wants to know by whom.
    fn commit(&mut self, names_reader: bool) -> Result<(), PersonaliseError> {
        let previous = if names_reader { Some(self.card.commit_reader_id(&contents::office())?) } else { None };
        self.card.commit_transaction(previous)?;
        Ok(())
    }

    fn create_transaction_mac<K: OfficeKeys>(&mut self, bench: &mut Bench<'_, K>) -> Result<(), PersonaliseError> {
        bench.login(&mut self.card, KeyRole::Master)?;
        let number = self.layout.files.transaction_mac;
        let rights = contents::transaction_mac_rights(&self.layout);
        if self.card.file_ids()?.contains(&number) {
            let FileSettings { rights: found, .. } = self.card.file_settings(number)?;
            return if found == rights { Ok(()) } else { Err(PersonaliseError::NotBlank("transaction MAC file")) };
        }
        let (key, version) = bench.keys.transaction_mac(bench.uid, self.layout.aid)?;
        Ok(self.card.create_transaction_mac_file(number, rights, &key, version)?)
    }

    /// A standard file is written at once and has no roll-back: what a torn card left in it is written again, and
    /// only what reads back whole is closed.
    fn write_identity<K: OfficeKeys>(
        &mut self,
        bench: &mut Bench<'_, K>,
        order: &CardOrder,
        files: &[FileSpec],
    ) -> Result<(), PersonaliseError> {
        let number = self.layout.files.identity;
        let identity = contents::identity(order, &order.secret);
        bench.login(&mut self.card, KeyRole::Master)?;
        let found = self.card.file_settings(number)?;
        if !files.iter().any(|file| file.number == number && file.is(&found)) {
            return Err(PersonaliseError::NotBlank("identity file"));
        }
        self.card.write_data(number, &identity)?;
        if *self.card.read_data(number, IDENTITY_LENGTH)? != *identity {
            return Err(CardError::ReadBackDiffers.into());
        }
        Ok(self.card.change_file_settings(number, CommMode::Full, contents::identity_rights(&self.layout))?)
    }
}

/// The real UID of a card that shows a random one: our application's own key for it, which is not diversified.
fn real_uid<T: Transport, K: OfficeKeys>(
    card: &mut Desfire<T>,
    layout: &CardLayout,
    keys: &mut K,
) -> Result<Uid, PersonaliseError> {
    let key = keys::KeyOnCard { role: KeyRole::Uid, aid: layout.aid, number: layout.keys.uid, uid: None };
    card.select_application(layout.aid)?;
    card.authenticate(&key, keys)?;
    let uid = card.card_uid()?;
    if uid.bytes().len() == UID_LENGTH { Ok(uid) } else { Err(CardError::ForeignUid.into()) }
}

/// Opens the card as a kiosk does, and compares what counts. Gives its secret and the version of its read key.
fn read_back<T: Transport, K: OfficeKeys>(
    mut card: Desfire<T>,
    layout: &CardLayout,
    uid: &Uid,
    keys: &mut K,
    order: &CardOrder,
) -> Result<(CardSecret, u8), PersonaliseError> {
    card.select_application(layout.aid)?;
    let read_key_version = card.key_version(layout.keys.read)?;
    let (session, contents) = CardSession::open(card.into_transport(), layout, keys)?;
    let Identity { number, generation, secret } = contents.identity;
    if (number, generation) != (order.number, order.generation) {
        return Err(PersonaliseError::OtherCard);
    }
    if session.uid() != uid {
        return Err(CardError::Swapped.into());
    }
    Ok((secret.ok_or(CardError::Layout("identity"))?, read_key_version))
}
