//! Keys, enodes and node records: every bad input is one clear error, and no file is touched by it.

use crate::project::{Project, Ran};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const ADDRESS: &str = "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b";
const ENR: &str = "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8";
/// The public key of the record above.
const PUBLIC: &str = "ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f";

/// A folder with the key in hexadecimal, and as an account whose password is in `password`.
fn project() -> Project {
    let project = Project::new().file("key", KEY).file("password", "correct horse\n").file("wrong", "battery staple\n");
    let import = ["key", "import", "account", "key", "keystore", "--kdf", "light", "--password-file", "password"];
    project.chainwright(&import).code(0).says(ADDRESS);
    fs::rename(account(&project), project.path().join("keystore/account")).unwrap();
    project
}

/// The keystore's only file.
fn account(project: &Project) -> std::path::PathBuf {
    fs::read_dir(project.path().join("keystore")).unwrap().next().unwrap().unwrap().path()
}

/// Every file with its content and its mode.
fn state(folder: &Path) -> BTreeMap<String, (Vec<u8>, u32)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(state(&path));
        } else {
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            found.insert(path.display().to_string(), (fs::read(&path).unwrap(), mode));
        }
    }
    found
}

/// The command fails with this text, touches no file and shows no key.
#[track_caller]
fn refused(project: &Project, args: &[&str], text: &str) {
    let before = state(project.path());
    let ran = project.chainwright(args).code(1).says(text).silent_about(KEY);
    assert_eq!(ran.err.matches("error:").count(), 1, "{}", ran.err);
    assert_eq!(before, state(project.path()), "{args:?} touched a file");
}

const CHANGE: [&str; 7] =
    ["key", "change-password", "keystore/account", "--new-password-file", "password", "--kdf", "light"];

#[test]
fn a_wrong_password_changes_nothing() {
    let project = project();
    let wrong = [&CHANGE[..], &["--password-file", "wrong"]].concat();
    refused(&project, &wrong, "the password does not open this keystore file");
    refused(
        &project,
        &["key", "inspect", "keystore/account", "--password-file", "wrong", "--out", "out"],
        "does not open",
    );
    refused(
        &project,
        &["key", "import", "node", "keystore/account", "node", "--password-file", "wrong"],
        "does not open",
    );
    refused(&project, &["key", "inspect", "keystore/account", "--password-file", "nowhere"], "no such file");
    refused(&project, &["key", "inspect", "keystore/account", "--password-fd", "77"], "descriptor 77 is not open");
    refused(&project, &["key", "inspect", "keystore/account", "--open"], "no terminal");
}

#[test]
fn a_truncated_or_tampered_file_is_named_so_and_stays() {
    let whole = project();
    let text = fs::read_to_string(account(&whole)).unwrap();
    let change = [&CHANGE[..], &["--password-file", "password"]].concat();
    let swap = |field: &str, value: &str| {
        let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
        *file.pointer_mut(field).unwrap() = serde_json::from_str(value).unwrap();
        file.to_string()
    };
    for (text, reason) in [
        (text[..text.len() / 2].to_owned(), "it is cut short"),
        (text.replace("\"crypto\"", "\"cripto\""), "no `crypto`"),
        (swap("/crypto/mac", &format!("{:?}", "0".repeat(64))), "does not open this keystore file"),
        (swap("/crypto/ciphertext", &format!("{:?}", "0".repeat(64))), "does not open this keystore file"),
        (swap("/crypto/ciphertext", "\"00\""), "its `ciphertext` has 1 bytes instead of 32"),
        (swap("/crypto/mac", "\"xyz\""), "`mac` that is not hexadecimal"),
        (swap("/address", &format!("{:?}", "0".repeat(40))), "but holds the key of"),
        (swap("/address", &format!("{:?}", ADDRESS.replace("786b", "786B"))), "wrong checksum"),
        (swap("/crypto/kdfparams/n", "1099511627776"), "more than 2 GB"),
        (swap("/crypto/kdfparams/n", "4095"), "not a power of two"),
        (swap("/crypto/kdfparams/p", "4000000000"), "would take minutes"),
        (swap("/crypto/kdfparams/dklen", "1"), "`dklen` of 1"),
        (swap("/crypto/kdf", "\"rot13\""), "`rot13`"),
        (swap("/crypto/cipher", "\"des\""), "`des`"),
        (swap("/version", "1"), "version 1"),
        (KEY.to_owned(), "not a keystore file"),
        (String::new(), "not a keystore file"),
    ] {
        fs::write(account(&whole), text).unwrap();
        refused(&whole, &change, reason);
    }
}

