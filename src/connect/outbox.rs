//! What waits to be written to an agent. Nobody waits here but who sends a blob faster than the link takes it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Parts of blobs that may wait at once, in bytes.
const CHUNKS: usize = 1 << 20;

/// Frames on their way out.
#[derive(Debug, Default)]
pub struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Vec<u8>>,
    /// Bytes of blobs among them.
    chunks: usize,
    /// The other end understands frames.
    open: bool,
    /// Nothing follows what is queued.
    finished: bool,
    /// Nothing can be sent any more.
    dead: bool,
    /// When the other end must have done its next step of opening.
    deadline: Option<Instant>,
}

/// What the writer is to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Write this.
    Frame(Vec<u8>),
    /// Nothing was to be written for a while: show that we live.
    Idle,
    /// The other end took too long to open.
    Late,
    /// Nothing will follow.
    End,
}

impl Outbox {
    /// Queues a frame. `false`: the connection is gone.
    pub fn push(&self, frame: Vec<u8>) -> bool {
        self.queue(|frames| frames.push_back(frame))
    }

    /// Queues a frame before all others.
    pub fn push_first(&self, frame: Vec<u8>) -> bool {
        self.queue(|frames| frames.push_front(frame))
    }

    /// Queues a part of a blob, and waits until there is room for it.
    pub fn push_chunk(&self, frame: Vec<u8>) -> bool {
        let mut state = self.lock();
        while state.chunks > CHUNKS && !state.dead {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.chunks += frame.len();
        drop(state);
        self.push(frame)
    }

    fn queue(&self, put: impl FnOnce(&mut VecDeque<Vec<u8>>)) -> bool {
        let mut state = self.lock();
        if state.dead || state.finished {
            return false;
        }
        put(&mut state.frames);
        self.changed.notify_all();
        true
    }

    /// From now on the other end understands frames.
    pub fn open(&self) {
        let mut state = self.lock();
        state.open = true;
        self.changed.notify_all();
    }

    /// The next step of opening must be done by then.
    pub fn expect_within(&self, patience: Option<Duration>) {
        self.lock().deadline = patience.map(|patience| Instant::now() + patience);
        self.changed.notify_all();
    }

    /// Nothing will be queued any more.
    pub fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_all();
    }

    /// The connection is gone.
    pub fn die(&self) {
        self.lock().dead = true;
        self.changed.notify_all();
    }

    /// Whether nothing more was to be queued: the end is ours.
    pub fn is_finished(&self) -> bool {
        self.lock().finished
    }

    /// Waits for what is to be done next, at most `idle`.
    pub fn next(&self, idle: Duration) -> Next {
        let until = Instant::now() + idle;
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            if state.dead || (state.finished && !state.open) {
                return Next::End;
            }
            if state.deadline.is_some_and(|deadline| deadline <= now) {
                return Next::Late;
            }
            if state.open {
                if let Some(frame) = state.frames.pop_front() {
                    if state.chunks > 0 {
                        // Only an estimate of what waits: other frames are small beside blobs.
                        state.chunks = state.chunks.saturating_sub(frame.len());
                        self.changed.notify_all();
                    }
                    return Next::Frame(frame);
                }
                if state.finished {
                    return Next::End;
                }
                if until <= now {
                    return Next::Idle;
                }
            }
            let until = match state.deadline {
                Some(deadline) if !state.open => deadline,
                Some(deadline) => deadline.min(until),
                None => until.max(now + Duration::from_millis(1)),
            };
            let wait = until.saturating_duration_since(now);
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn frames_wait_until_the_other_end_is_open_and_then_go_in_order() {
        let outbox = Outbox::default();
        assert!(outbox.push(vec![2]) && outbox.push(vec![3]) && outbox.push_first(vec![1]));
        outbox.open();
        let sent: Vec<_> = (0..3).map(|_| outbox.next(LONG)).collect();
        assert_eq!(sent, [1, 2, 3].map(|byte| Next::Frame(vec![byte])));
        assert_eq!(outbox.next(Duration::ZERO), Next::Idle);
    }

    #[test]
    fn the_end_comes_after_what_is_queued() {
        let outbox = Outbox::default();
        outbox.open();
        outbox.push(vec![1]);
        outbox.finish();
        assert!(!outbox.push(vec![2]));
        assert_eq!((outbox.next(LONG), outbox.next(LONG)), (Next::Frame(vec![1]), Next::End));
    }

    #[test]
    fn who_does_not_open_in_time_is_late() {
        let outbox = Outbox::default();
        outbox.expect_within(Some(Duration::from_millis(1)));
        assert_eq!(outbox.next(LONG), Next::Late);
    }

    #[test]
    fn a_blob_waits_for_room_and_the_end_of_the_connection_frees_it() {
        let outbox = Outbox::default();
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| (0..10).map(|_| outbox.push_chunk(vec![0; CHUNKS])).collect::<Vec<_>>());
            outbox.open();
            for _ in 0..4 {
                assert!(matches!(outbox.next(LONG), Next::Frame(_)));
            }
            outbox.die();
            assert_eq!(sender.join().unwrap().last(), Some(&false));
        });
    }
}
