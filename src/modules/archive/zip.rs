//! Zip archives, as APPNOTE.TXT 6.3 of PKWARE has them: deflated files, folders, links, with their modes.

use super::Member;
use crate::base::{Failure, failure::Result};
use crate::system::Kind;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::{Read, Write};

/// What follows a file's bytes: its checksum and sizes are known only then.
const SIZES_FOLLOW: u16 = 1 << 3;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// Version 2.0, made on Unix.
const MADE_BY: u16 = 0x0314;
const DEFLATED: u16 = 8;

/// Writes an archive. `open` gives the bytes of a file or the target of a link.
pub fn write(
    out: &mut dyn Write,
    members: &[Member],
    mut open: impl FnMut(&Member) -> Result<Box<dyn Read>>,
) -> Result<()> {
    let mut out = Counted { out, written: 0 };
    let mut directory = Vec::new();
    let large = || Failure::new("a zip archive holds 65535 entries and 4 GB: there is more").help("write `format: gz`");
    let count = u16::try_from(members.len()).map_err(|_| large())?;
    for member in members {
        let start = u32::try_from(out.written).map_err(|_| large())?;
        let folder = member.meta.is_folder();
        let name = if folder { format!("{}/", member.name) } else { member.name.clone() };
        let flags = if folder { UTF8 } else { UTF8 | SIZES_FOLLOW };
        let method = if folder { 0 } else { DEFLATED };
        let length = u16::try_from(name.len()).map_err(|_| Failure::new(format!("the name {name} is too long")))?;
        let (date, time) = dos_time(member.meta.modified);
        let mut common = Vec::new();
        for number in [20, flags, method, time, date] {
            common.extend(number.to_le_bytes());
        }
        let mut local = b"PK\x03\x04".to_vec();
        local.extend(&common);
        local.extend([0; 12]);
        local.extend(length.to_le_bytes());
        local.extend([0; 2]);
        local.extend(name.as_bytes());
        out.put(&local)?;
        let mut sizes = [0_u8; 12];
        if !folder {
            let before = out.written;
            let mut crc = Crc::new();
            let mut encoder = DeflateEncoder::new(&mut out, Compression::default());
            let mut source = open(member)?;
            super::pour(&mut source, member, |bytes| {
                crc.update(bytes);
                encoder.write_all(bytes)
            })?;
            encoder.finish().map_err(super::broken)?;
            let packed = u32::try_from(out.written - before).map_err(|_| large())?;
            // `Crc::amount` counts modulo 2^32; a larger file packs to more than nothing, and is refused by its size.
            if member.meta.size > u64::from(u32::MAX) {
                return Err(large());
            }
            for (place, number) in sizes.chunks_mut(4).zip([crc.sum(), packed, crc.amount()]) {
                place.copy_from_slice(&number.to_le_bytes());
            }
            out.put(b"PK\x07\x08")?;
            out.put(&sizes)?;
        }
        let kind = match member.meta.kind {
            Kind::Folder => 0o040_000,
            Kind::Link => 0o120_000,
            _ => 0o100_000,
        };
        let attributes = ((kind | member.meta.mode) << 16) | if folder { 0x10 } else { 0 };
        directory.extend(b"PK\x01\x02");
        directory.extend(MADE_BY.to_le_bytes());
        directory.extend(&common);
        directory.extend(sizes);
        directory.extend(length.to_le_bytes());
        directory.extend([0; 8]);
        directory.extend(attributes.to_le_bytes());
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = u32::try_from(out.written).map_err(|_| large())?;
    let size = u32::try_from(directory.len()).map_err(|_| large())?;
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    end.extend(count.to_le_bytes());
    end.extend(count.to_le_bytes());
    end.extend(size.to_le_bytes());
    end.extend(start.to_le_bytes());
    end.extend([0; 2]);
    out.put(&directory)?;
    out.put(&end)
}

/// Date and time as DOS counts them, in UTC: two seconds are the smallest step, 1980 is the first year.
fn dos_time(modified: i64) -> (u16, u16) {
    const FIRST: (u16, u16) = ((1 << 5) | 1, 0);
    let Ok(stamp) = jiff::Timestamp::from_nanosecond(i128::from(modified)) else { return FIRST };
    let at = stamp.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let part = |number: i8| u16::try_from(number).unwrap_or_default();
    match u16::try_from(at.year() - 1980) {
        Ok(year @ ..=127) => (
            (year << 9) | (part(at.month()) << 5) | part(at.day()),
            (part(at.hour()) << 11) | (part(at.minute()) << 5) | (part(at.second()) / 2),
        ),
        _ => FIRST,
    }
}

/// Knows where in the archive it is.
struct Counted<'a> {
    out: &'a mut dyn Write,
    written: u64,
}

impl Counted<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(super::broken)
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_dos() {
        assert_eq!(dos_time(0), (0x21, 0));
        // 2026-11-21 19:04:06 UTC.
        assert_eq!(dos_time(1_795_287_846_000_000_000), (0x5d75, 0x9883));
    }
}
