//! Tar archives (POSIX ustar; names that do not fit as GNU tar writes them).

use super::Member;
use crate::base::{Failure, failure::Result};
use crate::system::{Kind, System};
use std::io::{Read, Write};

const BLOCK: usize = 512;

/// Writes an archive. `open` gives the bytes of a file or the target of a link.
pub fn write(
    out: &mut dyn Write,
    system: &System,
    members: &[Member],
    mut open: impl FnMut(&Member) -> Result<Box<dyn Read>>,
) -> Result<()> {
    for member in members {
        let name = if member.meta.is_folder() { format!("{}/", member.name) } else { member.name.clone() };
        let mut target = Vec::new();
        if member.meta.is_link() {
            open(member)?.read_to_end(&mut target).map_err(super::broken)?;
        }
        for (kind, text) in [(b'K', target.as_slice()), (b'L', name.as_bytes())] {
            if text.len() > 100 {
                put(out, &header(system, member, b"././@LongLink", b"", kind, text.len() as u64 + 1)?)?;
                put(out, text)?;
                put(out, &vec![0; 1 + padding(text.len() as u64 + 1)])?;
            }
        }
        let (kind, size) = match member.meta.kind {
            Kind::Folder => (b'5', 0),
            Kind::Link => (b'2', 0),
            _ => (b'0', member.meta.size),
        };
        put(out, &header(system, member, name.as_bytes(), &target, kind, size)?)?;
        if kind == b'0' {
            let mut source = open(member)?;
            super::pour(&mut source, member, |bytes| out.write_all(bytes))?;
            put(out, &vec![0; padding(size)])?;
        }
    }
    put(out, &[0; 2 * BLOCK])
}

fn put(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    out.write_all(bytes).map_err(super::broken)
}

/// How many zeros fill the last block.
fn padding(size: u64) -> usize {
    usize::try_from(size % BLOCK as u64).map_or(0, |rest| (BLOCK - rest) % BLOCK)
}

fn header(system: &System, member: &Member, name: &[u8], target: &[u8], kind: u8, size: u64) -> Result<[u8; BLOCK]> {
    let meta = &member.meta;
    let mut block = [0_u8; BLOCK];
    let mut text = |from: usize, length: usize, text: &[u8]| {
        let count = text.len().min(length);
        block[from..from + count].copy_from_slice(&text[..count]);
    };
    let octal = |number: u64, digits: usize| {
        let text = format!("{number:0digits$o}");
        let large = || Failure::new(format!("{}: too large for a tar archive", member.name));
        if text.len() > digits { Err(large()) } else { Ok(text.into_bytes()) }
    };
    let seconds = u64::try_from(meta.modified / 1_000_000_000).unwrap_or_default();
    text(0, 100, name);
    text(100, 8, &octal(u64::from(meta.mode), 7)?);
    text(108, 8, &octal(u64::from(meta.uid), 7)?);
    text(116, 8, &octal(u64::from(meta.gid), 7)?);
    text(124, 12, &octal(size, 11)?);
    text(136, 12, &octal(seconds, 11)?);
    text(148, 8, b"        ");
    text(156, 1, &[kind]);
    text(157, 100, target);
    text(257, 8, b"ustar\x0000");
    text(265, 31, system.user_name(meta.uid)?.as_bytes());
    text(297, 31, system.group_name(meta.gid)?.as_bytes());
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}
