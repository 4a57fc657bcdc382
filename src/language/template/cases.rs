//! Stories, and the table of cases that was checked against ansible-core.

use super::*;
use crate::language::{Found, yaml};
use std::collections::HashMap;

/// Variables from a YAML text; `data` are facts and results, never templates; `later` are not there yet.
#[derive(Debug)]
struct Given {
    nodes: Node,
    data: HashMap<String, Arc<Value>>,
    later: Vec<String>,
    hosts: HashMap<String, Arc<dyn Variables>>,
    folder: PathBuf,
}

impl Given {
    fn yaml(text: &str) -> Self {
        let nodes = yaml::load(&Source::new("vars.yml", text)).unwrap();
        Self {
            nodes,
            data: HashMap::new(),
            later: vec![],
            hosts: HashMap::new(),
            folder: PathBuf::from("/nonexistent"),
        }
    }

    fn vars(self) -> Arc<dyn Variables> {
        Arc::new(self)
    }
}

impl Variables for Given {
    fn get(&self, name: &str) -> Found {
        if self.later.iter().any(|later| later == name) {
            return Found::Wait;
        }
        match (self.nodes.get(name), self.data.get(name)) {
            (Some(node), _) => Found::Node(node.clone()),
            (None, Some(value)) => Found::Value(value.clone()),
            (None, None) => Found::Missing,
        }
    }

    fn names(&self) -> Vec<String> {
        let names = self.nodes.entries().iter().map(|(key, _)| key.name.to_string());
        names.chain(self.data.keys().cloned()).collect()
    }

    fn host(&self, name: &str) -> Option<Arc<dyn Variables>> {
        self.hosts.get(name).cloned()
    }

    fn hosts(&self) -> Vec<String> {
        let mut names: Vec<String> = self.hosts.keys().cloned().collect();
        names.sort();
        names
    }

    fn folders(&self) -> Vec<PathBuf> {
        vec![self.folder.clone()]
    }
}

/// Renders `text` as it would stand in a playbook, with variables from YAML.
fn render_with(text: &str, given: Given) -> Result<Value, RenderError> {
    let node = Node::text(text, Span::new(Source::new("site.yml", text), 0, text.len()));
    Templates::new().render(&node, &given.vars())
}

fn rendered(text: &str, vars: &str) -> Value {
    match render_with(text, Given::yaml(vars)) {
        Ok(value) => value,
        Err(error) => panic!("{text}: {error:?}"),
    }
}

