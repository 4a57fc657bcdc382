//! The agent's way to a host: in chunks, of which only few are under way at once, since each is acknowledged.
//!
//! What the host's gzip has not taken yet, sshd keeps in a buffer that it copies whole each time it grows. Given all that ssh
//! lets through (2 MB), this copying costs a host more than the rest of its first run.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

/// The size of a chunk, in bytes.
const CHUNK: usize = 512 << 10;
/// How many chunks are under way at once, at first.
const AHEAD: usize = 2;

/// One upload: what is under way, and what remains.
#[derive(Debug)]
pub struct Upload {
    packed: Arc<[u8]>,
    sent: usize,
    ended: bool,
    ahead: usize,
    /// When each chunk that is under way was sent.
    under_way: VecDeque<Instant>,
    last_arrival: Option<Instant>,
}

impl Upload {
    /// An upload of `packed`, of which nothing is sent yet.
    pub fn of(packed: Arc<[u8]>) -> Self {
        Self { packed, sent: 0, ended: false, ahead: AHEAD, under_way: VecDeque::new(), last_arrival: None }
    }

    /// Writes what may be under way now: chunks, each after a line with its size, and a line `0` at the end. Returns the
    /// bytes written.
    pub fn send(&mut self, to: &mut impl Write) -> io::Result<usize> {
        let before = self.sent;
        while self.under_way.len() < self.ahead && self.sent < self.packed.len() {
            let end = self.packed.len().min(self.sent + CHUNK);
            self.under_way.push_back(Instant::now());
            writeln!(to, "{}", end - self.sent)?;
            to.write_all(&self.packed[self.sent..end])?;
            self.sent = end;
        }
        if self.sent == self.packed.len() && !self.ended {
            self.ended = true;
            to.write_all(b"0\n")?;
        }
        Ok(self.sent - before)
    }

    /// The host has taken a chunk.
    pub fn arrived(&mut self, now: Instant) {
        let Some(sent) = self.under_way.pop_front() else { return };
        // A busy host takes one after the other. Those that arrive together waited for the link, not for the host: a long
        // way wants more under way.
        if self.last_arrival.is_some_and(|last| (now - last) * 8 < now.saturating_duration_since(sent)) {
            self.ahead += 1;
        }
        self.last_arrival = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn upload(chunks: usize) -> Upload {
        Upload::of(vec![7; chunks * CHUNK].into())
    }

    fn written(upload: &mut Upload) -> usize {
        upload.send(&mut io::sink()).unwrap() / CHUNK
    }

    #[test]
    fn two_chunks_go_first_and_one_more_for_each_that_has_arrived() {
        let mut upload = upload(4);
        let start = Instant::now();
        assert_eq!(written(&mut upload), 2);
        assert_eq!(written(&mut upload), 0);
        upload.arrived(start + Duration::from_millis(10));
        assert_eq!(written(&mut upload), 1);
        upload.arrived(start + Duration::from_millis(20));
        assert_eq!(written(&mut upload), 1);
    }

    #[test]
    fn chunks_that_arrive_together_after_a_long_way_let_more_be_under_way() {
        let mut upload = upload(8);
        let start = Instant::now();
        assert_eq!(written(&mut upload), 2);
        upload.arrived(start + Duration::from_millis(50));
        upload.arrived(start + Duration::from_millis(51));
        assert_eq!(written(&mut upload), 3);
    }

    #[test]
    fn each_chunk_says_its_size_and_a_zero_ends_it() {
        let mut upload = Upload::of(b"packed".to_vec().into());
        let mut sent = Vec::new();
        assert_eq!(upload.send(&mut sent).unwrap(), 6);
        upload.arrived(Instant::now());
        upload.send(&mut sent).unwrap();
        assert_eq!(sent, b"6\npacked0\n");
    }
}
