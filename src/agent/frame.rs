//! Frames: a big-endian `u32` length, then that many bytes of `MessagePack` with named fields.

use super::protocol::MAX_FRAME;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};

/// One message as bytes, length included. Fails with `InvalidData` if it is larger than [`MAX_FRAME`].
pub fn encode(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    message.serialize(&mut rmp_serde::Serializer::new(&mut bytes).with_struct_map()).map_err(invalid)?;
    let length = bytes.len() - 4;
    let prefix = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME);
    let Some(prefix) = prefix else {
        return Err(invalid(format!(
            "a message of {length} bytes is too large: at most {MAX_FRAME} can travel at once"
        )));
    };
    bytes[..4].copy_from_slice(&prefix.to_be_bytes());
    Ok(bytes)
}

/// Reads one message and says how many bytes it took. `None` means that the stream ended between two messages.
///
/// Fails with `UnexpectedEof` inside a message and with `InvalidData` on what cannot be one.
pub fn read<T: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<(T, u64)>> {
    let mut prefix = [0; 4];
    let mut have = 0;
    while have < prefix.len() {
        match input.read(&mut prefix[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_be_bytes(prefix) as usize;
    if length > MAX_FRAME {
        return Err(invalid(format!("not a message of ours: it begins with {}", prefix.escape_ascii())));
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    let message = rmp_serde::from_slice(&body).map_err(invalid)?;
    Ok(Some((message, (length + 4) as u64)))
}

/// Writes one message and says how many bytes it took.
pub fn write(output: &mut impl Write, message: &impl Serialize) -> io::Result<u64> {
    let bytes = encode(message)?;
    output.write_all(&bytes)?;
    output.flush()?;
    Ok(bytes.len() as u64)
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::protocol::{Call, Request};
    use crate::base::{Failure, Map};
    use proptest::prelude::*;

    #[test]
    fn a_batch_arrives_as_it_was_sent() {
        let args = serde_json::json!({"a": [1, null, -2.5, "ü"], "b": {"c": true, "big": u64::MAX}});
        let call = Call {
            module: "ping".into(),
            args: args.as_object().cloned().unwrap(),
            environment: [("A".to_owned(), "b".to_owned())].into(),
            check: true,
            keep_going: false,
            step: 0,
            timeout: Some(3),
            notes: vec![],
            job: None,
        };
        let mut wire = Vec::new();
        write(&mut wire, &Request::Batch { id: 7, calls: vec![call.clone()], blobs: vec![] }).unwrap();
        let (request, size) = read(&mut wire.as_slice()).unwrap().unwrap();
        assert_eq!(size, wire.len() as u64);
        let Request::Batch { id: 7, calls, .. } = request else { panic!("{request:?}") };
        assert_eq!(calls[0].args, call.args);
        assert_eq!(calls[0].timeout, Some(3));
    }

    #[test]
    fn a_failure_keeps_its_output() {
        let failure = Failure::unreachable("gone").help("wait").with("rc", 255);
        let mut wire = Vec::new();
        write(&mut wire, &Err::<Map, _>(failure.clone())).unwrap();
        let (back, _) = read::<Result<Map, Failure>>(&mut wire.as_slice()).unwrap().unwrap();
        assert_eq!(back, Err(failure));
    }

    #[test]
    fn a_login_banner_is_not_a_message() {
        let error = read::<Request>(&mut b"Welcome to host1".as_slice()).unwrap_err();
        assert_eq!(error.to_string(), "not a message of ours: it begins with Welc");
    }

    #[test]
    fn a_stream_that_ends_inside_a_message_is_an_error_and_between_two_is_not() {
        let wire = encode(&Request::Ping).unwrap();
        assert!(read::<Request>(&mut [].as_slice()).unwrap().is_none());
        for cut in 1..wire.len() {
            assert_eq!(read::<Request>(&mut &wire[..cut]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_refused_before_it_travels() {
        let chunk = Request::Chunk { sha256: String::new(), bytes: vec![0; MAX_FRAME], last: false, error: None };
        assert!(encode(&chunk).unwrap_err().to_string().contains("too large"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
            framed.extend(&bytes);
            let _ = read::<Request>(&mut framed.as_slice());
            let _ = read::<Request>(&mut bytes.as_slice());
        }
    }
}