#[test]
fn what_is_no_private_key_is_refused_without_repeating_it() {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    for (text, reason) in [
        ("z".repeat(64), "something else than hexadecimal digits"),
        (KEY[1..].to_owned(), "63 digits instead of 64"),
        (format!("{KEY}00"), "66 digits instead of 64"),
        ("0".repeat(64), "it is zero"),
        (order.to_owned(), "not below the order of the curve"),
        ("f".repeat(64), "not below the order of the curve"),
        ("\u{e9}".repeat(40), "something else than hexadecimal digits"),
        (String::new(), "there is nothing in it"),
    ] {
        let project = Project::new().file("bad", &text).file("password", "correct horse\n");
        for args in [
            &["key", "inspect", "bad"][..],
            &["key", "import", "node", "bad", "node"],
            &["key", "import", "account", "bad", "keystore", "--password-file", "password"],
            &["enode", "encode", "--node-key", "bad", "--host", "10.0.0.1"],
            &["enr", "encode", "--node-key", "bad"],
        ] {
            refused(&project, args, reason);
        }
    }
    let project = Project::new();
    fs::write(project.path().join("binary"), [0xff; 64]).unwrap();
    refused(&project, &["key", "inspect", "binary"], "it is no text");
    refused(&project, &["key", "inspect", "nowhere"], "nowhere: cannot read: no such file");
    refused(&project, &["key", "inspect", "."], "it is a folder");
}

#[test]
fn a_key_that_is_typed_instead_of_a_file_is_not_repeated() {
    let project = project();
    for args in [
        &["key", "inspect", KEY][..],
        &["key", "import", "node", KEY, "node"],
        &["enode", "encode", "--public-key", KEY, "--host", "10.0.0.1"],
        &["enode", "decode", &format!("enode://{KEY}@10.0.0.1:30303")],
    ] {
        refused(&project, args, "private key");
    }
}

#[test]
fn nothing_is_ever_overwritten_and_no_account_comes_twice() {
    let project = project();
    refused(&project, &["key", "new", "node", "key"], "key: it exists already");
    refused(&project, &["key", "new", "node", "folder/"], "folder/ names a folder");
    refused(&project, &["key", "new", "account", "key", "--password-file", "password"], "key is a file, not a folder");
    refused(&project, &["key", "import", "node", "key", "keystore/account"], "it exists already");
    refused(&project, &["key", "inspect", "keystore/account", "--password-file", "password", "--out", "key"], "exists");
    refused(
        &project,
        &["key", "import", "account", "key", "keystore", "--password-file", "password"],
        "is there already",
    );
}

#[test]
fn a_wrong_checksum_or_another_account_is_refused() {
    let project = project();
    let mistyped = ADDRESS.replace("786b", "786B");
    refused(&project, &["key", "inspect", "--keystore", "keystore", &mistyped], "wrong checksum: a digit is mistyped");
    project.chainwright(&["key", "inspect", "key", "--address", &mistyped]).code(5).says("wrong checksum");
    let other = "0x7ef5a6135f1fd6a02593eedc869c6d41d934aef8";
    refused(&project, &["key", "inspect", "key", "--address", other], "is the key of 0x008AeEda");
    refused(&project, &["key", "inspect", "--keystore", "keystore", other], "does not hold the account");
    project.chainwright(&["key", "inspect", "--keystore", "keystore", ADDRESS]).code(0).says("scrypt, n=4096");
}

#[test]
fn a_new_password_is_never_empty_and_never_an_argument() {
    let project = project().file("empty", "\nlater\n");
    refused(&project, &["key", "new", "account", "other", "--password-file", "empty"], "empty");
    let change = ["key", "change-password", "keystore/account", "--password-file", "password"];
    refused(&project, &[&change[..], &["--new-password-file", "empty"]].concat(), "empty");
    project.chainwright(&["key", "new", "account", "other", "--password", "secret"]).code(5);
}

#[test]
fn a_changed_password_opens_the_same_account_and_the_old_one_does_not() {
    let project = project();
    let account = project.path().join("keystore/account");
    fs::set_permissions(&account, fs::Permissions::from_mode(0o400)).unwrap();
    let change = ["key", "change-password", "keystore/account", "--kdf", "pbkdf2", "--password-file", "password"];
    project.chainwright(&[&change[..], &["--new-password-file", "wrong"]].concat()).code(0).says(ADDRESS);
    project.chainwright(&["key", "inspect", "keystore/account", "--password-file", "wrong"]).code(0).says("c=262144");
    refused(&project, &["key", "inspect", "keystore/account", "--password-file", "password"], "does not open");
    assert_eq!(fs::metadata(account).unwrap().permissions().mode() & 0o777, 0o400);
}

