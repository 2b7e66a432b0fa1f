//! Secrets of a visit, behind handles: what a session never sees. Everything in here is zeroized when it is dropped,
//! and the whole is wiped when the visit ends.

use domain::Handle;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// The longest PIN the vault takes digits for.
const PIN_DIGITS_MAX: usize = 12;

#[derive(Default)]
struct Inside {
    next: u64,
    secrets: HashMap<Handle, Zeroizing<Vec<u8>>>,
    pin: Zeroizing<Vec<u8>>,
}

/// The vault, shared by the threads that fill and empty it.
#[derive(Clone, Default)]
pub struct Vault(Arc<Mutex<Inside>>);

impl Vault {
    /// Keeps bytes and gives their handle. The caller's own copy is the caller's to wipe.
    #[must_use]
    pub fn put(&self, secret: Zeroizing<Vec<u8>>) -> Handle {
        let mut inside = self.inside();
        inside.next += 1;
        let handle = Handle(inside.next);
        inside.secrets.insert(handle, secret);
        handle
    }

    /// A copy of what a handle stands for; `None` after a wipe.
    #[must_use]
    pub fn get(&self, handle: Handle) -> Option<Zeroizing<Vec<u8>>> {
        self.inside().secrets.get(&handle).cloned()
    }

    /// As `get`, for secrets of a known length.
    #[must_use]
    pub fn array<const N: usize>(&self, handle: Handle) -> Option<Zeroizing<[u8; N]>> {
        let secret = self.get(handle)?;
        secret.as_slice().try_into().ok().map(Zeroizing::new)
    }

    /// Adds a digit to the PIN and tells how many there are.
    #[must_use]
    pub fn pin_digit(&self, digit: u8) -> u8 {
        let mut inside = self.inside();
        if digit < 10 && inside.pin.len() < PIN_DIGITS_MAX {
            if inside.pin.capacity() == 0 {
                // Grown at once, so that no reallocation leaves a copy behind.
                inside.pin.reserve_exact(PIN_DIGITS_MAX);
            }
            inside.pin.push(b'0' + digit);
        }
        u8::try_from(inside.pin.len()).unwrap_or(u8::MAX)
    }

    /// Takes the last digit back and tells how many are left.
    #[must_use]
    pub fn pin_erase(&self) -> u8 {
        let mut inside = self.inside();
        inside.pin.pop();
        u8::try_from(inside.pin.len()).unwrap_or(u8::MAX)
    }

    /// The digits, which are then no longer here.
    #[must_use]
    pub fn take_pin(&self) -> Zeroizing<Vec<u8>> {
        std::mem::take(&mut self.inside().pin)
    }

    /// Wipes everything, save one secret.
    pub fn wipe(&self, keep: Option<Handle>) {
        let mut inside = self.inside();
        inside.pin = Zeroizing::default();
        inside.secrets.retain(|handle, _| Some(*handle) == keep);
    }

    /// Wipes one secret.
    pub fn forget(&self, handle: Handle) {
        self.inside().secrets.remove(&handle);
    }

    /// How many secrets are kept: none between visits.
    #[must_use]
    pub fn len(&self) -> usize {
        let inside = self.inside();
        inside.secrets.len() + usize::from(!inside.pin.is_empty())
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // A panic elsewhere must not keep the vault from being wiped.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_after_a_wipe_but_what_was_to_be_kept() {
        let vault = Vault::default();
        let old = vault.put(Zeroizing::new(vec![1; 32]));
        let new = vault.put(Zeroizing::new(vec![2; 32]));
        assert_eq!(vault.pin_digit(7), 1);
        vault.wipe(Some(new));
        assert_eq!(vault.get(old), None);
        assert_eq!(vault.array::<32>(new).as_deref(), Some(&[2; 32]));
        vault.wipe(None);
        assert!(vault.is_empty());
    }

    #[test]
    fn a_pin_is_taken_once_and_holds_only_digits() {
        let vault = Vault::default();
        for digit in [1, 2, 11, 3] {
            let _ = vault.pin_digit(digit);
        }
        assert_eq!(vault.pin_erase(), 2);
        assert_eq!(vault.take_pin().as_slice(), b"12");
        assert!(vault.take_pin().is_empty());
    }
}
