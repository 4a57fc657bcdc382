//! Stories of YAML that reads, and of YAML that does not.

use super::load;
use crate::base::{Diagnostic, Source};
use crate::language::node::{Data, Node};

fn read(text: &str) -> Node {
    load(&Source::new("a.yml", text)).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
}

fn wrong(text: &str) -> String {
    let mistakes = load(&Source::new("a.yml", text)).expect_err("it reads");
    mistakes.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("\n\n")
}

fn value(text: &str) -> serde_json::Value {
    read(text).to_value()
}

#[test]
fn an_empty_file_is_nothing() {
    for text in ["", "\n", "---\n", "# only words\n", "---\n...\n", "\u{feff}"] {
        assert_eq!(read(text).data, Data::Null, "{text:?}");
    }
}

#[test]
fn values_know_where_they_stand() {
    let text = "a:\n  - b: 'x y'\n    c: |\n      one\n      two\n";
    let node = read(text);
    let item = match &node.get("a").unwrap().data {
        Data::List(items) => items[0].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(item.span.to_string(), "a.yml:2:5");
    let b = item.get("b").unwrap();
    assert_eq!((b.span.to_string(), &text[b.span.start..b.span.end]), ("a.yml:2:8".into(), "'x y'"));
    assert_eq!(item.get("c").unwrap().as_str(), Some("one\ntwo\n"));
    assert_eq!(item.entries()[1].0.span.to_string(), "a.yml:3:5");
}

#[test]
fn merged_tables_give_way_to_what_is_written() {
    let text = "base: &base {a: 1, b: 1}\nmore: &more {b: 2, c: 2}\none:\n  <<: *base\n  b: 3\ntwo:\n  <<: [*more, *base]\n  d: 4\n'<<': text\n";
    let node = value(text);
    assert_eq!(node["one"], serde_json::json!({"a": 1, "b": 3}));
    assert_eq!(node["two"], serde_json::json!({"a": 1, "b": 2, "c": 2, "d": 4}));
    assert_eq!(node["<<"], "text");
}

#[test]
fn unsafe_text_is_no_template_wherever_it_stands() {
    let node = read("a: !unsafe '{{ x }}'\nb: !unsafe\n  - '{{ y }}'\nc: '{{ z }}'\n");
    assert!(!node.get("a").unwrap().is_template());
    assert!(!node.get("b").unwrap().is_template());
    assert!(node.get("c").unwrap().is_template());
}

#[test]
fn tags_of_yaml_itself_are_obeyed_and_keys_are_text() {
    let node = value("a: !!str 012\nb: !!int '7'\nc: ! yes\n1: x\nyes: y\n~: z\n");
    assert_eq!(node, serde_json::json!({"a": "012", "b": 7, "c": "yes", "1": "x", "yes": "y", "~": "z"}));
}

#[test]
fn json_is_yaml() {
    assert_eq!(
        value("{\"a\": [1, true, null, \"\\u00e9\"],\n\t\"b\": {}}\n"),
        serde_json::json!({"a": [1, true, null, "é"], "b": {}})
    );
}

#[test]
fn a_bomb_of_aliases_is_refused_quickly() {
    let mut lines = vec!["a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned()];
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        lines.push(format!("a{level}: &a{level} [{below}]\n"));
    }
    assert!(wrong(&lines.concat()).contains("more than two million values"));
    assert!(wrong(&"[".repeat(100_000)).contains("nested too deeply"));
}

#[test]
fn mistakes_are_told_in_plain_words() {
    let cases = [
        "- hosts: all\n  tasks:\n\t- ping:\n",
        "a:\n  b: 1\n\tc: 2\n",
        "a: 1\nb: 2\na: 3\n",
        "- hosts: all\n  tasks:\n    - name: one\n      ping:\n   - name: two\n",
        "a:\n  b: 1\n c: 2\n",
        "- copy:\n    dest: {{ path }}/x\n",
        "- debug:\n    msg: {{ x }}\n",
        "- when: {{ x }} == 'a'\n",
        "- name: say: hello\n",
        "a: 'open\nb: 1\n",
        "a: \"x\" y\n",
        "a: [1, 2\nb: 3\n",
        "a: @home\n",
        "a: *nothing\n",
        "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  00\n",
        "a: !odd 1\n",
        "a: 1\n---\nb: 2\n",
        "a\nb: 1\n",
        "a: \"\\d\"\n",
        "? [x]\n: 1\n",
        "a: &a [*a]\n",
        "x: %y\n",
        "a:\n  - b\n  c: 1\n",
        "<<: 1\n",
    ];
    let all: Vec<String> = cases.iter().map(|text| format!("{text:?}\n{}", wrong(text))).collect();
    insta::assert_snapshot!(all.join("\n\n"));
}
