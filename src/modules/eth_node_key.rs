//! `eth_node_key`: the key a node speaks devp2p with, made on the host.

use super::loose::Number;
use super::{BlobRef, Controller, Cx, Module, Reach, Result, eth};
use crate::base::{Diff, Failure};
use crate::chain::{Enode, NodeKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::Zeroizing;

/// Makes a node's devp2p key (geth's `nodekey` file, mode 0400) on the host itself if there is none, or installs a given
/// one. The key never leaves the host; its public half comes back. A key that exists is never overwritten, and a
/// file that is not a key is left as it is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthNodeKey {
    /// The file; geth looks for `DATADIR/geth/nodekey`. Missing folders above it are made (mode 0700).
    pub path: String,
    /// Who owns the file: the user that runs the node.
    #[serde(default)]
    pub owner: Option<String>,
    /// The file's group.
    #[serde(default)]
    pub group: Option<String>,
    /// Install this key file of the controller instead of making a key.
    #[serde(default)]
    pub src: Option<String>,
    /// Install this key file of the host instead of making a key.
    #[serde(default)]
    pub import_from: Option<String>,
    /// The address at which other nodes reach this one, for the enode that is returned.
    #[serde(default)]
    pub address: Option<String>,
    /// The devp2p port, for the enode that is returned.
    #[serde(default = "port")]
    pub port: Number,
    /// The discovery port, for the enode that is returned: 0 if the node takes no part in discovery. Default: `port`.
    #[serde(default)]
    pub discovery_port: Option<Number>,
    #[serde(default)]
    #[schemars(skip)]
    src_blob: Option<BlobRef>,
}

fn port() -> Number {
    Number(30303)
}

/// What `eth_node_key` returns. In check mode the public parts of a key that is yet to be made are null; those of one to install are known.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The file.
    path: String,
    /// 128 hexadecimal digits.
    public_key: Option<String>,
    /// The Keccak hash of the public key: the node's id in discovery and in `admin_peers`.
    node_id: Option<String>,
    /// `enode://..`, if `address` was given.
    enode: Option<String>,
    /// Whether there was no key before.
    created: bool,
}

impl Module for EthNodeKey {
    const NAME: &'static str = "eth_node_key";
    const EXAMPLE: &'static str = "\
- eth_node_key:
    path: /var/lib/geth/geth/nodekey
    owner: geth
    group: geth
    address: 10.0.0.1
  register: node_key";
    const REACH: Reach = Reach::Host;
    type Output = Output;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        if let Some(src) = &self.src {
            self.src_blob = Some(controller.blob_file(&controller.find("files", src)?)?);
        }
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let path = Path::new(&self.path);
        let wanted = eth::traits_or_later(cx, self.owner.as_deref(), self.group.as_deref(), 0o400)?;
        let existing = cx.system.read_text_if_there(path)?.map(Zeroizing::new);
        let existing = existing.map(|text| NodeKey::from_hex(&text)).transpose().map_err(|failure| {
            failure.context(format!("{} holds no node key, and is left as it is", self.path)).help(
                "restore the key from a backup; or, if the node may take a new identity, move the file away and run again",
            )
        })?;
        let given = self.given(cx)?;
        let created = existing.is_none();
        // Of a key that is given the public half is known before it is installed.
        let given_public = given.as_ref().map(NodeKey::public_key);
        let key = match (existing, given) {
            (Some(existing), Some(given)) if existing.public_key() != given.public_key() => {
                return Err(Failure::new(format!(
                    "{} already holds another node key, of {}.., not of {}..; it is left as it is",
                    self.path,
                    &existing.public_key()[..16],
                    &given.public_key()[..16]
                ))
                .help("leave out `src` and `import_from` to keep the key that is there, or move the file away"));
            }
            (Some(existing), _) => {
                eth::keep(cx, path, wanted)?;
                Some(existing)
            }
            (None, given) => {
                if let Some(folder) = path.parent()
                    && cx.system.meta(folder)?.is_none()
                {
                    eth::private_folder(cx, folder, wanted)?;
                }
                let what = if given.is_some() { "install" } else { "make" };
                cx.change(Diff::action(format!("{what} node key {}", self.path)), |writer| {
                    let key = given.map_or_else(NodeKey::generate, Ok)?;
                    writer.write_new(path, key.to_hex().as_bytes(), wanted)?;
                    Ok(key)
                })?
            }
        };
        let public_key = key.map(|key| key.public_key()).or(given_public);
        let enode = public_key.as_deref().map(|key| self.enode(key)).transpose()?;
        Ok(Output {
            path: self.path.clone(),
            node_id: enode.as_ref().map(Enode::id),
            enode: enode.filter(|_| self.address.is_some()).map(|enode| enode.to_string()),
            public_key,
            created,
        })
    }
}

