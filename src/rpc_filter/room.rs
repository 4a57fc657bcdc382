//! How much of what others send is held in memory at once, in sum.

use axum::body::Body;
use futures_util::StreamExt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that may be held.
#[derive(Debug, Clone)]
pub struct Room(Arc<Semaphore>);

/// Bytes that are held; they are given back with it.
#[derive(Debug, Default)]
pub struct Held(Option<OwnedSemaphorePermit>);

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It is longer than it may be.
    TooLong,
    /// Others hold too much.
    NoRoom,
    /// It ended too early.
    Broken,
}

impl Room {
    /// For so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// Reads a body of at most so many bytes.
    pub async fn read(&self, body: Body, longest: usize) -> Result<(Vec<u8>, Held), Unread> {
        let (mut bytes, mut held) = (Vec::new(), Held::default());
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Unread::Broken)?;
            if bytes.len() + piece.len() > longest {
                return Err(Unread::TooLong);
            }
            if !held.more(self, piece.len()) {
                return Err(Unread::NoRoom);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok((bytes, held))
    }
}

impl Held {
    /// Whether there is room for so many more.
    fn more(&mut self, room: &Room, bytes: usize) -> bool {
        let Some(new) = u32::try_from(bytes).ok().and_then(|n| Arc::clone(&room.0).try_acquire_many_owned(n).ok())
        else {
            return false;
        };
        match &mut self.0 {
            Some(permit) => permit.merge(new),
            None => self.0 = Some(new),
        }
        true
    }
}

/// A connection of which what was read is held until [`Metered::let_go`]; one that finds no room breaks.
#[derive(Debug)]
pub struct Metered<S> {
    stream: S,
    room: Room,
    held: Held,
}

impl<S> Metered<S> {
    /// Nothing is held yet.
    pub fn new(stream: S, room: Room) -> Self {
        Self { stream, room, held: Held::default() }
    }

    /// What was read was passed on.
    pub fn let_go(&mut self) {
        self.held = Held::default();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let ready = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let new = buffer.filled().len() - before;
        let me = &mut *self;
        if new > 0 && !me.held.more(&me.room, new) {
            return Poll::Ready(Err(io::Error::other("too much is held in memory")));
        }
        ready
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn bodies_share_the_room_and_give_it_back() {
        let room = Room::new(10);
        let body = || Body::from("123456");
        let first = room.read(body(), 6).await.unwrap();
        assert_eq!(first.0, b"123456");
        assert_eq!(room.read(body(), 6).await.unwrap_err(), Unread::NoRoom);
        drop(first);
        assert_eq!(room.read(body(), 5).await.unwrap_err(), Unread::TooLong);
        room.read(body(), 6).await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_breaks_where_there_is_no_room_and_goes_on_where_what_was_read_was_passed_on() {
        let mut stream = Metered::new(&b"123456789"[..], Room::new(6));
        let mut four = [0; 4];
        stream.read_exact(&mut four).await.unwrap();
        stream.let_go();
        stream.read_exact(&mut four).await.unwrap();
        let mut rest = Vec::new();
        assert!(stream.read_to_end(&mut rest).await.is_ok(), "one byte more fits");
        let mut stream = Metered::new(&b"123456789"[..], Room::new(6));
        stream.read_exact(&mut four).await.unwrap();
        assert!(stream.read_exact(&mut four).await.is_err());
    }
}
