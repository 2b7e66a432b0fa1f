//! What readers do differently with a storage card: the value operations, for which PC/SC part 3 names no command.
//! Each maker has its own, in its own byte order; what a reader cannot do, or not without doubt, is done portably:
//! read, check, write. The kiosk's own top-ups need none of these commands; they are here for who builds a validator or
//! another terminal on this library ([`crate::classic::ClassicChip::change`] and `copy`). Nothing here was tried on hardware; the manuals and public sources are named at each maker.

use crate::apdu::Apdu;
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The maker's dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderProfile {
    /// ACS ACR122U, ACR1252U and their kin: FF D7 with an operation code, most significant byte first, the transfer
    /// included (value block commands of the ACR122U API and of the ACR1252U reference manual).
    Acs,
    /// HID OMNIKEY 5x22 and 5x23: FF D4 increments, FF D8 decrements, least significant byte first (the OMNIKEY
    /// software developer guides, and public answers by their users; older firmware took one byte).
    Omnikey,
    /// Feitian. The only public source (libnfc, pcsc driver) sends the same FF D7 for increment and decrement, so
    /// neither is used.
    Feitian,
    /// Any reader that follows PC/SC part 3 and no further.
    Portable,
}

/// A change of a value block, with its transfer into the same block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Adds so many cents.
    Increment(u32),
    /// Takes so many cents away.
    Decrement(u32),
}

/// No such profile: the known ones are `acs`, `omnikey`, `feitian`, `portable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such reader profile: acs, omnikey, feitian or portable")]
pub struct UnknownProfile;

impl ReaderProfile {
    /// All profiles.
    pub const ALL: [Self; 4] = [Self::Acs, Self::Omnikey, Self::Feitian, Self::Portable];

    /// By the reader's PC/SC name; a name that says nothing means `Portable`.
    #[must_use]
    pub fn of_reader(name: &str) -> Self {
        let name = name.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["acr122", "acr125", "acr128"]) {
            Self::Acs
        } else if has(&["omnikey"]) {
            Self::Omnikey
        } else if has(&["feitian"]) {
            Self::Feitian
        } else {
            Self::Portable
        }
    }

    /// As configurations name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Acs => "acs",
            Self::Omnikey => "omnikey",
            Self::Feitian => "feitian",
            Self::Portable => "portable",
        }
    }

    /// The reader's command for a change; `None` where it is done portably.
    pub(crate) fn change(self, block: u8, change: Change) -> Option<Apdu> {
        let (code, instruction, cents) = match change {
            Change::Increment(cents) => (0x01, 0xD4, cents),
            Change::Decrement(cents) => (0x02, 0xD8, cents),
        };
        match self {
            Self::Acs => {
                let [a, b, c, d] = cents.to_be_bytes();
                Some(command(&[0xFF, 0xD7, 0x00, block, 0x05, code, a, b, c, d]))
            }
            Self::Omnikey => {
                let [a, b, c, d] = cents.to_le_bytes();
                Some(command(&[0xFF, instruction, 0x00, block, 0x04, a, b, c, d]))
            }
            Self::Feitian | Self::Portable => None,
        }
    }

    /// The reader's command that restores one value block and transfers it into another of the same sector; `None`
    /// where it is done portably.
    pub(crate) fn copy(self, from: u8, to: u8) -> Option<Apdu> {
        match self {
            Self::Acs => Some(command(&[0xFF, 0xD7, 0x00, from, 0x02, 0x03, to])),
            Self::Omnikey | Self::Feitian | Self::Portable => None,
        }
    }
}

impl fmt::Display for ReaderProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ReaderProfile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        Self::ALL.into_iter().find(|profile| profile.name() == text).ok_or(UnknownProfile)
    }
}

fn command(bytes: &[u8]) -> Apdu {
    Apdu::reader(Zeroizing::new(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_chosen_by_the_readers_name() {
        let check = |name, expected| assert_eq!(ReaderProfile::of_reader(name), expected, "{name}");
        check("ACS ACR122U PICC Interface 00 00", ReaderProfile::Acs);
        check("ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] 00 00", ReaderProfile::Acs);
        check("HID Global OMNIKEY 5022 Smart Card Reader 02 00", ReaderProfile::Omnikey);
        check("Feitian R502 00 00", ReaderProfile::Feitian);
        check("Virtual PCD 00 00", ReaderProfile::Portable);
        check("", ReaderProfile::Portable);
    }

    #[test]
    fn a_profile_is_configured_by_its_name() {
        for profile in ReaderProfile::ALL {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        assert_eq!("ACS".parse::<ReaderProfile>(), Err(UnknownProfile));
    }

    #[test]
    fn each_maker_has_its_own_bytes() {
        let check = |apdu: Option<Apdu>, expected: Option<&[u8]>| assert_eq!(apdu.as_ref().map(Apdu::bytes), expected);
        let (up, down) = (Change::Increment(0x0102_0304), Change::Decrement(500));
        check(ReaderProfile::Acs.change(9, up), Some(&[0xFF, 0xD7, 0, 9, 5, 1, 1, 2, 3, 4]));
        check(ReaderProfile::Acs.change(9, down), Some(&[0xFF, 0xD7, 0, 9, 5, 2, 0, 0, 1, 0xF4]));
        check(ReaderProfile::Acs.copy(8, 9), Some(&[0xFF, 0xD7, 0, 8, 2, 3, 9]));
        check(ReaderProfile::Omnikey.change(9, up), Some(&[0xFF, 0xD4, 0, 9, 4, 4, 3, 2, 1]));
        check(ReaderProfile::Omnikey.change(9, down), Some(&[0xFF, 0xD8, 0, 9, 4, 0xF4, 1, 0, 0]));
        check(ReaderProfile::Omnikey.copy(8, 9), None);
        for profile in [ReaderProfile::Feitian, ReaderProfile::Portable] {
            check(profile.change(9, up), None);
            check(profile.copy(8, 9), None);
        }
    }
}
