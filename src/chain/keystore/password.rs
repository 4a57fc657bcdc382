//! Passwords of accounts: where files hold them, and new ones.

use crate::base::{Failure, Secret, failure::Result};
use zeroize::Zeroizing;

/// The password in a file's text: its first line, as geth reads `--password`. May be empty.
pub fn first_line(text: &str) -> Secret {
    Secret::new(text.split('\n').next().unwrap_or_default().trim_end_matches('\r').to_owned())
}

/// 40 letters and digits: 238 bits.
pub fn random() -> Result<Secret> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut password = String::with_capacity(40);
    let mut random = Zeroizing::new([0_u8; 64]);
    while password.len() < 40 {
        getrandom::fill(random.as_mut_slice())
            .map_err(|error| Failure::new(format!("the host gives no random numbers: {error}")))?;
        // Bytes from 248 on would make the first letters likelier.
        let letters =
            random.iter().filter(|byte| **byte < 248).map(|byte| char::from(LETTERS[usize::from(*byte) % 62]));
        password.extend(letters.take(40 - password.len()));
    }
    Ok(Secret::new(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts_without_its_end() {
        for text in ["secret words", "secret words\n", "secret words\r\nmore\n"] {
            assert_eq!(first_line(text).expose(), "secret words");
        }
        assert_eq!(first_line(" spaces stay \n").expose(), " spaces stay ");
        assert_eq!(first_line("\nlater").expose(), "");
    }

    #[test]
    fn two_random_passwords_differ() {
        let (one, two) = (random().unwrap(), random().unwrap());
        assert!(one.expose().len() == 40 && one != two);
    }
}
