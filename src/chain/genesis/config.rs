//! Chain configurations compared by meaning: what a database holds against what a file says.

use crate::base::{Failure, Map, Value, failure::Result};
use crate::chain::quantity;
use std::collections::BTreeMap;

/// The `config` of a genesis; empty if it has none.
pub fn config(text: &str) -> Result<Map> {
    let genesis: Map = serde_json::from_str(text)
        .map_err(|error| Failure::new(format!("this genesis is not a JSON table: {error}")))?;
    Ok(get(&genesis, "config").and_then(Value::as_object).cloned().unwrap_or_default())
}

/// Where two chain configurations differ: name, ours, theirs. A `null` is as good as absent, case does not matter.
pub fn config_differences(ours: &Map, theirs: &Map) -> Vec<(String, Value, Value)> {
    let mut names: Vec<String> = ours.keys().chain(theirs.keys()).map(|name| name.to_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    let side = |map: &Map, name: &str| get(map, name).cloned().unwrap_or(Value::Null);
    names
        .into_iter()
        .map(|name| (side(ours, &name), side(theirs, &name), name))
        .filter(|(one, two, _)| canonical(one) != canonical(two))
        .map(|(one, two, name)| (name, one, two))
        .collect()
}

/// Sorted keys, lower case, numbers as numbers, no nulls: equal exactly when it means the same.
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<String, Value> = map
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.to_lowercase(), canonical(value)))
                .collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Number(_) | Value::String(_) => match quantity::number(value) {
            Ok(number) => Value::from(number.to_string()),
            Err(_) => value.clone(),
        },
        other => other.clone(),
    }
}

fn get<'a>(map: &'a Map, name: &str) -> Option<&'a Value> {
    map.get(name)
        .or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
        .filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn configurations_are_compared_by_meaning() {
        let ours = json!({"chainId": 5, "londonBlock": 0, "clique": {"period": 2, "epoch": 30000}});
        let same = json!({"londonblock": "0x0", "chainid": 5, "clique": {"epoch": 30000, "period": 2}, "muirGlacierBlock": null});
        let other = json!({"chainId": 5, "londonBlock": 0, "clique": {"period": 5, "epoch": 30000}});
        let (ours, same, other) = (ours.as_object().unwrap(), same.as_object().unwrap(), other.as_object().unwrap());
        assert_eq!(config_differences(ours, same), []);
        assert_eq!(config_differences(ours, other)[0].0, "clique");
    }
}
