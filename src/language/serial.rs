//! `serial`, `order` and `strategy`: how many hosts at a time, which first, and whether they wait for one another.

use super::node::{Data, Node};
use crate::base::diagnostic::did_you_mean;
use crate::base::{Diagnostic, Span, Value};

/// The sizes of the batches for `hosts` hosts: `serial` is a number, a percentage, or a list of them whose last repeats.
/// Zero or less means all that are left.
pub fn batches(serial: &Value, span: &Span, hosts: usize) -> Result<Vec<usize>, Diagnostic> {
    let one = std::slice::from_ref(serial);
    let list = match serial {
        Value::Array(items) => items.as_slice(),
        Value::Null => &[],
        _ => one,
    };
    let sizes: Vec<usize> = list.iter().map(|item| size(item, span, hosts)).collect::<Result<_, _>>()?;
    let mut batches = vec![];
    let mut left = hosts;
    let mut sizes = sizes.into_iter();
    let mut size = hosts;
    while left > 0 {
        size = sizes.next().unwrap_or(size);
        let batch = size.min(left);
        batches.push(batch);
        left -= batch;
    }
    Ok(batches)
}

fn size(item: &Value, span: &Span, hosts: usize) -> Result<usize, Diagnostic> {
    let wrong = || {
        Diagnostic::new(
            format!("`serial` needs a number or a percentage, this is `{}`", item.to_string().trim_matches('"')),
            span,
        )
        .help("write `serial: 1`, `serial: \"30%\"` or `serial: [1, 5, \"100%\"]`")
    };
    let number = match item {
        Value::Number(number) => number.as_i64().ok_or_else(wrong)?,
        Value::String(text) => match text.trim().strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.trim().parse().ok().filter(|percent| *percent >= 0.0).ok_or_else(wrong)?;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss,
                    reason = "a share of few hosts"
                )]
                let share = (percent / 100.0 * hosts as f64) as usize;
                return Ok(share.max(1));
            }
            None => text.trim().parse().map_err(|_| wrong())?,
        },
        _ => return Err(wrong()),
    };
    Ok(usize::try_from(number).ok().filter(|size| *size > 0).unwrap_or(hosts.max(1)))
}

/// What is wrong with a `serial` that holds no template: known before anything runs.
pub fn check_serial(node: &Node) -> Option<Diagnostic> {
    if node.is_template() {
        return None;
    }
    let items = match &node.data {
        Data::List(items) => items.to_vec(),
        _ => vec![node.clone()],
    };
    items.iter().find_map(|item| size(&item.to_value(), &item.span, 1).err())
}

/// The same for `order`. Which hosts a list of them must name is known only in the run.
pub fn check_order(node: &Node) -> Option<Diagnostic> {
    if node.is_template() || matches!(node.data, Data::List(_)) {
        return None;
    }
    arrange(&node.to_value(), &node.span, vec![], &[]).err()
}

/// The strategies: in lockstep, or each host as fast as it can.
const STRATEGIES: &[&str] = &["linear", "free", "host_pinned", "debug"];

/// Whether a strategy lets hosts run ahead of one another.
pub fn is_free(strategy: &str, span: &Span) -> Result<bool, Diagnostic> {
    match strategy.strip_prefix("ansible.builtin.").unwrap_or(strategy) {
        "linear" | "debug" => Ok(false),
        "free" | "host_pinned" => Ok(true),
        other => {
            let diagnostic = Diagnostic::new(format!("there is no strategy `{strategy}`"), span);
            Err(match did_you_mean(other, STRATEGIES.iter().copied()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help("write `linear` or `free`"),
            })
        }
    }
}

/// What is wrong with a `strategy` that is no template.
pub fn check_strategy(node: &Node) -> Option<Diagnostic> {
    let name = node.as_str().filter(|_| !node.is_template())?;
    is_free(name, &node.span).err()
}

/// The words that `order` takes.
const WORDS: &[&str] = &["inventory", "reverse_inventory", "sorted", "reverse_sorted", "shuffle"];

