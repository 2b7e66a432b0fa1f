//! Settings and applications: what the issuer does with a master key.

use super::Picc;
use super::codes::*;
use super::plan::Plan;
use crate::memory::{Application, CardKey, Chip, CommMode, Memory};
use crate::status::Status;
use std::collections::BTreeMap;

/// KeySettings1, bit 1: listings need no authentication.
const FREE_LISTING: u8 = 0x02;
/// Bit 2: everybody may create applications (on the chip), or create and delete files (in an application). On the
/// chip it also lets an application delete itself; deleting one always needs a master key.
pub(super) const FREE_CREATION: u8 = 0x04;
/// Bit 3: these settings may be changed.
const SETTINGS_CHANGEABLE: u8 = 0x08;

/// KeySettings2, bits 7 and 6: AES.
pub(super) const AES: u8 = 0x80;
/// KeySettings2: how many keys.
const KEY_COUNT: u8 = 0x0F;
const KEYS_MAX: u8 = 14;
/// What an EV1 holds; later chips are bounded by their memory.
const EV1_APPLICATIONS_MAX: usize = 28;

/// SetConfiguration, option 00: both bits are set for ever.
const PICC_CONFIGURATION: u8 = 0x00;
const FORMAT_DISABLED: u8 = 0x01;
const RANDOM_UID: u8 = 0x02;

impl Picc {
    /// KeySettings1 of the selected application, or of the chip.
    pub(super) fn settings(&self) -> Result<u8, Status> {
        match self.selected {
            None => Ok(self.memory.settings),
            Some(_) => Ok(self.application()?.key_settings),
        }
    }

    fn at_chip_level(&self) -> Result<(), Status> {
        if self.selected.is_none() { Ok(()) } else { Err(Status::PermissionDenied) }
    }

    pub(super) fn needs_master(&self) -> Result<(), Status> {
        if self.key_number() == Some(0) { Ok(()) } else { Err(Status::Authentication) }
    }

    /// Everybody may when the settings say so, otherwise the level's master key.
    pub(super) fn needs_master_unless(&self, setting: u8) -> Result<(), Status> {
        if self.settings()? & setting != 0 { Ok(()) } else { self.needs_master() }
    }

    pub(super) fn plan_listing(&self, ins: u8) -> Result<Plan, Status> {
        match ins {
            GET_APPLICATION_IDS => self.at_chip_level()?,
            GET_FILE_IDS | GET_FILE_SETTINGS => drop(self.application()?),
            _ => {}
        }
        if ins != GET_KEY_VERSION {
            self.needs_master_unless(FREE_LISTING)?;
        }
        Ok(Plan::short(CommMode::Mac, usize::from(matches!(ins, GET_FILE_SETTINGS | GET_KEY_VERSION))))
    }

    pub(super) fn plan_administration(&self, ins: u8, body: &[u8]) -> Result<Plan, Status> {
        match ins {
            CREATE_APPLICATION => {
                self.at_chip_level()?;
                self.needs_master_unless(FREE_CREATION)?;
                Ok(Plan::short(CommMode::Mac, 5))
            }
            DELETE_APPLICATION => {
                self.may_delete_application(body)?;
                Ok(Plan::short(CommMode::Mac, 3))
            }
            FORMAT => {
                self.at_chip_level()?;
                self.needs_master()?;
                let plan = Plan::short(CommMode::Mac, 0);
                if self.memory.format_disabled { Err(Status::PermissionDenied) } else { Ok(plan) }
            }
            SET_CONFIGURATION => {
                self.at_chip_level()?;
                self.needs_master()?;
                let known = body.first() == Some(&PICC_CONFIGURATION);
                if known { Ok(Plan::enciphered(1, 1)) } else { Err(Status::Parameter) }
            }
            CHANGE_KEY_SETTINGS => {
                self.needs_master()?;
                let changeable = self.settings()? & SETTINGS_CHANGEABLE != 0;
                if changeable { Ok(Plan::enciphered(0, 1)) } else { Err(Status::PermissionDenied) }
            }
            CHANGE_KEY => self.plan_change_key(body),
            _ => Err(Status::IllegalCommand),
        }
    }

