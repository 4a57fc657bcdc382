//! What compilers write of a contract: the interface, the code that makes it, the code that it then has.
//!
//! Read are: solc's standard JSON output and `--combined-json`, Hardhat's, Truffle's and Foundry's files, and bare hexadecimal code.

use super::abi::{self, JsonAbi, Param};
use super::code::Runtime;
use crate::base::{Failure, Value, failure::Result};
use alloy_primitives::{Bytes, hex};
use serde::{Deserialize, Serialize};

/// A contract that can be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// Its name, where the file says it.
    pub name: Option<String>,
    /// What its constructor takes. `None`: the file does not say.
    pub constructor: Option<Vec<Param>>,
    /// The code that makes it, without the constructor's arguments.
    pub creation: Bytes,
    /// The code that it then has, where the file says it.
    pub runtime: Option<Runtime>,
}

/// The interface in a compiler's file: of the only contract in it, or of the one with this name.
pub fn interface(text: &str, contract: Option<&str>) -> Result<JsonAbi> {
    let file = json(text)?;
    if file.is_array() {
        return read_abi(&file);
    }
    let (_, found) = find(&file, contract)?;
    match found.get("abi") {
        Some(abi) => read_abi(abi),
        None => Err(Failure::new("this file has no `abi`")),
    }
}

impl Artefact {
    /// Reads a compiler's file. `contract` chooses one of several. Fails where what is in it cannot be deployed.
    pub fn read(text: &str, contract: Option<&str>) -> Result<Self> {
        let bare = text.trim();
        let digits = bare.strip_prefix("0x").unwrap_or(bare);
        if !bare.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'_' || byte == b'$') {
            let creation = code(&Value::String(bare.to_owned()), "this file")?;
            return Ok(Self { name: None, constructor: None, creation, runtime: None });
        }
        let file = json(text)?;
        let (name, found) = find(&file, contract)?;
        let evm = found.get("evm").unwrap_or(found);
        let part = |names: &[&str]| names.iter().find_map(|name| evm.get(*name));
        let creation = part(&["bytecode", "bin"]).ok_or_else(|| {
            Failure::new("this file has no `bytecode`")
                .help("give the compiler's output for the contract: `evm.bytecode.object`, `bytecode` or `bin` in it is the code")
        })?;
        let deployed = part(&["deployedBytecode", "bin-runtime"]).filter(|value| !value.is_null());
        let runtime = deployed.map(|value| -> Result<Runtime> {
            let listed = value.get("immutableReferences").or_else(|| found.get("immutableReferences"));
            Ok(Runtime { code: code(value, "the deployed bytecode")?, immutables: listed.map(immutables).transpose()? })
        });
        let abi = found.get("abi").map(read_abi).transpose()?;
        Ok(Self {
            name,
            constructor: abi.map(|abi| abi.constructor.map(|made| made.inputs).unwrap_or_default()),
            creation: code(creation, "the bytecode")?,
            // Older compilers leave it empty, which says nothing.
            runtime: runtime.transpose()?.filter(|runtime| !runtime.code.is_empty()),
        })
    }

    /// The data of the transaction that makes the contract: its code and its constructor's arguments.
    pub fn creation_with(&self, arguments: &Value) -> Result<Vec<u8>> {
        let mut data = self.creation.to_vec();
        match &self.constructor {
            Some(params) => data.extend(abi::encode(abi::values("the constructor", params, arguments)?)),
            None if arguments.is_null() || arguments.as_array().is_some_and(Vec::is_empty) => {}
            None => {
                return Err(Failure::new("there is no ABI that says what the constructor takes")
                    .help("give a compiler's JSON file with `abi` in it, or code that has its arguments behind it, and no `args`"));
            }
        }
        Ok(data)
    }
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        Failure::new(format!("this is no compiler's output: {error}"))
            .help("give a JSON file of solc, Hardhat, Truffle or Foundry, or bare hexadecimal code")
    })
}

/// Newer compilers write a table or list, `solc --combined-json` of old wrote it as a text.
fn read_abi(abi: &Value) -> Result<JsonAbi> {
    let text = abi.as_str().map_or_else(|| abi.to_string(), str::to_owned);
    serde_json::from_str(&text).map_err(|error| Failure::new(format!("the `abi` of this file cannot be read: {error}")))
}

