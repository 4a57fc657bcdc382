//! Values of a contract's interface (the ABI): from what people write, and to JSON.

use super::{parse_address, quantity};
use crate::base::{Failure, Value, failure::Result};
use alloy_dyn_abi::{DynSolType, DynSolValue, Specifier};
pub use alloy_json_abi::{Event, Function, JsonAbi, Param};
use alloy_primitives::{B256, I256, U256, hex};
use serde_json::json;

/// The values for these parameters: a list in their order, or a table by their names. `of` names whose they are in failures:
/// `the constructor`.
pub fn values(of: &str, params: &[Param], given: &Value) -> Result<Vec<DynSolValue>> {
    let wants = || format!("{of} takes {}", list(params));
    let given: Vec<&Value> = match given {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        Value::Object(table) => {
            if let Some(name) = table.keys().find(|name| !params.iter().any(|param| param.name == **name)) {
                return Err(Failure::new(format!("{of} has no parameter `{name}`")).help(wants()));
            }
            let by_name = params.iter().map(|param| {
                table
                    .get(&param.name)
                    .ok_or_else(|| Failure::new(format!("{of} wants a value for `{}`", param.name)).help(wants()))
            });
            by_name.collect::<Result<_>>()?
        }
        other => {
            return Err(Failure::new(format!("{other} are no arguments for {of}"))
                .help(format!("write a list, or a table by name; {}", wants())));
        }
    };
    if given.len() != params.len() {
        let (count, wanted) = (given.len(), params.len());
        let were = if count == 1 { "is given" } else { "are given" };
        return Err(Failure::new(format!("{of} wants {wanted} arguments, {count} {were}")).help(wants()));
    }
    let pairs = params.iter().zip(given).enumerate();
    pairs
        .map(|(index, (param, value))| {
            let name = if param.name.is_empty() { String::new() } else { format!(" `{}`", param.name) };
            read(param, value)
                .map_err(|failure| failure.context(format!("argument {}{name} of {of} ({})", index + 1, param.ty)))
        })
        .collect()
}

/// The type of a parameter.
pub fn kind(param: &Param) -> Result<DynSolType> {
    param.resolve().map_err(|_| Failure::new(format!("`{}` is not a type of the ABI", param.ty)))
}

/// One value of a parameter.
pub fn read(param: &Param, value: &Value) -> Result<DynSolValue> {
    one(&kind(param)?, &param.components, value)
}

fn one(kind: &DynSolType, components: &[Param], value: &Value) -> Result<DynSolValue> {
    let wrong = |what: &str| Failure::new(format!("{value} is not {what}"));
    Ok(match kind {
        DynSolType::Bool => DynSolValue::Bool(match value {
            Value::Bool(bool) => *bool,
            Value::String(text) if text.eq_ignore_ascii_case("true") => true,
            Value::String(text) if text.eq_ignore_ascii_case("false") => false,
            _ => return Err(wrong("a boolean").help("write true or false")),
        }),
        DynSolType::Uint(bits) => {
            let number = quantity::number(value)?;
            if number.bit_len() > *bits {
                return Err(wrong(&format!("a number of {bits} bits")));
            }
            DynSolValue::Uint(number, *bits)
        }
        DynSolType::Int(bits) => DynSolValue::Int(signed(value, *bits)?, *bits),
        DynSolType::Address => {
            DynSolValue::Address(parse_address(value.as_str().ok_or_else(|| wrong("an address in quotes"))?)?)
        }
        DynSolType::FixedBytes(size) => {
            let bytes = prefixed(value)?;
            if bytes.len() != *size {
                return Err(Failure::new(format!("{value} has {} bytes, not {size}", bytes.len())));
            }
            DynSolValue::FixedBytes(B256::right_padding_from(&bytes), *size)
        }
        DynSolType::Bytes => DynSolValue::Bytes(prefixed(value)?),
        DynSolType::String => DynSolValue::String(match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(wrong("a text")),
        }),
        DynSolType::Array(inner) => DynSolValue::Array(items(inner, components, value)?),
        DynSolType::FixedArray(inner, size) => {
            let items = items(inner, components, value)?;
            if items.len() != *size {
                return Err(Failure::new(format!("{value} has {} entries, not {size}", items.len())));
            }
            DynSolValue::FixedArray(items)
        }
        DynSolType::Tuple(kinds) if components.len() == kinds.len() => {
            DynSolValue::Tuple(values("the struct", components, value)?)
        }
        other => return Err(Failure::new(format!("values of the type {other} are not read"))),
    })
}

