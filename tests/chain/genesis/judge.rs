//! One version of geth that makes block 0 of a file in a folder of its own.

use alloy_primitives::{hex, keccak256};
use alloy_rlp::Header;
use chainwright::chain::client::Version;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A program that was built.
pub struct Geth {
    program: PathBuf,
}

impl Geth {
    /// Builds the version, or takes the one that is there.
    pub fn of(version: Version) -> Self {
        Self { program: crate::geth::built(&version.to_string()).join("geth") }
    }

    fn run(&self, words: &[&str]) -> Output {
        Command::new(&self.program).args(words).output().expect("geth")
    }

    /// The genesis of a public network.
    pub fn dump_genesis(&self, network: &str) -> String {
        let dumped = self.run(&[&format!("--{network}"), "dumpgenesis"]);
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        String::from_utf8(dumped.stdout).expect("JSON")
    }

    /// `geth init`; the folder is gone with what is returned.
    pub fn init(&self, text: &str) -> Result<tempfile::TempDir, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("genesis.json");
        std::fs::write(&file, text).expect("a file");
        let data = folder.path().join("data");
        let ended = self.run(&["--datadir", path(&data), "init", path(&file)]);
        if ended.status.success() { Ok(folder) } else { Err(String::from_utf8_lossy(&ended.stderr).into_owned()) }
    }

    /// Every version exports blocks: the first item of a block is its header, whose Keccak hash is the block's.
    pub fn hash_of_block_0(&self, text: &str) -> String {
        let folder = self.init(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let (data, out) = (folder.path().join("data"), folder.path().join("block"));
        let ended = self.run(&["--datadir", path(&data), "export", path(&out), "0", "0"]);
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let block = std::fs::read(&out).expect("an exported block");
        let mut inner = block.as_slice();
        assert!(Header::decode(&mut inner).expect("RLP").list);
        let mut rest = inner;
        let header = Header::decode(&mut rest).expect("a header");
        let length = inner.len() - rest.len() + header.payload_length;
        hex::encode_prefixed(keccak256(&inner[..length]))
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