/// The contract's own table, and its name.
fn find<'a>(file: &'a Value, wanted: Option<&str>) -> Result<(Option<String>, &'a Value)> {
    let contracts = file.get("contracts").or_else(|| file.get("output")?.get("contracts")).and_then(Value::as_object);
    let Some(contracts) = contracts else {
        let own = ["contractName", "name"].iter().find_map(|name| file.get(*name)).and_then(Value::as_str);
        return match (wanted, own) {
            (Some(wanted), Some(own)) if wanted != own => {
                Err(Failure::new(format!("this file is of the contract {own}, wanted is {wanted}")))
            }
            _ => Ok((own.or(wanted).map(str::to_owned), file)),
        };
    };
    let mut all: Vec<(String, &Value)> = Vec::new();
    for (key, value) in contracts {
        // `file:Name` of `--combined-json`, else a table from file to contracts.
        if value.get("bin").is_some() || value.get("abi").is_some() {
            all.push((key.clone(), value));
        } else {
            let inner = value.as_object().into_iter().flatten();
            all.extend(inner.map(|(name, value)| (format!("{key}:{name}"), value)));
        }
    }
    let short = |full: &str| full.rsplit(':').next().unwrap_or(full).to_owned();
    let mut fitting: Vec<_> =
        all.iter().filter(|(full, _)| wanted.is_none_or(|wanted| full == wanted || short(full) == wanted)).collect();
    let names: Vec<&str> = all.iter().map(|(full, _)| full.as_str()).collect();
    let help = format!("`contract` chooses one of {}", names.join(", "));
    match (fitting.pop(), fitting.is_empty()) {
        (Some((full, value)), true) => Ok((Some(short(full)), value)),
        (Some(_), false) => Err(Failure::new("this file has several contracts that could be meant").help(help)),
        (None, _) => Err(Failure::new(format!("this file has no contract {}", wanted.unwrap_or_default())).help(help)),
    }
}

/// Code: a text, or a table whose `object` is one.
fn code(value: &Value, what: &str) -> Result<Bytes> {
    let text = value.get("object").unwrap_or(value);
    let text = text.as_str().ok_or_else(|| Failure::new(format!("{what} is not a text of hexadecimal digits")))?.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.is_empty() {
        return if what == "the deployed bytecode" {
            Ok(Bytes::new())
        } else {
            Err(Failure::new("there is no code to deploy: the bytecode is empty")
                .help("interfaces and abstract contracts have none; name the contract that implements it"))
        };
    }
    if let Some(at) = digits.find("__") {
        let names = libraries(value);
        let placeholder: String = digits[at..].chars().take(40).collect();
        let library =
            if names.is_empty() { format!("`{}`", placeholder.trim_end_matches('_')) } else { names.join(", ") };
        return Err(Failure::new(format!("the bytecode is not linked: the address of the library {library} is missing in it"))
            .help("deploy the library first, and have the compiler link it (`solc --link`, `libraries` in Hardhat's and Foundry's settings)"));
    }
    match hex::decode(digits) {
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(Failure::new(format!("{what} is not a text of hexadecimal digits"))),
    }
}

/// The libraries that a compiler's table names as missing.
fn libraries(value: &Value) -> Vec<String> {
    let files = value.get("linkReferences").and_then(Value::as_object).into_iter().flatten();
    files.flat_map(|(_, names)| names.as_object().into_iter().flatten().map(|(name, _)| name.clone())).collect()
}