    /// On the level of the chip its master key; within an application that application's own, when the chip allows it.
    fn may_delete_application(&self, body: &[u8]) -> Result<(), Status> {
        let Some(index) = self.selected else { return self.needs_master() };
        let own = self.memory.applications.get(index).is_some_and(|own| body.starts_with(&own.aid));
        if own && self.memory.settings & FREE_CREATION != 0 {
            return self.needs_master();
        }
        Err(Status::PermissionDenied)
    }

    pub(super) fn key_settings(&self) -> Result<Vec<u8>, Status> {
        let count = match self.selected {
            None => 1,
            Some(_) => u8::try_from(self.application()?.keys.len()).map_err(|_| Status::Memory)?,
        };
        let cipher = if self.selected.is_none() && self.memory.master_is_des { 0 } else { AES };
        Ok(vec![self.settings()?, cipher | count])
    }

    pub(super) fn change_key_settings(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let [settings] = *clear else { return Err(Status::Length) };
        self.change_memory(|memory, selected| {
            match selected {
                None => memory.settings = settings,
                Some(index) => memory.applications.get_mut(index).ok_or(Status::Memory)?.key_settings = settings,
            }
            Ok(())
        })
    }

    /// What was switched on stays on.
    pub(super) fn set_configuration(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let [_, configuration] = *clear else { return Err(Status::Length) };
        if configuration & !(FORMAT_DISABLED | RANDOM_UID) != 0 {
            return Err(Status::Parameter);
        }
        self.change_memory(|memory, _| {
            memory.format_disabled |= configuration & FORMAT_DISABLED != 0;
            memory.random_uid |= configuration & RANDOM_UID != 0;
            Ok(())
        })
    }

    pub(super) fn create_application(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let [a, b, c, key_settings, options] = *clear else { return Err(Status::Length) };
        let (aid, count) = ([a, b, c], options & KEY_COUNT);
        if aid == [0; 3] || options & !KEY_COUNT != AES || !(1..=KEYS_MAX).contains(&count) {
            return Err(Status::Parameter);
        }
        self.change_memory(|memory, _| {
            if memory.applications.iter().any(|application| application.aid == aid) {
                return Err(Status::Duplicate);
            }
            if memory.chip == Chip::Ev1 && memory.applications.len() >= EV1_APPLICATIONS_MAX {
                return Err(Status::Count);
            }
            let keys = vec![CardKey::factory(); usize::from(count)];
            memory.applications.push(Application { aid, key_settings, keys, files: BTreeMap::new() });
            Ok(())
        })
    }

    /// Deleting the selected application leaves its session behind.
    pub(super) fn delete_application(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        self.change_memory(|memory, _| {
            let found = memory.applications.iter().position(|application| application.aid == *clear);
            memory.applications.remove(found.ok_or(Status::ApplicationNotFound)?);
            Ok(())
        })?;
        if self.selected.take().is_some() {
            self.end_session();
        }
        Ok(Vec::new())
    }

    /// FormatPICC: the chip's own key and settings stay.
    pub(super) fn format(&mut self) -> Result<Vec<u8>, Status> {
        self.change_memory(|memory, _| {
            memory.applications.clear();
            Ok(())
        })
    }

    /// Changes a copy of the memory and installs it in one step; an open transaction does not outlive it.
    pub(super) fn change_memory(
        &mut self,
        change: impl FnOnce(&mut Memory, Option<usize>) -> Result<(), Status>,
    ) -> Result<Vec<u8>, Status> {
        let mut memory = self.memory.clone();
        change(&mut memory, self.selected)?;
        if !memory.fits() {
            return Err(Status::OutOfMemory);
        }
        self.install_memory(memory)?;
        self.transaction = crate::transaction::Transaction::default();
        Ok(Vec::new())
    }
}