#[test]
fn passwords_come_from_descriptors_and_pipes_as_well() {
    let project = project();
    let shell = |command: &str| {
        let folder = Path::new(env!("CARGO_BIN_EXE_chainwright")).parent().unwrap().display();
        let script = format!("PATH={folder}:$PATH; chainwright key {command}");
        let output = Command::new("bash").args(["-c", &script]).current_dir(project.path()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    for source in [
        "--password-fd 3 3<password",
        "--password-fd 0 <password",
        "--password-fd 3 3< <(cat password)",
        "--password-file <(cat password)",
        "--password-file /dev/stdin <password",
    ] {
        let (code, text) = shell(&format!("inspect keystore/account {source}"));
        assert!(code == Some(0) && text.contains("opened      true"), "{source}: {text}");
    }
    let change = "change-password keystore/account --kdf light";
    let (code, text) = shell(&format!("{change} --password-fd 3 --new-password-fd 3 3<password"));
    assert!(code == Some(1) && text.contains("same descriptor"), "{text}");
    let (code, text) = shell(&format!("{change} --password-fd 3 --new-password-fd 4 3<password 4<wrong"));
    assert!(code == Some(0), "{text}");
    let (code, text) = shell("import node <(cat key) nodekey");
    assert!(code == Some(0) && text.contains(ADDRESS), "{text}");
}

#[test]
fn a_key_file_that_geth_would_not_read_is_told_apart() {
    let project = project().file("besu", &format!("0x{KEY}"));
    project.chainwright(&["key", "inspect", "besu"]).code(0).says(ADDRESS).says("geth does not read this file");
    project.chainwright(&["key", "import", "node", "besu", "nodekey"]).code(0);
    project.chainwright(&["key", "inspect", "nodekey"]).code(0).says(ADDRESS).silent_about("geth");
}

#[test]
fn new_files_are_private_and_keys_are_not_shown() {
    let project = Project::new().file("password", "correct horse\n");
    let node = project.chainwright(&["key", "new", "node", "geth/nodekey"]).code(0);
    let key = fs::read_to_string(project.path().join("geth/nodekey")).unwrap();
    assert!(key.len() == 64 && !node.out.contains(&key));
    project
        .chainwright(&["key", "new", "account", "keystore", "--kdf", "light", "--password-file", "password"])
        .code(0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&project.path().join("geth/nodekey")), mode(&account(&project))), (0o600, 0o600));
    assert_eq!((mode(&project.path().join("geth")), mode(&project.path().join("keystore"))), (0o700, 0o700));
    let out = ["key", "inspect", "geth/nodekey", "--out", "copy"];
    project.chainwright(&out).code(0).says("copy").silent_about(&key);
    assert_eq!(fs::read_to_string(project.path().join("copy")).unwrap(), key);
    assert_eq!(mode(&project.path().join("copy")), 0o600);
}

#[test]
fn a_keystore_is_listed_with_what_is_wrong_in_it() {
    let project = project();
    fs::copy(project.path().join("keystore/account"), project.path().join("keystore/copy")).unwrap();
    let project = project
        .file("keystore/broken", "{\"version\": 3")
        .file("keystore/notes.txt", "remember the milk")
        .file("keystore/nameless", "{\"version\": 3}")
        .file("keystore/.hidden", "x");
    let listed = project.chainwright(&["key", "list", "keystore"]).code(0);
    let listed = listed
        .in_order(&[
            "Account #0: {008aeeda4d805471df9b2a5b0f38a0c3bcba786b} keystore://",
            "Account #1",
            "keystore/copy",
        ])
        .says("is in 2 files; geth does not choose")
        .says("keystore/broken: this keystore file is damaged: it is cut short")
        .says("keystore/notes.txt: this is not a keystore file")
        .says("keystore/nameless: this keystore file names no address, so geth passes it over")
        .says("others than its owner can read");
    listed.silent_about(".hidden").silent_about("milk");
    let listed = project.chainwright(&["key", "list", "keystore", "--json"]).code(0);
    let value: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(value["accounts"][0]["address"], ADDRESS);
    assert_eq!(value["accounts"].as_array().map(Vec::len), Some(2));
    assert!(value["problems"].as_array().is_some_and(|problems| problems.len() >= 5));
    refused(&project, &["key", "inspect", "--keystore", "keystore", ADDRESS], "2 files hold the account");
    refused(&project, &["key", "list", "key"], "key is a file, not a folder");
    refused(&project, &["key", "list", "nowhere"], "there is no folder nowhere");
}

