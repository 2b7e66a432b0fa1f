//! Passwords: Argon2id (RFC 9106), kept as a PHC string with its parameters, so that they can rise later.

use crate::error::CentralError;
use crate::refusal::Refusal;
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64_NOPAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Characters of a password.
pub const CHARACTERS_MIN: usize = 12;
const CHARACTERS_MAX: usize = 128;
/// RFC 9106 section 4, the second recommendation: 64 MiB, three passes; one lane, since a server has other work.
const MEMORY_KIB: u32 = 65_536;
const PASSES: u32 = 3;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

fn refuse_weak(name: &str, password: &str) -> Result<(), Refusal> {
    let count = password.chars().count();
    if !(CHARACTERS_MIN..=CHARACTERS_MAX).contains(&count) {
        return Err(Refusal::PasswordLength);
    }
    let mut characters = password.chars();
    let first = characters.next();
    let is_one = characters.all(|one| Some(one) == first);
    // What is left when the name is taken out has to be a password by itself.
    let without = password.to_lowercase().replace(name, "");
    if is_one || without.chars().count() * 2 < CHARACTERS_MIN { Err(Refusal::PasswordWeak) } else { Ok(()) }
}

/// The hash of a new password of this account.
///
/// # Errors
/// `CentralError::Refused` with `PasswordLength` or `PasswordWeak`; `Entropy`.
pub fn hash(name: &str, password: &str) -> Result<String, CentralError> {
    refuse_weak(name, password)?;
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt)?;
    let hash = derive(password, &salt, MEMORY_KIB, PASSES, LANES).ok_or_else(no_memory)?;
    let (salt, hash) = (BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(hash.as_ref()));
    Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}"))
}

fn no_memory() -> CentralError {
    CentralError::NotReady("there is no memory for a password's hash".to_owned())
}

fn derive(password: &str, salt: &[u8], memory: u32, passes: u32, lanes: u32) -> Option<Zeroizing<[u8; HASH_BYTES]>> {
    let params = Params::new(memory, passes, lanes, Some(HASH_BYTES)).ok()?;
    let mut hash = Zeroizing::new([0; HASH_BYTES]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(password.as_bytes(), salt, hash.as_mut()).ok()?;
    Some(hash)
}

struct Phc {
    costs: [u32; 3],
    salt: Vec<u8>,
    hash: Vec<u8>,
}

fn parse(text: &str) -> Option<Phc> {
    let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
    let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let mut numbers =
        costs.split(',').zip(["m=", "t=", "p="]).map(|(part, name)| part.strip_prefix(name)?.parse().ok());
    let costs = [numbers.next()??, numbers.next()??, numbers.next()??];
    let bytes = |part: &str| BASE64_NOPAD.decode(part.as_bytes()).ok();
    Some(Phc { costs, salt: bytes(salt)?, hash: bytes(hash)? })
}

/// Whether the password is the one of this hash. Without a hash it takes as long and is never right, so that the time
/// of an answer does not tell which accounts there are.
#[must_use]
pub fn is_right(password: &str, stored: Option<&str>) -> bool {
    let none = || Phc { costs: [MEMORY_KIB, PASSES, LANES], salt: vec![0; SALT_BYTES], hash: Vec::new() };
    let Phc { costs: [memory, passes, lanes], salt, hash } = stored.and_then(parse).unwrap_or_else(none);
    // Nobody types a megabyte; whoever sends one does not get it hashed.
    let typed = if password.chars().count() > CHARACTERS_MAX { "" } else { password };
    let derived = derive(typed, &salt, memory, passes, lanes);
    derived.is_some_and(|derived| bool::from(derived.as_slice().ct_eq(&hash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_carries_its_parameters() {
        let first = hash("ana", "cuatro gaviotas y un faro").unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{first}");
        assert!(is_right("cuatro gaviotas y un faro", Some(&first)));
        assert!(!is_right("cuatro gaviotas y un Faro", Some(&first)));
        assert!(!is_right("", None) && !is_right("", Some("$argon2id$v=19$m=1$x")));
        // Parameters of another day are read from the hash.
        let salt = [7; SALT_BYTES];
        let old = derive("x", &salt, 64, 1, 1).unwrap();
        let old = format!("$argon2id$v=19$m=64,t=1,p=1${}${}", BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(&*old));
        assert!(is_right("x", Some(&old)) && !is_right("y", Some(&old)));
    }

    #[test]
    fn short_and_idle_passwords_are_refused() {
        let check = |password: &str, expected| assert_eq!(refuse_weak("maria.prado", password), expected, "{password}");
        check("once letras", Err(Refusal::PasswordLength));
        check("doce letrasx", Ok(()));
        check("ñññññññññññ", Err(Refusal::PasswordLength));
        check("aaaaaaaaaaaaaaaa", Err(Refusal::PasswordWeak));
        check("Maria.Prado12", Err(Refusal::PasswordWeak));
        check(&"x y".repeat(43), Err(Refusal::PasswordLength));
    }
}