/// Puts a play's hosts in order. `order` is one of Ansible's words or a list of hosts, which must name every host of the play and
/// nothing else; `hosts` are those that `--limit` left of `all`.
pub fn arrange(order: &Value, span: &Span, hosts: Vec<String>, all: &[String]) -> Result<Vec<String>, Diagnostic> {
    let mut hosts = hosts;
    match order {
        Value::Null => {}
        Value::Array(items) => return listed(items, span, &hosts, all),
        Value::String(word) => match word.as_str() {
            "inventory" | "" => {}
            "reverse_inventory" => hosts.reverse(),
            "sorted" => hosts.sort(),
            "reverse_sorted" => hosts.sort_by(|a, b| b.cmp(a)),
            "shuffle" => shuffle(&mut hosts),
            _ => {
                let diagnostic = Diagnostic::new(format!("there is no order `{word}`"), span);
                return Err(match did_you_mean(word, WORDS.iter().copied()) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help(format!("write one of {}, or a list of hosts", WORDS.join(", "))),
                });
            }
        },
        _ => {
            return Err(Diagnostic::new("`order` needs a word or a list of hosts", span)
                .help(format!("words: {}", WORDS.join(", "))));
        }
    }
    Ok(hosts)
}

fn listed(items: &[Value], span: &Span, hosts: &[String], all: &[String]) -> Result<Vec<String>, Diagnostic> {
    let mut names: Vec<&str> = vec![];
    for item in items {
        let name = item.as_str().unwrap_or_default();
        if !all.iter().any(|host| host == name) {
            let shown = item.to_string();
            let diagnostic = Diagnostic::new(
                format!("`order` names `{}`, which is no host of this play", shown.trim_matches('"')),
                span,
            );
            return Err(match did_you_mean(name, all.iter().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help(format!("the play's hosts are {}", all.join(", "))),
            });
        }
        if names.contains(&name) {
            return Err(Diagnostic::new(format!("`order` names `{name}` twice"), span).help("name each host once"));
        }
        names.push(name);
    }
    let missing: Vec<&str> = hosts.iter().map(String::as_str).filter(|host| !names.contains(host)).collect();
    if !missing.is_empty() {
        return Err(Diagnostic::new(format!("`order` does not say when {} has its turn", missing.join(", ")), span)
            .help("add the missing hosts to the list, or take them out of the play"));
    }
    Ok(names.into_iter().filter(|name| hosts.iter().any(|host| host == name)).map(str::to_owned).collect())
}

fn shuffle(hosts: &mut [String]) {
    for at in (1..hosts.len()).rev() {
        // Without randomness the order stays: shuffling promises nothing more.
        let Ok(random) = getrandom::u64() else { return };
        let other = usize::try_from(random % (at as u64 + 1)).unwrap_or(at);
        hosts.swap(at, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sizes(serial: Value, hosts: usize) -> Vec<usize> {
        batches(&serial, &Span::nowhere(), hosts).unwrap()
    }

    #[test]
    fn the_last_size_repeats_and_a_percentage_is_at_least_one_host() {
        assert_eq!(sizes(json!(2), 5), [2, 2, 1]);
        assert_eq!(sizes(json!([1, 2]), 6), [1, 2, 2, 1]);
        assert_eq!(sizes(json!("30%"), 10), [3, 3, 3, 1]);
        assert_eq!(sizes(json!("1%"), 3), [1, 1, 1]);
        assert_eq!(sizes(json!([1, "100%"]), 4), [1, 3]);
        assert_eq!(sizes(json!(0), 4), [4]);
        assert_eq!(sizes(json!("2"), 3), [2, 1]);
        assert_eq!(sizes(json!(null), 3), [3]);
        assert!(batches(&json!("two"), &Span::nowhere(), 3).is_err());
    }

    fn hosts(names: &str) -> Vec<String> {
        names.split(' ').map(str::to_owned).collect()
    }

    fn order(order: Value, limited: &str) -> Result<String, String> {
        arrange(&order, &Span::nowhere(), hosts(limited), &hosts("s1 s2 s3"))
            .map(|hosts| hosts.join(" "))
            .map_err(|diagnostic| diagnostic.message)
    }

    #[test]
    fn a_list_of_hosts_is_an_order_if_it_names_them_all() {
        assert_eq!(order(json!(["s2", "s3", "s1"]), "s1 s2 s3"), Ok("s2 s3 s1".into()));
        assert_eq!(order(json!(["s2", "s3", "s1"]), "s1 s2"), Ok("s2 s1".into()));
        assert_eq!(order(json!("reverse_inventory"), "s1 s2 s3"), Ok("s3 s2 s1".into()));
        assert_eq!(order(json!(["s2", "s1"]), "s1 s2 s3"), Err("`order` does not say when s3 has its turn".into()));
        assert_eq!(order(json!(["s4"]), "s1"), Err("`order` names `s4`, which is no host of this play".into()));
        assert_eq!(order(json!("revers_inventory"), "s1"), Err("there is no order `revers_inventory`".into()));
    }
}
