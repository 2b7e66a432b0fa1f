//! Compression before sealing, with a dictionary that both sides know. Sealed bytes do not compress, and a record
//! alone is too short to compress well without one.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use zeroize::Zeroizing;
use zstd::bulk::Compressor;
use zstd::dict::DecoderDictionary;

/// The compression level: records are small, and central seals them all at once.
const LEVEL: i32 = 12;
/// No record is longer; a frame that claims more is refused before memory is asked for.
pub const RECORD_BYTES_MAX: usize = 16 * 1024;

/// A zstd dictionary (RFC 8878 clause 6). It is a public file of the feed: train it on invented records only. Cheap
/// to clone; its tables are built once, at the first record of each direction.
#[derive(Clone, Default)]
pub struct Dictionary(Arc<Tables>);

#[derive(Default)]
struct Tables {
    bytes: Vec<u8>,
    /// Compressors that nobody uses now. Making one costs more than a record: central keeps one for each thread.
    idle: Mutex<Vec<Compressor<'static>>>,
    decoder: OnceLock<Option<DecoderDictionary<'static>>>,
}

fn unusable() -> CompressError {
    CompressError(std::io::Error::new(std::io::ErrorKind::InvalidData, "the dictionary is unusable"))
}

/// A record could not be compressed or expanded.
#[derive(Debug, thiserror::Error)]
#[error("compression: {0}")]
pub struct CompressError(#[from] std::io::Error);

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dictionary({} bytes)", self.0.bytes.len())
    }
}

impl Dictionary {
    /// Takes the bytes of the feed's dictionary file. An empty one compresses without a dictionary.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Tables { bytes, ..Tables::default() }))
    }

    /// Trains a dictionary of at most `bytes_max` on invented records.
    ///
    /// # Errors
    /// `CompressError` when there are too few samples to learn from.
    pub fn train(samples: &[Vec<u8>], bytes_max: usize) -> Result<Self, CompressError> {
        Ok(Self::new(zstd::dict::from_samples(samples, bytes_max)?))
    }

    /// The bytes, as the feed's file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    pub(crate) fn compress(&self, plain: &[u8]) -> Result<Zeroizing<Vec<u8>>, CompressError> {
        let idle = || self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let mut compressor = match waiting {
            Some(compressor) => compressor,
            None => {
                let mut made = Compressor::with_dictionary(LEVEL, &self.0.bytes)?;
                // The dictionary is the same file for all: its id (four bytes) says nothing, and each byte counts.
                made.set_parameter(zstd::zstd_safe::CParameter::DictIdFlag(false))?;
                made
            }
        };
        let compressed = compressor.compress(plain)?;
        idle().push(compressor);
        Ok(Zeroizing::new(compressed))
    }

    pub(crate) fn expand(&self, compressed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CompressError> {
        let build = || DecoderDictionary::try_copy(&self.0.bytes).ok();
        let tables = self.0.decoder.get_or_init(build).as_ref().ok_or_else(unusable)?;
        let mut decompressor = zstd::bulk::Decompressor::with_prepared_dictionary(tables)?;
        Ok(Zeroizing::new(decompressor.decompress(compressed, RECORD_BYTES_MAX)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: usize) -> Vec<u8> {
        format!("calle de la Marina {n}, 33201 Ciudad de la Bahía, distrito Centro, sección {}", n % 17).into_bytes()
    }

    #[test]
    fn a_dictionary_shortens_a_record_it_has_never_seen() {
        let samples: Vec<_> = (0..400).map(sample).collect();
        let dictionary = Dictionary::train(&samples, 4096).unwrap();
        let unseen = sample(9_999);
        let with = dictionary.compress(&unseen).unwrap();
        let without = Dictionary::default().compress(&unseen).unwrap();
        assert!(with.len() * 2 < without.len(), "{} against {}", with.len(), without.len());
        assert_eq!(*dictionary.expand(&with).unwrap(), unseen);
    }

    #[test]
    fn a_dictionary_that_is_none_is_refused_by_name() {
        // It begins as a dictionary does (RFC 8878 clause 6) and is none.
        let broken = Dictionary::new(b"\x37\xA4\x30\xECnot a dictionary".to_vec());
        assert!(broken.compress(b"record").is_err());
        assert!(broken.expand(b"record").is_err());
    }

    #[test]
    fn a_frame_beyond_the_limit_is_refused() {
        let dictionary = Dictionary::default();
        let bomb = dictionary.compress(&vec![0; RECORD_BYTES_MAX + 1]).unwrap();
        assert!(dictionary.expand(&bomb).is_err());
    }
}
