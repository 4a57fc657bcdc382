//! Checksums, of bytes and of files that may be larger than memory.

use super::System;
use super::read::trouble;
use crate::base::failure::Result;
use sha2::Digest;
use std::io::{self, Read};
use std::path::Path;

/// A kind of checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// 128 bits; against accidents only.
    Md5,
    /// 160 bits; what Ansible's `checksum` values are.
    Sha1,
    /// 224 bits.
    Sha224,
    /// 256 bits.
    Sha256,
    /// 384 bits.
    Sha384,
    /// 512 bits.
    Sha512,
}

impl Algorithm {
    /// The algorithm of that name, as Ansible writes it.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "md5" => Self::Md5,
            "sha1" | "sha" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The checksum of everything that `source` gives, in lower-case hex.
    pub fn of_reader(self, source: &mut dyn Read) -> io::Result<String> {
        match self {
            Self::Md5 => stream::<md5::Md5>(source),
            Self::Sha1 => stream::<sha1::Sha1>(source),
            Self::Sha224 => stream::<sha2::Sha224>(source),
            Self::Sha256 => stream::<sha2::Sha256>(source),
            Self::Sha384 => stream::<sha2::Sha384>(source),
            Self::Sha512 => stream::<sha2::Sha512>(source),
        }
    }

    /// The checksum of bytes in memory, in lower-case hex.
    pub fn of(self, mut bytes: &[u8]) -> String {
        self.of_reader(&mut bytes).unwrap_or_default()
    }
}

fn stream<D: Digest>(source: &mut dyn Read) -> io::Result<String> {
    let mut digest = D::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(hex(&digest.finalize())),
            Ok(count) => digest.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('?')));
        text
    })
}

impl System {
    /// The checksum of a file, in lower-case hex, links followed; the file is read in pieces.
    pub fn checksum(&self, path: &Path, algorithm: Algorithm) -> Result<String> {
        algorithm.of_reader(&mut self.open(path)?).map_err(|error| trouble(path, "read", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_have_their_known_checksums() {
        // RFC 1321 A.5 and FIPS 180-2, appendices A and B.
        assert_eq!(Algorithm::Md5.of(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(Algorithm::Sha1.of(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(Algorithm::Sha256.of(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Algorithm::named("sha512").unwrap().of(b"").len(), 128);
        assert_eq!(Algorithm::named("crc32"), None);
    }
}
