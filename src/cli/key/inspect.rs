//! `chainwright key inspect`: what a key file holds, without its secret.

use super::content::{Content, WhichKey};
use super::files;
use super::password::PasswordArgs;
use crate::base::{Failure, Map, failure::Result};
use crate::chain::{Address, Enode, NodeKey, parse_address};
use clap::Args;
use std::path::PathBuf;

/// Show what a key file holds, without its secret.
///
/// Of an account's file the password is needed only to prove that it opens the file (--open, or a password option), and
/// for --out.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chainwright key inspect geth/nodekey\n  chainwright key inspect --keystore keystore \
    0x7ef5a6135f1fd6a02593eedc869c6d41d934aef8 --password-file password"
)]
pub struct InspectArgs {
    #[command(flatten)]
    which: WhichKey,
    #[command(flatten)]
    password: PasswordArgs,
    /// Prove that the password opens the account's file
    #[arg(long)]
    open: bool,
    /// Fail if the key is not this account's
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    address: Option<Address>,
    /// Write the private key into this new file (0600): 64 hexadecimal digits that anybody who reads them can use
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Shows it.
pub fn run(args: &InspectArgs) -> Result<Map> {
    let path = args.which.path()?;
    if let Some(out) = &args.out {
        files::must_be_new(out)?;
    }
    let content = Content::read(&path)?;
    let mut answer = Map::new();
    answer.insert("path".into(), path.display().to_string().into());
    let wanted = args.open || args.out.is_some() || args.password.given();
    let (key, named) = match &content {
        Content::Plain(key, _) => {
            answer.insert("kind".into(), "private key in hexadecimal".into());
            (Some(key.node()), Some(key.address()))
        }
        Content::Sealed(keystore) => {
            answer.insert("kind".into(), "account, keystore version 3".into());
            answer.insert("kdf".into(), keystore.kdf().to_string().into());
            answer.insert("id".into(), keystore.id.clone().into());
            let key = wanted.then(|| content.open(&path, &args.password)).transpose()?.map(|key| key.node());
            answer.insert("opened".into(), key.is_some().into());
            let address = key.as_ref().map(|key| key.account().address()).or(keystore.address);
            answer.insert("address".into(), address.map(|address| address.to_checksum(None)).into());
            (key, address)
        }
    };
    if let Some(wanted) = args.address.filter(|wanted| Some(*wanted) != named) {
        let found = named.map_or("an account that it does not name".to_owned(), |address| address.to_checksum(None));
        return Err(Failure::new(format!("{} is the key of {found}, not of {wanted}", path.display())));
    }
    if let Some(key) = &key {
        public(&mut answer, key)?;
    }
    if let Content::Plain(_, false) = content {
        let note = "geth does not read this file: it has something before or after the 64 digits; `chainwright key import node` \
                    writes a file that it reads";
        answer.insert("notes".into(), vec![note].into());
    }
    if let (Some(out), Some(key)) = (&args.out, &key) {
        files::make(out, key.to_hex().as_bytes())?;
        answer.insert("private_key_in".into(), out.display().to_string().into());
    }
    Ok(answer)
}

/// What is public of a key: the account's address, the node's key and id.
pub fn public(answer: &mut Map, key: &NodeKey) -> Result<()> {
    let public_key = key.public_key();
    let id = Enode::new(&public_key, "0.0.0.0", 0, 0)?.id();
    answer.insert("address".into(), key.account().address().to_checksum(None).into());
    answer.insert("public_key".into(), public_key.into());
    answer.insert("node_id".into(), id.into());
    Ok(())
}
