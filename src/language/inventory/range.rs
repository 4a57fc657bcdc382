//! Host names with ranges: `node[01:20:2]`, `db-[a:f].net`, `host:2222`.

/// Splits a port off.
pub fn port(name: &str) -> (&str, Option<u16>) {
    if let Some((host, port)) = name.rsplit_once(':') {
        let bracketed = host.starts_with('[') && host.ends_with(']') && host.contains(':');
        if let Ok(port) = port.parse()
            && (bracketed || !host.contains(':') || balanced(host))
        {
            return (if bracketed { &host[1..host.len() - 1] } else { host }, Some(port));
        }
    }
    (name, None)
}

/// Whether every `:` stands inside a range, so that the last one began a port.
fn balanced(host: &str) -> bool {
    let mut depth = 0;
    for letter in host.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth -= 1,
            ':' if depth == 0 => return false,
            _ => {}
        }
    }
    depth == 0
}

/// All names that a pattern stands for, in order.
pub fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let Some(open) = pattern.find('[') else { return Ok(vec![pattern.to_owned()]) };
    let Some(length) = pattern[open..].find(']') else {
        return Err(format!("the `[` in `{pattern}` is never closed"));
    };
    let (head, range, tail) = (&pattern[..open], &pattern[open + 1..open + length], &pattern[open + length + 1..]);
    let tails = expand(tail)?;
    let items = items(range).ok_or_else(|| format!("`[{range}]` is no range"))?;
    if items.len().saturating_mul(tails.len()) > 100_000 {
        return Err(format!("`{pattern}` stands for more than 100000 hosts"));
    }
    Ok(items.iter().flat_map(|item| tails.iter().map(move |tail| format!("{head}{item}{tail}"))).collect())
}

fn items(range: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = range.split(':').collect();
    let (first, last, step) = match parts[..] {
        [first, last] => (first, last, 1),
        [first, last, step] => (first, last, step.parse().ok().filter(|step| *step > 0)?),
        _ => return None,
    };
    let first = if first.is_empty() { "0" } else { first };
    if let (Ok(from), Ok(to)) = (first.parse::<u64>(), last.parse::<u64>()) {
        let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 0 };
        if from > to || (width > 0 && width != last.len()) || (to - from) / step as u64 > 100_000 {
            return None;
        }
        return Some((from..=to).step_by(step).map(|number| format!("{number:0width$}")).collect());
    }
    let letter = |text: &str| {
        let mut letters = text.chars();
        letters.next().filter(|letter| letter.is_ascii_alphabetic() && letters.next().is_none())
    };
    let (from, to) = (letter(first)?, letter(last)?);
    if from.is_ascii_uppercase() != to.is_ascii_uppercase() || from > to {
        return None;
    }
    Some((from..=to).step_by(step).map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_with_their_zeros_their_step_and_letters() {
        assert_eq!(expand("n[01:05:2].net").unwrap(), ["n01.net", "n03.net", "n05.net"]);
        assert_eq!(expand("[a:b][1:2]").unwrap(), ["a1", "a2", "b1", "b2"]);
        assert_eq!(expand("n[8:11]").unwrap(), ["n8", "n9", "n10", "n11"]);
        assert!(expand("n[3:1]").is_err());
        assert!(expand("n[1:2").is_err());
        assert!(expand("n[1]").is_err());
        assert!(expand("n[1:99999999999]").is_err());
    }

    #[test]
    fn a_port_may_follow_a_name_but_not_a_bare_ipv6_address() {
        assert_eq!(port("a:22"), ("a", Some(22)));
        assert_eq!(port("n[1:3]:22"), ("n[1:3]", Some(22)));
        assert_eq!(port("n[1:3]"), ("n[1:3]", None));
        assert_eq!(port("fe80::1"), ("fe80::1", None));
        assert_eq!(port("[fe80::1]:22"), ("fe80::1", Some(22)));
    }
}