fn mistake(text: &str, vars: &str) -> Diagnostic {
    match render_with(text, Given::yaml(vars)) {
        Err(RenderError::Failed(diagnostic)) => *diagnostic,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn an_expression_alone_keeps_its_type_and_other_text_is_text() {
    assert_eq!(rendered("{{ port }}", "port: 30303"), Value::from(30303));
    assert_eq!(rendered("{{ ports | map('int') | list }}", "ports: ['1', '2']"), serde_json::json!([1, 2]));
    assert_eq!(rendered("port {{ port }}", "port: 30303"), Value::from("port 30303"));
    assert_eq!(rendered("no template", "{}"), Value::from("no template"));
}

#[test]
fn variables_are_rendered_through_variables_and_only_when_asked_for() {
    let vars =
        "datadir: '{{ home }}/geth'\nhome: /srv\nbroken: '{{ nope }}'\ntable: {a: '{{ datadir }}', b: '{{ nope }}'}";
    assert_eq!(rendered("{{ datadir }}", vars), Value::from("/srv/geth"));
    assert_eq!(rendered("{{ table.a }}", vars), Value::from("/srv/geth"));
    assert_eq!(rendered("{{ table.b | default('none') }}", vars), Value::from("none"));
    assert_eq!(rendered("{{ broken is defined }}", vars), Value::from(false));
}

#[test]
fn an_undefined_name_is_underlined_and_the_near_name_offered() {
    let diagnostic = mistake("path: {{ datadri }}/keys", "datadir: /srv");
    assert_eq!(diagnostic.message, "`datadri` is undefined");
    assert_eq!(diagnostic.help.as_deref(), Some("did you mean `datadir`?"));
    let span = diagnostic.span.unwrap();
    assert_eq!(&span.source.text[span.start..span.end], "datadri");

    let diagnostic = mistake("{{ net.chian_id + 1 }}", "net: {chain_id: 5}");
    assert_eq!(diagnostic.message, "`net.chian_id` is undefined");
    assert_eq!(diagnostic.help.as_deref(), Some("did you mean `chain_id`?"));
}

#[test]
fn an_undefined_name_inside_another_variable_is_shown_where_that_is_written() {
    let diagnostic = mistake("{{ datadir }}", "home: /srv\ndatadir: '{{ hom }}/geth'");
    assert_eq!(diagnostic.message, "`hom` is undefined");
    assert_eq!(diagnostic.span.unwrap().to_string(), "vars.yml:2:14");
}

#[test]
fn a_cycle_is_named() {
    let diagnostic = mistake("{{ a }}", "a: '{{ b }}'\nb: '{{ c }}'\nc: '{{ a }}'");
    assert!(diagnostic.message.contains("a -> b -> c -> a"), "{}", diagnostic.message);
}

#[test]
fn an_item_of_a_list_that_needs_itself_and_a_chain_without_end_are_refused() {
    assert_eq!(mistake("{{ a[0] }}", "a: ['{{ a[0] }}']").message, "`{{ a[0] }}` needs itself");
    let chain =
        |length: usize| (0..length).map(|at| format!("v{at}: '{{{{ v{} }}}}'\n", at + 1)).collect::<Vec<_>>().concat();
    assert_eq!(rendered("{{ v0 }}", &format!("{}v50: end", chain(50))), Value::from("end"));
    assert!(mistake("{{ v0 }}", &format!("{}v90: end", chain(90))).message.contains("deep"));
}

#[test]
fn a_password_is_hashed_as_crypt_does() {
    // From crypt(3).
    let wanted = "$6$mysalt12$xRohwhLLrkzrXnePkLB3F4zj.bXkSYAEUg5BSM/ulbtG0OsWHY/BA6nqda8go6eIPHJNg9cuNFdDJhOmrryG5/";
    assert_eq!(rendered("{{ 'secret' | password_hash('sha512', 'mysalt12') }}", "{}"), Value::from(wanted));
    let wanted = "$5$mysalt12$ufir2uOF49zGna8473CAQnO5kuduGJYqxrLh02QwIR3";
    assert_eq!(rendered("{{ 'secret' | password_hash('sha256', 'mysalt12') }}", "{}"), Value::from(wanted));
    let text = rendered("{{ 'secret' | password_hash('sha512', 'mysalt12', rounds=10000) }}", "{}").to_string();
    assert!(text.contains("$6$rounds=10000$mysalt12$oX9Wmw4."), "{text}");
}

#[test]
fn addresses_answer_the_usual_questions() {
    let show = |text: &str| rendered(text, "{}");
    assert_eq!(show("{{ '10.0.0.5/24' | ansible.utils.ipaddr('network') }}"), Value::from("10.0.0.0"));
    assert_eq!(show("{{ '10.0.0.5/24' | ipaddr('address') }}"), Value::from("10.0.0.5"));
    assert_eq!(show("{{ '10.0.0.5/24' | ipaddr('netmask') }}"), Value::from("255.255.255.0"));
    assert_eq!(show("{{ '10.0.0.0/24' | ipaddr(5) }}"), Value::from("10.0.0.5/24"));
    assert_eq!(show("{{ '10.0.0.0/24' | ipaddr(-2) }}"), Value::from("10.0.0.254/24"));
    assert_eq!(show("{{ ['10.0.0.1', 'x', '::1'] | ipv4 }}"), serde_json::json!(["10.0.0.1"]));
    assert_eq!(show("{{ 'nothing' | ipaddr }}"), Value::from(false));
    assert_eq!(show("{{ '10.1.2.3' | ipaddr('10.0.0.0/8') }}"), Value::from("10.1.2.3"));
    assert_eq!(show("{{ '::1' | ipwrap }} {{ '10.0.0.1' | ipwrap }}"), Value::from("[::1] 10.0.0.1"));
}

#[test]
fn a_misspelt_argument_of_a_filter_is_named() {
    let message = mistake("{{ x | combine({}, recursve=true) }}", "x: {}").message;
    assert_eq!(message, "`combine` has no argument `recursve`; did you mean `recursive`?");
}

#[test]
fn two_thousand_small_expressions_take_no_time() {
    // Not a benchmark: a guard against rebuilding an environment, or converting facts, for each of them.
    let mut given = Given::yaml("port: 30303\nname: '{{ base }}-{{ port }}'\nbase: geth");
    let facts: serde_json::Map<String, Value> =
        (0..2000).map(|at| (format!("fact{at}"), Value::from(vec![at; 20]))).collect();
    given.data.insert("facts".into(), Arc::new(Value::Object(facts)));
    let (templates, vars) = (Templates::new(), given.vars());
    let node = Node::text("{{ name }} {{ facts.fact7[0] | default(1) }}", Span::nowhere());
    let start = std::time::Instant::now();
    for _ in 0..2000 {
        assert_eq!(templates.render(&node, &vars), Ok(Value::from("geth-30303 7")));
    }
    let taken = start.elapsed();
    assert!(taken < std::time::Duration::from_secs(10), "{taken:?}");
}

#[test]
fn who_meets_a_value_that_is_not_there_yet_waits_whatever_stands_around_it() {
    for text in ["{{ later | default(1) }}", "{{ later is defined }}", "{{ through.a | default(1) }}", "x{{ later }}"] {
        let given = Given { later: vec!["later".into()], ..Given::yaml("through: {a: '{{ later }}'}") };
        assert_eq!(render_with(text, given), Err(RenderError::Wait), "{text}");
    }
}

#[test]
fn data_from_hosts_is_never_a_template() {
    let mut given = Given::yaml("shown: 'it says {{ result.stdout }}'");
    given.data.insert("result".into(), Arc::new(serde_json::json!({"stdout": "{{ 1 + 1 }}", "rc": 0})));
    assert_eq!(render_with("{{ shown }}", given).unwrap(), Value::from("it says {{ 1 + 1 }}"));
}

#[test]
fn other_hosts_variables_are_reached_through_hostvars() {
    let hosts = || {
        let mut given = Given::yaml("me: 1\nname: address");
        given.hosts.insert("a".into(), Given::yaml("base: 10.0.0\naddress: '{{ base }}.1'").vars());
        given.hosts.insert("b".into(), Given::yaml("address: 10.0.0.2").vars());
        given
    };
    let show = |text: &str| render_with(text, hosts()).unwrap();
    assert_eq!(show("{{ hostvars['a'].address }}"), Value::from("10.0.0.1"));
    assert_eq!(
        show("{{ ['a', 'b'] | map('extract', hostvars, 'address') | join(' ') }}"),
        Value::from("10.0.0.1 10.0.0.2")
    );
    assert_eq!(show("{{ hostvars | list }}"), serde_json::json!(["a", "b"]));
    assert_eq!(show("{{ 'a' in hostvars and 'c' not in hostvars }}"), Value::from(true));
    assert_eq!(show("{{ hostvars.c.address.x | default('-') }}"), Value::from("-"));
    assert_eq!(show("{{ hostvars['a'][name] }}"), Value::from("10.0.0.1"));
    assert_eq!(show("{{ vars['me'] + vars.me }}"), Value::from(2));
}

#[test]
fn a_condition_must_be_true_or_false() {
    let templates = Templates::new();
    let vars = Given::yaml("name: x\nready: true\nlist: [1]").vars();
    let test =
        |text: &str| templates.test(&Node::text(text, Span::new(Source::new("t.yml", text), 0, text.len())), &vars);
    assert_eq!(test("ready and name == 'x'"), Ok(true));
    assert_eq!(test("{{ not ready }}"), Ok(false));
    assert_eq!(test("list | length > 0"), Ok(true));
    let Err(RenderError::Failed(diagnostic)) = test("name") else { panic!() };
    assert_eq!(diagnostic.message, "the condition gives a text, not true or false");
    assert!(diagnostic.help.unwrap().contains("| bool"));
    let Err(RenderError::Failed(diagnostic)) = test("redy") else { panic!() };
    assert_eq!(diagnostic.help.as_deref(), Some("did you mean `ready`?"));
}

#[test]
fn keys_lists_and_tables_are_rendered_inside() {
    let node = yaml::load_text("x", "'{{ k }}': ['{{ n }}', {x: !unsafe '{{ n }}'}]").unwrap();
    let value = Templates::new().render(&node, &Given::yaml("k: key\nn: 5").vars()).unwrap();
    assert_eq!(value, serde_json::json!({"key": [5, {"x": "{{ n }}"}]}));
}

#[test]
fn omit_is_kept_for_the_engine_to_remove() {
    assert_eq!(rendered("{{ owner | default(omit) }}", "{}"), Value::from(OMIT));
}

#[test]
fn integers_over_64_bits_stay_exact() {
    let wei = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    assert_eq!(rendered("{{ wei }}", &format!("wei: {wei}")), Value::from(wei));
    assert_eq!(rendered("{{ wei | int }}", &format!("wei: '{wei}'")), Value::from(wei));
    assert_eq!(rendered("{{ 2 ** 100 }}", "{}"), Value::from("1267650600228229401496703205376"));
}

#[test]
fn a_template_file_includes_imports_and_extends_others() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(folder.path().join("templates")).unwrap();
        std::fs::write(folder.path().join("templates").join(name), text).unwrap();
    };
    write("part.j2", "part of {{ name }} {{ local }}\n");
    write(
        "macros.j2",
        "{% macro peer(x) %}enode://{{ x }}@{{ name }}{% endmacro %}{% macro block() %}\nline\n{% endmacro %}",
    );
    write("base.j2", "<{% block body %}{% endblock %}>");
    let vars = || Given { folder: folder.path().to_owned(), ..Given::yaml("name: net\nlist: [1, 2]") }.vars();
    let show = |text: &str| {
        Templates::new().render_text(Path::new("t.j2"), text, &TemplateOptions::default(), &vars()).unwrap()
    };
    // An included file loses the newline at its end.
    assert_eq!(show("{% set local = 7 %}\n{% include 'part.j2' %}, the end\n"), "part of net 7, the end\n");
    assert_eq!(show("{% from 'macros.j2' import peer %}{{ peer('k') }}"), "enode://k@net");
    assert_eq!(show("{% from 'macros.j2' import block %}{{ block() }}"), "line\n");
    assert_eq!(show("{% import 'macros.j2' as m with context %}{{ m.peer('k') }}"), "enode://k@net");
    assert_eq!(show("{% extends 'base.j2' %}{% block body %}{{ name }}{% endblock %}"), "<net>");
    assert_eq!(show("{% for i in list %}\n{{ i }}\n{% endfor %}\n"), "1\n2\n");
    assert_eq!(show("{% include 'none.j2' ignore missing %}x"), "x");
    write("outer.j2", "{% if local is defined %}{% include 'part.j2' %}{% endif %}");
    assert_eq!(show("{% for local in list %}{% include 'outer.j2' %};{% endfor %}"), "part of net 1;part of net 2;");
}