/// Where the constructor puts values into the code: each as start and length in bytes.
fn immutables(listed: &Value) -> Result<Vec<(usize, usize)>> {
    let wrong = || Failure::new("the `immutableReferences` of this file cannot be read");
    let mut places = Vec::new();
    for place in listed.as_object().ok_or_else(wrong)?.values().filter_map(Value::as_array).flatten() {
        let number =
            |name: &str| place.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        places.push((number("start").ok_or_else(wrong)?, number("length").ok_or_else(wrong)?));
    }
    places.sort_unstable();
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn abi() -> Value {
        json!([{"type": "constructor", "inputs": [{"name": "limit", "type": "uint8"}], "stateMutability": "payable"}])
    }

    fn read(file: Value, contract: Option<&str>) -> Result<Artefact> {
        Artefact::read(&file.to_string(), contract)
    }

    #[test]
    fn the_files_of_all_compilers_say_the_same() {
        let links = json!({"5": [{"start": 1, "length": 2}]});
        let solc = json!({"abi": abi(), "evm": {"bytecode": {"object": "6001"},
            "deployedBytecode": {"object": "600200", "immutableReferences": links}}});
        let foundry = json!({"abi": abi(), "bytecode": {"object": "0x6001", "linkReferences": {}},
            "deployedBytecode": {"object": "0x600200", "immutableReferences": links}});
        let hardhat = json!({"contractName": "Home", "abi": abi(), "bytecode": "0x6001", "deployedBytecode": "0x600200",
            "immutableReferences": links});
        let wanted = read(hardhat, None).unwrap();
        assert_eq!(wanted.name.as_deref(), Some("Home"));
        assert_eq!(wanted.runtime.as_ref().unwrap().immutables, Some(vec![(1, 2)]));
        assert_eq!(read(foundry, Some("Home")).unwrap(), wanted);
        assert_eq!(read(solc.clone(), Some("Home")).unwrap(), wanted);
        assert_eq!(read(json!({"contracts": {"a.sol": {"Home": solc}}}), None).unwrap(), wanted);
        let mut with_arguments = vec![0; 34];
        (with_arguments[0], with_arguments[1], with_arguments[33]) = (0x60, 1, 9);
        assert_eq!(wanted.creation_with(&json!([9])).unwrap(), with_arguments);
        let combined =
            json!({"contracts": {"a.sol:Home": {"abi": abi().to_string(), "bin": "6001", "bin-runtime": "600200"}}});
        assert_eq!(read(combined, None).unwrap().runtime.unwrap().immutables, None);
    }

    #[test]
    fn bare_code_has_no_interface() {
        let bare = Artefact::read("0x6001\n", None).unwrap();
        assert_eq!((&bare.creation[..], bare.runtime.is_none()), (&[0x60, 1][..], true));
        assert_eq!(bare.creation_with(&json!([])).unwrap(), [0x60, 1]);
        assert!(bare.creation_with(&json!([1])).unwrap_err().message.contains("no ABI"));
    }

    #[test]
    fn what_cannot_be_deployed_is_refused_with_its_reason() {
        let linked = json!({"Math": [{"start": 1, "length": 20}]});
        let two = json!({"contracts": {"a.sol": {"A": {"abi": [], "evm": {"bytecode": {"object": "00"}}},
            "B": {"abi": [], "evm": {"bytecode": {"object": "00"}}}}}});
        for (file, contract, reason) in [
            (json!({"abi": [], "bytecode": "0x"}), None, "the bytecode is empty"),
            (
                json!({"abi": [], "bytecode": {"object": "73__$aabbccddeeff00112233445566778899aa$__30",
                "linkReferences": {"m.sol": linked}}}),
                None,
                "the library Math is missing",
            ),
            (
                json!({"abi": [], "bytecode": "73__m.sol:Math____________________________30"}),
                None,
                "`__m.sol:Math` is missing",
            ),
            (json!({"abi": [], "bytecode": "0x600"}), None, "not a text of hexadecimal"),
            (json!({"abi": []}), None, "no `bytecode`"),
            (json!({"abi": 5, "bytecode": "00"}), None, "`abi` of this file cannot be read"),
            (two.clone(), None, "several contracts"),
            (two.clone(), Some("C"), "no contract C"),
            (json!({"contractName": "A", "bytecode": "00"}), Some("B"), "is of the contract A, wanted is B"),
        ] {
            let failure = read(file, contract).unwrap_err();
            assert!(failure.message.contains(reason), "{failure}");
        }
        assert!(Artefact::read("pragma solidity", None).unwrap_err().message.contains("no compiler's output"));
        assert!(Artefact::read("", None).unwrap_err().message.contains("no compiler's output"));
        assert_eq!(read(two, Some("B")).unwrap().name.as_deref(), Some("B"));
    }

    #[test]
    fn an_interface_comes_from_an_artefact_or_from_a_bare_list() {
        let event = json!([{"type": "event", "name": "E", "inputs": [], "anonymous": false}]);
        assert_eq!(interface(&event.to_string(), None).unwrap().events.len(), 1);
        assert_eq!(interface(&json!({"abi": event}).to_string(), None).unwrap().events.len(), 1);
    }
}
