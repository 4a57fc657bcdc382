//! Keystores: what we make unlocks in geth, what geth makes opens here.

use crate::geth::{Node, ask, chainwright, geth};
use chainwright::chain::keys::address_of;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with a keystore, and files with passwords.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().expect("a folder"));
        place.secret("password", "correct horse\n");
        // Neither letters beyond ASCII nor spaces at the end may be lost.
        place.secret("other", "b\u{e4}ttery \u{1f50b}  \n");
        fs::create_dir(place.0.path().join("keystore")).expect("a folder");
        place
    }

    fn secret(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode");
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.path("keystore")).expect("a folder");
        let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files
    }

    fn ours(&self, kdf: &str) -> String {
        let (keystore, password) = (self.path("keystore"), self.path("password"));
        let answer = ask(&["key", "new", "account", &keystore, "--password-file", &password, "--kdf", kdf]);
        answer["address"].as_str().expect("an address").to_owned()
    }

    fn geths(&self, light: &[&str]) {
        let (keystore, password) = (self.path("keystore"), self.path("password"));
        geth("geth", &[light, &["account", "new", "--keystore", &keystore, "--password", &password]].concat());
    }

    /// A node that unlocks these accounts with that password; it ends if it cannot. Geth takes one line for each account.
    fn unlocked(&self, accounts: &[&str], password: &str) -> Node {
        let line = fs::read_to_string(self.path(password)).expect("a file");
        self.secret("lines", &line.repeat(accounts.len()));
        let (keystore, lines) = (self.path("keystore"), self.path("lines"));
        let unlock = accounts.join(",");
        Node::start(self.0.path(), &["--dev", "--keystore", &keystore, "--unlock", &unlock, "--password", &lines])
    }
}

/// geth signs with the account; who signed is computed here from the signature alone.
fn signer(node: &mut Node, account: &str) -> String {
    let signature = node.when_it_can("eth_sign", &json!([account, "0x6f6e65"]));
    let signature = alloy_primitives::hex::decode(signature.as_str().expect("a signature")).expect("hexadecimal");
    let hash = alloy_primitives::keccak256(b"\x19Ethereum Signed Message:\n3one");
    let recovery = RecoveryId::from_byte(signature[64] - 27).expect("a recovery id");
    let half = Signature::from_slice(&signature[..64]).expect("a signature");
    let key = VerifyingKey::recover_from_prehash(hash.as_slice(), &half, recovery).expect("a key");
    address_of(&key.to_encoded_point(false).as_bytes()[1..]).to_checksum(None)
}

fn inspect(path: &Path, more: &[&str]) -> Value {
    ask(&[&["key", "inspect", &path.display().to_string()], more].concat())
}

#[test]
fn accounts_of_ours_are_listed_and_unlocked_by_geth() {
    let place = Place::new();
    let accounts = ["scrypt", "light", "pbkdf2"].map(|kdf| place.ours(kdf));
    let keystore = place.path("keystore");
    assert_eq!(chainwright(&["key", "list", &keystore]), geth("geth", &["account", "list", "--keystore", &keystore]));
    let mut node = place.unlocked(&accounts.each_ref().map(String::as_str), "password");
    for account in &accounts {
        assert_eq!(signer(&mut node, account), *account);
    }
}

#[test]
fn accounts_of_geth_open_here_and_take_another_password() {
    let place = Place::new();
    place.geths(&[]);
    place.geths(&["--lightkdf"]);
    let [standard, light] = &place.files()[..] else { panic!("two files") };
    let (password, other) = (place.path("password"), place.path("other"));
    let mut accounts = Vec::new();
    for (file, kdf) in [(standard, "scrypt, n=262144, r=8, p=1"), (light, "scrypt, n=4096, r=8, p=6")] {
        let seen = inspect(file, &["--password-file", &password]);
        assert_eq!((seen["kdf"].as_str(), &seen["opened"]), (Some(kdf), &json!(true)));
        let path = file.display().to_string();
        let files = ["--password-file", &password, "--new-password-file", &other];
        chainwright(&[&["key", "change-password", &path, "--kdf", "light"][..], &files].concat());
        accounts.push(seen["address"].as_str().expect("an address").to_owned());
    }
    let mut node = place.unlocked(&accounts.iter().map(String::as_str).collect::<Vec<_>>(), "other");
    for account in &accounts {
        assert_eq!(signer(&mut node, account), *account);
    }
}

#[test]
fn a_key_goes_from_our_keystore_into_geths_and_back() {
    let place = Place::new();
    let address = place.ours("light");
    let (password, bare, keystore) = (place.path("password"), place.path("bare"), place.path("keystore"));
    let shown = inspect(&place.files()[0], &["--password-file", &password, "--out", &bare]);
    assert_eq!(fs::metadata(&bare).expect("a file").permissions().mode() & 0o777, 0o600);

    let second = place.path("second");
    geth("geth", &["account", "import", "--lightkdf", "--keystore", &second, "--password", &password, &bare]);
    let imported = fs::read_dir(&second).expect("a folder").next().expect("a file").expect("an entry").path();
    let seen = inspect(&imported, &["--password-file", &password]);
    assert_eq!((&seen["address"], &seen["public_key"]), (&shown["address"], &shown["public_key"]));

    fs::remove_file(&place.files()[0]).expect("a file");
    let path = imported.display().to_string();
    let import = ["key", "import", "account", &path, &keystore, "--password-file", &password, "--address", &address];
    ask(&import);
    let mut node = place.unlocked(&[&address], "password");
    assert_eq!(signer(&mut node, &address), address);
}
