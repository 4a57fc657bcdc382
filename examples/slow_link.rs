//! A slow link for tests and benchmarks: `slow_link MILLISECONDS HOST PORT` connects standard input and
//! output with a TCP port and delays every byte of each direction by so much, without limiting how many are
//! on their way. Meant as ssh's `ProxyCommand`; see `tests/lab/relay`.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [milliseconds, host, port] = arguments.as_slice() else {
        return Err(io::Error::other("usage: slow_link MILLISECONDS HOST PORT"));
    };
    let delay = Duration::from_millis(milliseconds.parse().map_err(io::Error::other)?);
    let socket = TcpStream::connect(format!("{host}:{port}"))?;
    socket.set_nodelay(true)?;
    // A connection over such a link is there after one round trip.
    thread::sleep(delay * 2);

    let (to_host, from_host) = (socket.try_clone()?, socket.try_clone()?);
    thread::spawn(move || {
        let result = carry(io::stdin(), &to_host, delay);
        // The host may have closed first: then there is nothing left to tell it.
        let _ = to_host.shutdown(Shutdown::Write);
        result
    });
    carry(from_host, io::stdout(), delay)
}

/// Copies until the end of `from`; what is read now is written `delay` later.
fn carry(mut from: impl Read + Send + 'static, mut to: impl Write, delay: Duration) -> io::Result<()> {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + delay, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
    for (due, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        to.write_all(&bytes)?;
        to.flush()?;
    }
    Ok(())
}