fn items(inner: &DynSolType, components: &[Param], value: &Value) -> Result<Vec<DynSolValue>> {
    let list = value.as_array().ok_or_else(|| Failure::new(format!("{value} is not a list")))?;
    list.iter().map(|item| one(inner, components, item)).collect()
}

fn signed(value: &Value, bits: usize) -> Result<I256> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => String::new(),
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.as_str()),
    };
    let number = quantity::number(&json!(digits))
        .map_err(|failure| Failure { message: format!("{value} is not a number"), ..failure })?;
    // Two's complement: -2^(bits-1) to 2^(bits-1)-1.
    let limit = U256::from(1) << (bits - 1);
    if number > limit || number == limit && !negative {
        return Err(Failure::new(format!("{value} is not a signed number of {bits} bits")));
    }
    let raw = I256::from_raw(number);
    Ok(if negative { raw.wrapping_neg() } else { raw })
}

fn prefixed(value: &Value) -> Result<Vec<u8>> {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
    digits
        .and_then(|digits| hex::decode(digits).ok())
        .ok_or_else(|| Failure::new(format!("{value} is not bytes")).help("write 0x and pairs of hexadecimal digits"))
}

/// A value as JSON. Numbers of at most 64 bits are numbers, of larger types always decimal texts; addresses have their checksum, bytes
/// begin with `0x`.
pub fn json(value: &DynSolValue) -> Value {
    let many = |items: &[DynSolValue]| Value::Array(items.iter().map(json).collect());
    match value {
        DynSolValue::Bool(bool) => json!(bool),
        DynSolValue::Uint(number, bits) if *bits <= 64 => json!(u64::try_from(*number).unwrap_or(u64::MAX)),
        DynSolValue::Int(number, bits) if *bits <= 64 => json!(i64::try_from(*number).unwrap_or(i64::MAX)),
        DynSolValue::Uint(number, _) => json!(number.to_string()),
        DynSolValue::Int(number, _) => json!(number.to_string()),
        DynSolValue::Address(address) => json!(address.to_checksum(None)),
        DynSolValue::FixedBytes(word, size) => json!(hex::encode_prefixed(&word[..(*size).min(32)])),
        DynSolValue::Bytes(bytes) => json!(hex::encode_prefixed(bytes)),
        DynSolValue::Function(function) => json!(hex::encode_prefixed(function.as_slice())),
        DynSolValue::String(text) => json!(text),
        DynSolValue::Array(items) | DynSolValue::FixedArray(items) | DynSolValue::Tuple(items) => many(items),
    }
}

/// Values under each other, as a call's arguments.
pub fn encode(values: Vec<DynSolValue>) -> Vec<u8> {
    DynSolValue::Tuple(values).abi_encode_params()
}