#[test]
fn enodes_and_records_are_read_written_and_converted() {
    let project = Project::new().file("nodekey", "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291");
    let node_key = ["--node-key", "nodekey"];
    let run = |args: &[&str]| project.chainwright(args).code(0);
    let record = run(&[&["enr", "encode", "--ip", "127.0.0.1", "--udp", "30303"][..], &node_key].concat());
    assert_eq!(record.out.trim(), ENR);
    run(&["enr", "decode", ENR])
        .says("127.0.0.1")
        .says("30303")
        .says("a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7");
    run(&["enr", "verify", ENR]).says("valid    true");
    let enode = format!("enode://{PUBLIC}@127.0.0.1:0?discport=30303");
    assert_eq!(run(&["enr", "convert", ENR]).out.trim(), enode);
    assert_eq!(run(&[&["enode", "convert", &enode][..], &node_key].concat()).out.trim(), ENR);
    let encoded = run(&["enode", "encode", "--public-key", PUBLIC, "--host", "2001:db8::1", "--udp", "0", "--json"]);
    assert!(encoded.out.contains(&format!("{PUBLIC}@[2001:db8::1]:30303?discport=0")), "{}", encoded.out);
    run(&[&["enode", "verify", &enode][..], &node_key].concat()).says("key matches  true").says("own host");
    run(&["enode", "decode", &enode]).says("node id");
}

#[test]
fn what_is_no_enode_and_no_record_is_named_with_the_reason() {
    let project = Project::new().file("other", KEY);
    let enode = format!("enode://{PUBLIC}@127.0.0.1:30303");
    let changed = ENR.replace("-IS4QHCY", "-IS4QHCX");
    let named = format!("enode://{PUBLIC}@node.example:30303");
    let zeros = format!("enode://{}@10.0.0.1:30303", "0".repeat(128));
    for (args, reason) in [
        (&["enode", "decode", "enode://12"][..], "it has no @"),
        (&["enode", "verify", &zeros], "not a public key"),
        (&["enode", "verify", &format!("{enode}0000")], "below 65536"),
        (&["enode", "verify", &enode, "--node-key", "other"], "other is not the key of this enode"),
        (&["enode", "convert", &enode, "--node-key", "other"], "other is not the key of this enode"),
        (&["enode", "convert", &named, "--node-key", "other"], "is not the key"),
        (&["enr", "verify", &changed], "signature of this node record is wrong"),
        (&["enr", "convert", &changed], "signature of this node record is wrong"),
        (&["enr", "decode", &ENR[..100]], "damaged or cut short"),
        (&["enr", "verify", &enode], "does not begin with enr:"),
        (&["enr", "decode", "enr:?"], "not base64"),
    ] {
        refused(&project, args, reason);
    }
    // A broken record is shown all the same.
    project.chainwright(&["enr", "decode", &changed]).code(1).says("valid       false").says("127.0.0.1");
}

/// What the terminal shows while the answers are typed, each when its question is there.
fn typed(project: &Project, command: &str, answers: &[(&str, &str)]) -> Ran {
    // Ctrl-C is for the whole terminal: without a trap the shell would end by it too, and its exit code be the one we see.
    let mut child = Command::new("timeout")
        .args(["60", "script", "-qec", &format!("trap : INT; {command}; exit $?"), "/dev/null"])
        .current_dir(project.path())
        .env("SHELL", "/bin/sh")
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", Path::new(env!("CARGO_BIN_EXE_chainwright")).parent().unwrap().display()),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script, of the package bsdutils");
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut shown = Vec::new();
    for (question, answer) in answers {
        let start = shown.len();
        let mut byte = [0];
        while !String::from_utf8_lossy(&shown[start..]).contains(question) && stdout.read(&mut byte).unwrap() == 1 {
            shown.push(byte[0]);
        }
        stdin.write_all(answer.as_bytes()).unwrap();
    }
    stdout.read_to_end(&mut shown).unwrap();
    drop(stdin);
    let code = child.wait().unwrap().code().unwrap_or(-1);
    Ran { code, out: String::from_utf8_lossy(&shown).into_owned(), err: String::new() }
}

#[test]
fn a_typed_password_is_asked_twice_and_not_shown() {
    let project = project();
    let new = "chainwright key new account typed --kdf light";
    typed(&project, new, &[("new account: ", "geheim\n"), ("again: ", "geheim\n")])
        .code(0)
        .says("0x")
        .silent_about("geheim");
    typed(&project, new, &[("new account: ", "geheim\n"), ("again: ", "gehein\n")])
        .code(1)
        .says("the two passwords differ");
    let open = "chainwright key inspect keystore/account --open";
    typed(&project, open, &[("account: ", "correct horse\n")]).code(0).says("true").silent_about("correct");
    let before = state(project.path());
    typed(&project, new, &[("new account: ", "\u{3}")]).code(99);
    assert_eq!(before, state(project.path()));
}