impl EthNodeKey {
    fn given(&self, cx: &Cx) -> Result<Option<NodeKey>> {
        let text = match (&self.src_blob, &self.import_from) {
            (Some(_), Some(_)) => return Err(Failure::new("give `src` or `import_from`, not both")),
            (Some(blob), None) => eth::small_text(cx, blob)?,
            (None, Some(path)) => Zeroizing::new(cx.system.read_text(Path::new(path))?),
            (None, None) => return Ok(None),
        };
        let from = self.src.as_ref().or(self.import_from.as_ref()).map_or("", String::as_str);
        NodeKey::from_hex(&text).map(Some).map_err(|failure| failure.context(from))
    }

    fn enode(&self, public_key: &str) -> Result<Enode> {
        let port = |number: Number, name: &str| {
            u16::try_from(number.0).map_err(|_| Failure::new(format!("`{name}` is {}, not a port", number.0)))
        };
        let tcp = port(self.port, "port")?;
        let udp = self.discovery_port.map_or(Ok(tcp), |number| port(number, "discovery_port"))?;
        Enode::new(public_key, self.address.as_deref().unwrap_or("0.0.0.0"), tcp, udp)
    }
}

#[cfg(test)]
mod tests {
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    #[test]
    fn a_key_is_made_once_and_kept() {
        let host = Host::new();
        let args = json!({"path": "/data/geth/nodekey", "address": "10.0.0.1"});
        let first = outcome(&host, "eth_node_key", &args, false).unwrap();
        assert!(first.changed());
        let second = outcome(&host, "eth_node_key", &args, false).unwrap();
        assert!(!second.changed());
        assert_eq!(first.output["public_key"], second.output["public_key"]);
        assert!(first.output["enode"].as_str().unwrap().ends_with("@10.0.0.1:30303"));
        assert_eq!(host.mode("/data/geth/nodekey"), 0o400);
        let secret = host.read("/data/geth/nodekey");
        assert!(!format!("{first:?}").contains(&secret));
    }

    #[test]
    fn check_mode_makes_nothing() {
        let host = Host::new();
        let outcome = outcome(&host, "eth_node_key", &json!({"path": "/nodekey"}), true).unwrap();
        assert!(outcome.changed() && outcome.output["public_key"].is_null());
        assert!(!host.exists("/nodekey"));
    }

    #[test]
    fn a_file_that_is_no_key_is_left_as_it_is() {
        let host = Host::new();
        host.write("/nodekey", "rubbish");
        let failure = outcome(&host, "eth_node_key", &json!({"path": "/nodekey"}), false).unwrap_err();
        assert!(failure.message.contains("left as it is"), "{failure}");
        assert_eq!(host.read("/nodekey"), "rubbish");
    }

    #[test]
    fn a_given_key_is_installed_but_never_over_another() {
        let host = Host::new();
        host.write("/old", "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291");
        let args = json!({"path": "/nodekey", "import_from": "/old"});
        let first = outcome(&host, "eth_node_key", &args, false).unwrap();
        assert!(first.output["public_key"].as_str().unwrap().starts_with("ca634cae0d49acb4"));
        host.write("/old", &"1".repeat(64));
        let failure = outcome(&host, "eth_node_key", &args, false).unwrap_err();
        assert!(failure.message.contains("another node key"), "{failure}");
    }
}