#[test]
fn a_mistake_in_a_template_file_is_shown_in_that_file() {
    let vars = Given::yaml("{}").vars();
    let show = |text: &str| {
        let result =
            Templates::new().render_text(Path::new("roles/geth/geth.j2"), text, &TemplateOptions::default(), &vars);
        let Err(RenderError::Failed(diagnostic)) = result else { panic!("{result:?}") };
        (diagnostic.message.clone(), diagnostic.span.unwrap().to_string())
    };
    assert_eq!(show("a\nb {{ nope }}\n"), ("`nope` is undefined".into(), "roles/geth/geth.j2:2:6".into()));
    let (message, place) = show("a\n{% if %}\n");
    assert!(message.starts_with("template syntax:"), "{message}");
    assert!(place.starts_with("roles/geth/geth.j2:2:"), "{place}");
}

#[test]
fn syntax_and_unknown_filters_are_found_before_anything_runs() {
    let templates = Templates::new();
    let node = yaml::load(&Source::new(
        "site.yml",
        "a: '{{ x | defualt(1) }}'\nb: ['{{ x }', '{{ x']\nc: '{{ x is deifned }}'\n",
    ))
    .unwrap();
    let found = templates.check(&node);
    let messages: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(messages.len(), 4, "{messages:?}");
    assert_eq!(messages[0], "there is no filter `defualt`");
    assert_eq!(found[0].help.as_deref(), Some("did you mean `default`?"));
    assert_eq!(found[3].help.as_deref(), Some("did you mean `defined`?"));
    assert!(templates.check_condition(&Node::text("x ==", Span::nowhere())).len() == 1);
    assert!(templates.check_text(&Source::new("t.j2", "{% for x in y %}"), &TemplateOptions::default()).len() == 1);
}

