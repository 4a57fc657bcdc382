//! The arguments that a user wrote, held against what a module declares: names, aliases, what is required, types.

use super::{Entry, Module, Result, find};
use crate::base::diagnostic::did_you_mean;
use crate::base::{Failure, Map, Value};

/// Whether a module knows all these argument names; the failure says what was probably meant and lists what there is.
pub fn check_names<'a>(entry: &Entry, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    if entry.open {
        return Ok(());
    }
    let entries: Vec<&Entry> = std::iter::once(entry).chain(entry.passes_to.and_then(find)).collect();
    let schemas: Vec<Value> = entries.iter().map(|entry| (entry.schema)().to_value()).collect();
    let declared = schemas.iter().filter_map(|schema| schema["properties"].as_object());
    let mut known: Vec<&str> = declared.flat_map(|options| options.keys().map(String::as_str)).collect();
    let aliases = entries.iter().flat_map(|entry| entry.aliases).map(|(alias, _)| *alias);
    for name in names {
        if known.contains(&name) || aliases.clone().any(|alias| alias == name) {
            continue;
        }
        let module = entry.name;
        let failure = Failure::new(format!("unsupported option `{name}` of `{module}`"));
        if let Some((_, instead)) = entry.refused.iter().find(|(refused, _)| *refused == name) {
            return Err(failure.help(*instead));
        }
        known.sort_unstable();
        known.dedup();
        let list = match known.as_slice() {
            [] => format!("`{module}` has no options"),
            known => format!("`{module}` has {}", known.join(", ")),
        };
        return Err(match did_you_mean(name, known.iter().copied().chain(aliases)) {
            Some(meant) => failure.help(format!("did you mean `{meant}`? {list}")),
            None => failure.help(list),
        });
    }
    Ok(())
}

/// The arguments as the module's own type; the failure names the option that is missing or wrong.
pub(super) fn parse<M: Module>(args: Map) -> Result<M> {
    let args = rename_aliases::<M>(args)?;
    let error = match serde_json::from_value(Value::Object(args.clone())) {
        Ok(module) => return Ok(module),
        Err(error) => error.to_string(),
    };
    // `option: null` is how templates leave an option out. Only tried now: some options may really be null.
    let given: Map = args.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let error = match serde_json::from_value::<M>(Value::Object(given.clone())) {
        Ok(module) => return Ok(module),
        Err(retried) if !M::OPEN => retried.to_string(),
        Err(_) => error,
    };
    Err(blame::<M>(&given, &error))
}

fn rename_aliases<M: Module>(mut args: Map) -> Result<Map> {
    for (alias, name) in M::ALIASES {
        let Some(value) = args.remove(*alias) else { continue };
        if args.get(*name).is_some_and(|other| *other != value && !other.is_null()) {
            return Err(Failure::new(format!("`{}`: `{alias}` and `{name}` are the same option; give one", M::NAME)));
        }
        args.insert((*name).to_owned(), value);
    }
    Ok(args)
}

/// The word that serde would have taken: "unknown variant `runing`, expected one of `running`, `stopped`".
fn meant(error: &str) -> Option<&str> {
    let (wrong, known) = error.strip_prefix("unknown variant `")?.split_once("`, expected ")?;
    did_you_mean(wrong, known.split('`').skip(1).step_by(2))
}

/// Finds the option that an error is about: the one without which the error is another.
fn blame<M: Module>(args: &Map, error: &str) -> Failure {
    let module = M::NAME;
    if let Some(name) = error.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return Failure::new(format!("`{module}` needs `{name}`"))
            .help(format!("`chainwright doc {module}` shows its options and an example"));
    }
    let without = |name: &String| {
        let mut others = args.clone();
        others.remove(name);
        serde_json::from_value::<M>(Value::Object(others)).err().map(|error| error.to_string())
    };
    let another = |name: &&String| without(name).is_none_or(|other| other != error);
    let missed = |name: &&String| without(name).is_some_and(|other| other == format!("missing field `{name}`"));
    // A required option is missed as soon as it is taken away, so it is blamed only where no other one is.
    let blamed = args.keys().find(|name| another(name) && !missed(name)).or_else(|| args.keys().find(missed));
    if let Some(name) = blamed {
        let failure = Failure::new(format!("`{module}`: option `{name}`: {error}"));
        return match meant(error) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure,
        };
    }
    Failure::new(format!("`{module}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::super::Cx;
    use super::super::loose::{Flag, Text};
    use super::*;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    /// A module.
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    struct Sample {
        /// Required.
        path: Text,
        /// A list of numbers.
        #[serde(default)]
        sizes: Vec<u32>,
        #[serde(flatten)]
        more: More,
    }

    /// Shared options.
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    struct More {
        /// A switch.
        #[serde(default)]
        force: Flag,
    }

    impl Module for Sample {
        const NAME: &'static str = "sample";
        const EXAMPLE: &'static str = "";
        const ALIASES: &'static [(&'static str, &'static str)] = &[("dest", "path")];
        type Output = Map;
        fn run(&self, _: &mut Cx) -> Result<Map> {
            Ok(Map::new())
        }
    }

    fn complaint(args: Value) -> String {
        let Value::Object(args) = args else { panic!("a table") };
        parse::<Sample>(args).unwrap_err().message
    }

    #[test]
    fn a_wrong_value_names_its_option() {
        assert_eq!(
            complaint(json!({"path": "/x", "force": "maybe", "sizes": []})),
            "`sample`: option `force`: `maybe` is not a boolean; write `true` or `false`"
        );
        assert!(complaint(json!({"sizes": ["x"], "path": "/x"})).starts_with("`sample`: option `sizes`: "));
    }

    #[test]
    fn a_missing_option_is_asked_for() {
        assert_eq!(complaint(json!({"force": true})), "`sample` needs `path`");
        assert_eq!(complaint(json!({"path": null})), "`sample` needs `path`");
    }

    #[test]
    fn an_option_and_its_alias_cannot_disagree() {
        assert!(complaint(json!({"path": "/a", "dest": "/b"})).contains("`dest` and `path` are the same option"));
        let Value::Object(args) = json!({"dest": "/b", "force": null}) else { panic!() };
        assert_eq!(parse::<Sample>(args).unwrap().path.0, "/b");
    }

    #[test]
    fn an_unknown_name_says_what_was_meant() {
        let failure = check_names(find("ping").unwrap(), ["dta"]).unwrap_err();
        assert_eq!(failure.message, "unsupported option `dta` of `ping`");
        assert_eq!(failure.help.unwrap(), "did you mean `data`? `ping` has data");
        assert!(check_names(find("set_fact").unwrap(), ["anything"]).is_ok());
    }

    #[test]
    fn what_only_ansible_has_is_answered_with_what_to_write() {
        let failure = check_names(find("get_url").unwrap(), ["url", "use_gssapi"]).unwrap_err();
        assert_eq!(failure.message, "unsupported option `use_gssapi` of `get_url`");
        assert!(failure.help.unwrap().contains("write `url_username`"));
    }

    #[test]
    fn what_is_passed_on_may_be_written_and_is_checked() {
        assert!(check_names(find("package").unwrap(), ["name", "update_cache", "allow_downgrades"]).is_ok());
        let failure = check_names(find("service").unwrap(), ["name", "daemon_relaod"]).unwrap_err();
        assert!(failure.help.unwrap().starts_with("did you mean `daemon_reload`?"));
    }
}