/// Parameters as people read them: `address owner, uint256 limit`, or `nothing`.
pub fn list(params: &[Param]) -> String {
    let each = |param: &Param| format!("{} {}", param.selector_type(), param.name).trim_end().to_owned();
    let all: Vec<String> = params.iter().map(each).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

/// A function by its declaration (`setPeer(address)`, `peer() view returns (address)`), or by its name in an ABI.
pub fn function(text: &str, abi: Option<&JsonAbi>) -> Result<Function> {
    if text.contains('(') {
        return Function::parse(text.trim()).map_err(|_| {
            Failure::new(format!("`{text}` is not a function's declaration"))
                .help("write `setPeer(address)`, or `peer() view returns (address)`")
        });
    }
    let abi = abi.ok_or_else(|| unknown("function", text))?;
    pick("function", text, abi.function(text), abi.functions.keys(), Function::signature)
}

/// An event by its declaration (`Deposit(address indexed from, uint256 amount)`), or by its name in an ABI.
pub fn event(text: &str, abi: Option<&JsonAbi>) -> Result<Event> {
    let event = if text.contains('(') {
        Event::parse(text.trim()).map_err(|_| {
            Failure::new(format!("`{text}` is not an event's declaration"))
                .help("write `Deposit(address indexed from, uint256 amount)`")
        })?
    } else {
        let abi = abi.ok_or_else(|| unknown("event", text))?;
        pick("event", text, abi.event(text), abi.events.keys(), Event::signature)?
    };
    if event.anonymous {
        return Err(Failure::new(format!("the event {text} is anonymous: nothing in a log tells that it is this one")));
    }
    if event.inputs.iter().filter(|input| input.indexed).count() > 3 {
        return Err(Failure::new(format!(
            "the event {text} has more than three indexed parameters: there is none such"
        )));
    }
    for input in &event.inputs {
        kind(&parameter(input)).map_err(|failure| failure.context(text))?;
    }
    Ok(event)
}

/// An event's parameter without its index.
pub fn parameter(input: &alloy_json_abi::EventParam) -> Param {
    Param {
        name: input.name.clone(),
        ty: input.ty.clone(),
        components: input.components.clone(),
        internal_type: input.internal_type.clone(),
    }
}

fn unknown(what: &str, text: &str) -> Failure {
    Failure::new(format!("`{text}` alone does not say what the {what} takes")).help(format!(
        "write its declaration, `{text}(..)` with the types, or name with `artefact` a file that has its ABI"
    ))
}

fn pick<'a, T: Clone>(
    what: &str,
    name: &str,
    found: Option<&Vec<T>>,
    known: impl Iterator<Item = &'a String>,
    signature: impl Fn(&T) -> String,
) -> Result<T> {
    match found.map(Vec::as_slice) {
        Some([one]) => Ok(one.clone()),
        Some([_, _, ..]) => {
            let all: Vec<String> = found.into_iter().flatten().map(signature).collect();
            Err(Failure::new(format!("there are several {what}s `{name}`"))
                .help(format!("write one of {}", all.join(", "))))
        }
        _ => {
            let known: Vec<&str> = known.map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(Failure::new(format!("the ABI has no {what} `{name}`")).help(format!("it has {known}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(types: &[&str]) -> Vec<Param> {
        types.iter().map(|text| Param::parse(text).unwrap()).collect()
    }

    fn encoded(types: &[&str], given: Value) -> Result<String> {
        values("the constructor", &params(types), &given).map(|values| hex::encode(encode(values)))
    }

    /// The example of Solidity's ABI specification: `sam(bytes,bool,uint256[])` with "dave", true and [1, 2, 3].
    #[test]
    fn the_example_of_the_abi_specification_is_encoded_as_it_stands_there() {
        let words = [
            "0000000000000000000000000000000000000000000000000000000000000060",
            "0000000000000000000000000000000000000000000000000000000000000001",
            "00000000000000000000000000000000000000000000000000000000000000a0",
            "0000000000000000000000000000000000000000000000000000000000000004",
            "6461766500000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000003",
            "0000000000000000000000000000000000000000000000000000000000000001",
            "0000000000000000000000000000000000000000000000000000000000000002",
            "0000000000000000000000000000000000000000000000000000000000000003",
        ];
        let given = json!(["0x64617665", true, [1, "2", "0x3"]]);
        assert_eq!(encoded(&["bytes", "bool", "uint256[]"], given).unwrap(), words.concat());
    }

    #[test]
    fn arguments_come_in_order_or_by_name() {
        let types = ["uint8 limit", "string name"];
        let listed = encoded(&types, json!([7, "x"])).unwrap();
        assert_eq!(encoded(&types, json!({"name": "x", "limit": 7})).unwrap(), listed);
        assert_eq!(encoded(&[], json!(null)).unwrap(), "");
    }

    #[test]
    fn signed_numbers_have_their_bounds() {
        assert_eq!(encoded(&["int8"], json!([-1])).unwrap(), "f".repeat(64));
        assert!(encoded(&["int8"], json!([-128])).is_ok() && encoded(&["int8"], json!(["127"])).is_ok());
        assert!(encoded(&["int8"], json!([128])).is_err() && encoded(&["int8"], json!(["-129"])).is_err());
    }

    #[test]
    fn a_wrong_argument_is_named_with_its_type() {
        for (types, given, message) in [
            (
                &["uint256 limit"][..],
                json!(["abc"]),
                "argument 1 `limit` of the constructor (uint256): \"abc\" is not a number",
            ),
            (&["uint8"], json!([256]), "argument 1 of the constructor (uint8): 256 is not a number of 8 bits"),
            (&["address"], json!([5]), "argument 1 of the constructor (address): 5 is not an address in quotes"),
            (&["bytes4"], json!(["0x01"]), "argument 1 of the constructor (bytes4): \"0x01\" has 1 bytes, not 4"),
            (&["bool"], json!(["maybe"]), "argument 1 of the constructor (bool): \"maybe\" is not a boolean"),
            (&["uint8[2]"], json!([[1]]), "argument 1 of the constructor (uint8[2]): [1] has 1 entries, not 2"),
            (&["uint8 a", "uint8 b"], json!([1]), "the constructor wants 2 arguments, 1 is given"),
            (&["uint8 a"], json!({"b": 1}), "the constructor has no parameter `b`"),
            (&["uint8 a"], json!({}), "the constructor wants a value for `a`"),
            (&[], json!("x"), "\"x\" are no arguments for the constructor"),
        ] {
            assert_eq!(encoded(types, given).unwrap_err().message, message);
        }
        let failure = encoded(&["uint8 a", "address b"], json!([])).unwrap_err();
        assert_eq!(failure.help.unwrap(), "the constructor takes uint8 a, address b");
    }

    #[test]
    fn values_come_back_as_json() {
        let of = |kind: &str, value: Value| json(&read(&Param::parse(kind).unwrap(), &value).unwrap());
        assert_eq!(of("uint64", json!("18446744073709551615")), json!(u64::MAX));
        assert_eq!(of("uint256", json!(5)), json!("5"));
        assert_eq!(of("int32", json!(-5)), json!(-5));
        assert_eq!(of("bytes4", json!("0x01020304")), json!("0x01020304"));
        let address = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
        assert_eq!(of("address[]", json!([address])), json!(["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]));
    }

    #[test]
    fn functions_and_events_are_known_by_declaration_or_from_an_abi() {
        assert_eq!(function("setPeer(address)", None).unwrap().signature(), "setPeer(address)");
        let peer = function("peer() view returns (address)", None).unwrap();
        assert_eq!((peer.inputs.len(), peer.outputs.len()), (0, 1));
        let abi = JsonAbi::parse([
            "event Deposit(address indexed from, uint256 amount)",
            "function f(uint8)",
            "function f(bool)",
        ]);
        let abi = abi.unwrap();
        assert_eq!(event("Deposit", Some(&abi)).unwrap().signature(), "Deposit(address,uint256)");
        for (failure, message) in [
            (event("Deposit", None).unwrap_err(), "`Deposit` alone does not say what the event takes"),
            (event("Paid", Some(&abi)).unwrap_err(), "the ABI has no event `Paid`"),
            (event("Deposit(addres)", None).unwrap_err(), "`addres` is not a type"),
            (event("A(bool indexed,bool indexed,bool indexed,bool indexed)", None).unwrap_err(), "more than three"),
            (function("f", Some(&abi)).unwrap_err(), "there are several functions `f`"),
            (function("f(", None).unwrap_err(), "`f(` is not a function's declaration"),
        ] {
            assert!(failure.message.contains(message), "{failure}");
        }
    }
}