#[test]
fn every_case_of_the_table_gives_what_ansible_gives() {
    let source = Source::new("template_cases.yml", include_str!("../../../tests/template_cases.yml"));
    let table = yaml::load(&source).unwrap();
    let given = Given { nodes: table.get("vars").unwrap().clone(), ..Given::yaml("{}") };
    let vars = given.vars();
    let templates = Templates::new();
    let Data::List(cases) = &table.get("cases").unwrap().data else { panic!("no cases") };
    let mut wrong = Vec::new();
    for case in cases.iter() {
        let (text, result) = match (case.get("text"), case.get("when")) {
            (Some(text), _) => (text, templates.render(text, &vars)),
            (_, Some(when)) => (when, templates.test(when, &vars).map(Value::from)),
            _ => panic!("{}: neither text nor when", case.span),
        };
        let right = match (&result, case.get("error"), case.get("value")) {
            (Ok(value), None, Some(wanted)) => *value == wanted.to_value(),
            (Err(RenderError::Failed(diagnostic)), Some(error), _) => {
                error.as_str().is_none_or(|name| diagnostic.message.contains(&format!("`{name}")))
            }
            _ => false,
        };
        if !right {
            let wanted = case.get("value").or(case.get("error")).map(Node::to_value);
            let result = result.map_err(|error| match error {
                RenderError::Failed(diagnostic) => diagnostic.message,
                RenderError::Wait => "wait".into(),
            });
            wrong.push(format!("{}\n   wanted {wanted:?}\n   got    {result:?}", text.as_str().unwrap_or_default()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn tables_are_keyed_by_a_member() {
    let vars = "people: [{n: a, v: 1}, {n: b, v: 2}]\ntwice: {x: {n: a, v: 1}, y: {n: a, v: 2}}";
    let keyed = serde_json::json!({"a": {"n": "a", "v": 1}, "b": {"n": "b", "v": 2}});
    assert_eq!(rendered("{{ people | rekey_on_member('n') }}", vars), keyed);
    let last = serde_json::json!({"a": {"n": "a", "v": 2}});
    assert_eq!(rendered("{{ twice | rekey_on_member('n', duplicates='overwrite') }}", vars), last);
    assert!(mistake("{{ twice | rekey_on_member('n') }}", vars).message.contains("several have the `n` a"));
    assert!(mistake("{{ people | rekey_on_member('z') }}", vars).message.contains("no `z` in"));
}

#[test]
fn addresses_are_told_apart_as_in_ansible() {
    let is = |text: &str| rendered(&format!("{{{{ {text} }}}}"), "{}") == true;
    assert!(
        is("'http://a' is url") && is("'urn:isbn:1' is urn") && is("'mailto:x' is uri") && is("'urn:isbn:1' is uri")
    );
    assert!(!is("'a/b' is url") && !is("'http://a' is urn") && !is("'mailto:x' is url"));
    assert!(!is("'ftp://a' is url(['http'])") && is("'ftp://a' is url(['http', 'ftp'])"));
}

#[test]
fn records_are_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).display().to_string()
    };
    let ini = file("x.ini", "[one]\nKey = value one\n[two]\nkey=2\nother=3\n");
    let csv = file("x.csv", "a,b,c\n\"x, y\",2,3\n");
    let look = |text: &str| rendered(&format!("{{{{ {text} }}}}"), &format!("ini: {ini}\ncsv: {csv}"));
    assert_eq!(look("lookup('ini', 'key', section='one', file=ini)"), "value one");
    assert_eq!(look("lookup('ini', 'key section=two file=' ~ ini)"), "2");
    assert_eq!(look("lookup('ini', 'no', section='one', file=ini, default='d')"), "d");
    assert_eq!(look("query('ini', '.*', section='two', file=ini, re=true)"), serde_json::json!(["2", "3"]));
    assert_eq!(look("lookup('csvfile', 'x, y', file=csv, delimiter=',')"), "2");
    assert_eq!(look("lookup('csvfile', 'b', file=csv, delimiter=',', keycol=1, col=0)"), "a");
    assert_eq!(look("query('csvfile', 'no', file=csv, delimiter=',')"), serde_json::json!([]));
    assert_eq!(look("lookup('csvfile', 'no', file=csv, delimiter=',', default='D')"), "D");
}
