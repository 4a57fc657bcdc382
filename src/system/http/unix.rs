//! HTTP through a Unix socket of the host, as Docker and many nodes offer it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};

/// Connects to a socket, whatever the URL's host is.
#[derive(Debug)]
pub(super) struct UnixConnector(pub PathBuf);

impl<In: Transport> Connector<In> for UnixConnector {
    type Out = UnixTransport;

    fn connect(&self, details: &ConnectionDetails, _: Option<In>) -> Result<Option<UnixTransport>, Error> {
        let stream = UnixStream::connect(&self.0)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(UnixTransport { stream, buffers }))
    }
}

/// Bytes to and from a socket.
#[derive(Debug)]
pub(super) struct UnixTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl Transport for UnixTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.stream.set_write_timeout(timeout.not_zero().map(|time| *time))?;
        self.stream.write_all(&self.buffers.output()[..amount]).map_err(|error| late(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.stream.set_read_timeout(timeout.not_zero().map(|time| *time))?;
        let room = self.buffers.input_append_buf();
        let count = loop {
            match self.stream.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => break done.map_err(|error| late(error, timeout))?,
            }
        };
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        // One request a connection: none is kept for another.
        false
    }
}

fn late(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}

/// A socket needs no address, but ureq asks for one.
#[derive(Debug)]
pub(super) struct NoAddress;

impl Resolver for NoAddress {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut result = self.empty();
        result.push(SocketAddr::from(([127, 0, 0, 1], 0)));
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::System;
    use super::super::Request;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::os::unix::net::UnixListener;
    use std::time::Duration;

    #[test]
    fn a_socket_is_asked_instead_of_the_urls_host() {
        let root = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(root.path().join("s")).unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let asked: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").unwrap();
            asked
        });
        let system = System::new(root.path());
        let mut request = Request::new("GET", "http://no-such-host.invalid/v1/info");
        request.socket = Some("/s".into());
        let mut text = String::new();
        system.http(&request).unwrap().body.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hi");
        assert_eq!(server.join().unwrap()[0], "GET /v1/info HTTP/1.1");
    }

    #[test]
    fn a_socket_that_is_not_there_or_silent_is_named() {
        let root = tempfile::tempdir().unwrap();
        let system = System::new(root.path());
        let mut request = Request::new("GET", "http://localhost/");
        request.socket = Some("/s".into());
        assert_eq!(system.http(&request).err().unwrap().message, "http://localhost/: there is no socket /s");
        let _listener = UnixListener::bind(root.path().join("s")).unwrap();
        request.timeout = Duration::from_millis(50);
        assert_eq!(system.http(&request).err().unwrap().message, "http://localhost/: no answer in time");
    }
}
