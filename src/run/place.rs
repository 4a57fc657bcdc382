//! Where the value of an argument was written, through the variables that it comes from.

use crate::language::node::Node;
use crate::language::variables::{Found, Variables};

/// How many variables lead to one another at most: they may lead in a circle.
const DEPTH: usize = 16;

/// `file:line:column` of an argument, or of an entry in it. Where an expression joins several variables (`a | combine(b)`), the last
/// that has the entry is meant.
pub fn of(args: &Node, argument: &[&str], vars: &dyn Variables) -> Option<String> {
    let (first, rest) = argument.split_first()?;
    let node = find(args.get(first)?.clone(), rest, vars, DEPTH)?;
    (!node.span.source.text.is_empty()).then(|| node.span.to_string())
}

fn find(node: Node, path: &[&str], vars: &dyn Variables, depth: usize) -> Option<Node> {
    if let Some(text) = node.as_str().filter(|text| depth > 0 && text.contains("{{")) {
        let led = names(text)
            .filter_map(|name| variable(&name, vars, depth - 1))
            .filter_map(|node| find(node, path, vars, depth - 1));
        if let Some(found) = led.last() {
            return Some(found);
        }
        return path.is_empty().then_some(node);
    }
    match path.split_first() {
        None => Some(node),
        Some((name, rest)) => find(node.get(name)?.clone(), rest, vars, depth),
    }
}

/// A variable, or an entry in one: `network.client.version`.
fn variable(name: &str, vars: &dyn Variables, depth: usize) -> Option<Node> {
    let mut parts = name.split('.');
    let Found::Node(node) = vars.get(parts.next()?) else { return None };
    let path: Vec<&str> = parts.collect();
    find(node, &path, vars, depth)
}

/// Everything in an expression that could be a variable's name.
fn names(text: &str) -> impl Iterator<Item = String> {
    let inner = text.split("{{").skip(1).filter_map(|part| part.split("}}").next());
    inner.flat_map(|expression| {
        let mut quoted = false;
        let unquoted: String = expression
            .chars()
            .map(|c| {
                quoted ^= c == '\'' || c == '"';
                if quoted { ' ' } else { c }
            })
            .collect();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        unquoted.split(|c| !is_name(c)).filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_names_its_variables() {
        let found: Vec<String> = names("{{ a.b | combine(c, d) | join('x.y') }} {{ e }}").collect();
        assert_eq!(found, ["a.b", "combine", "c", "d", "join", "e"]);
    }
}
