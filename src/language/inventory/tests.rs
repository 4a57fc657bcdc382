//! Stories of inventories.

use super::{Inventory, PatternError};
use crate::base::Diagnostic;
use crate::language::layers::{Layer, Var};
use crate::language::{Loader, Scope};
use std::path::Path;
use tempfile::TempDir;

fn no_programs(_: &Path, _: &[&str]) -> Result<String, String> {
    Err("not run in this test".to_owned())
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn load(folder: &TempDir, file: &str) -> Inventory {
    Inventory::load(&[folder.path().join(file).display().to_string()], &no_programs)
        .unwrap_or_else(|wrong| panic!("{}", show(&wrong, folder)))
}

fn show(mistakes: &[Diagnostic], folder: &TempDir) -> String {
    let all: Vec<String> = mistakes.iter().map(Diagnostic::to_string).collect();
    all.join("\n\n").replace(&format!("{}/", folder.path().display()), "")
}

fn hosts(inventory: &Inventory, pattern: &str) -> String {
    inventory.select(pattern).unwrap_or_else(|error| panic!("{}", error.message)).join(" ")
}

const NET: &str = "
all:
  vars: {a: all, b: all}
  children:
    sealers:
      hosts:
        sealer[1:3]: {a: host}
      vars: {b: sealers, c: sealers}
    rpc:
      hosts: {rpc1: , 'rpc2:2222': }
    ethereum:
      children: {sealers: , rpc: }
      vars: {c: ethereum, d: ethereum}
  hosts: {lonely: }
";

#[test]
fn patterns_add_intersect_exclude_index_and_match() {
    let folder = folder(&[("hosts.yml", NET)]);
    let net = load(&folder, "hosts.yml");
    assert_eq!(hosts(&net, "all"), "lonely sealer1 sealer2 sealer3 rpc1 rpc2");
    assert_eq!(hosts(&net, "ethereum:!rpc"), "sealer1 sealer2 sealer3");
    assert_eq!(hosts(&net, "rpc,sealer1"), "rpc1 rpc2 sealer1");
    assert_eq!(hosts(&net, "ethereum:&*1"), "sealer1 rpc1");
    assert_eq!(hosts(&net, "!ethereum"), "lonely");
    assert_eq!(hosts(&net, "~(rpc|sealer)2"), "sealer2 rpc2");
    assert_eq!(hosts(&net, "sealers[0]"), "sealer1");
    assert_eq!(hosts(&net, "sealers[-1]"), "sealer3");
    assert_eq!(hosts(&net, "sealers[1:2]"), "sealer2 sealer3");
    assert_eq!(hosts(&net, "sealers[1:]"), "sealer2 sealer3");
    assert_eq!(hosts(&net, "?ealer[!2s]"), "sealer1 sealer3");
    assert_eq!(hosts(&net, "ungrouped"), "lonely");
    assert_eq!(hosts(&net, "localhost"), "localhost");
    assert_eq!(hosts(&Inventory::empty(), "all"), "");
    assert_eq!(
        net.select("sealrs"),
        Err(PatternError {
            message: "no host or group matches `sealrs`".into(),
            help: Some("did you mean `sealers`?".into()),
            malformed: false
        })
    );
    std::fs::write(folder.path().join("retry"), "rpc1\nsealer2\n").unwrap();
    let limit = format!("@{}", folder.path().join("retry").display());
    assert_eq!(net.limit(&net.select("all").unwrap(), &limit).unwrap(), ["sealer2", "rpc1"]);
}

#[test]
fn variables_are_layered_by_precedence_and_merged_by_depth() {
    let folder = folder(&[
        ("net/hosts.yml", NET),
        ("net/group_vars/all.yml", "b: file-all\ne: file-all\n"),
        ("net/group_vars/sealers/10.yml", "f: ten\ng: ten\n"),
        ("net/group_vars/sealers/20.yml", "f: twenty\n"),
        ("net/host_vars/sealer1", "h: host-file\n"),
        ("group_vars/sealers.json", "{\"g\": \"playbook\"}"),
    ]);
    let net = load(&folder, "net/hosts.yml");
    let layers = net.host_layers("sealer1", &[folder.path().to_owned()], &Loader::default()).unwrap();
    let mut scope = Scope::default();
    for (layer, table) in layers {
        scope.push(layer, table);
    }
    let get = |name: &str| match scope.get(name) {
        Some((Var::Node(node), layer)) => (node.as_str().unwrap().to_owned(), layer),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(get("a"), ("host".into(), Layer::HostInline));
    assert_eq!(get("b"), ("file-all".into(), Layer::InventoryGroupVarsAll), "an inline group loses to group_vars/all");
    assert_eq!(get("c"), ("sealers".into(), Layer::GroupsInline), "the deeper group wins");
    assert_eq!(get("d").0, "ethereum");
    assert_eq!(get("f").0, "twenty");
    assert_eq!(get("g"), ("playbook".into(), Layer::PlaybookGroupVars));
    assert_eq!(get("h").1, Layer::InventoryHostVars);
    assert_eq!(net.group_names("sealer1"), ["ethereum", "sealers"]);
}

#[test]
fn of_files_with_one_name_the_first_is_read_and_the_others_are_told_of() {
    // Seen with ansible-core 2.19: all files of hosts, but of variables a folder, else `yml`, else `json`.
    let folder = folder(&[
        ("net/h1.yml", "g1: {hosts: {h1: {a: yml}}}\n"),
        ("net/h1.json", "{\"g2\": {\"hosts\": {\"h1\": {\"a\": \"json\", \"b\": 1}}}}\n"),
        ("net/host_vars/h1.yml", "x: yml\n"),
        ("net/host_vars/h1.json", "{\"x\": \"json\", \"z\": \"json\"}\n"),
        ("net/group_vars/all/one.yml", "f: folder\n"),
        ("net/group_vars/all/sub/two.yml", "r: folder in folder\n"),
        ("net/group_vars/all/sub.d/three.yml", "q: a folder with an ending\n"),
        ("net/group_vars/all.yml", "f: file\n"),
    ]);
    let net = load(&folder, "net");
    let mut scope = Scope::default();
    for (layer, table) in net.host_layers("h1", &[], &Loader::default()).unwrap() {
        scope.push(layer, table);
    }
    let get = |name: &str| match scope.get(name) {
        Some((Var::Node(node), _)) => node.to_value(),
        _ => serde_json::Value::Null,
    };
    let all = serde_json::json!(["yml", 1, "yml", null, "folder", "folder in folder", null]);
    assert_eq!(serde_json::Value::from(["a", "b", "x", "z", "f", "r", "q"].map(get).to_vec()), all);
    let warned: Vec<&str> = net.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(warned.len(), 2, "{warned:?}");
    assert!(
        warned[0].contains("group_vars/all.yml is not read") && warned[0].contains("group_vars/all goes before it")
    );
    assert!(
        warned[1].contains("host_vars/h1.json is not read") && warned[1].contains("host_vars/h1.yml goes before it")
    );
}

#[test]
fn an_ini_file_has_groups_children_and_literals() {
    let folder = folder(&[(
        "hosts",
        "# mine\nalone ansible_port=22\n[web]\nw[01:02].net:2222 n=1 flag=True text='a b' list=\"[1, 'x']\" # trailing\n[web:vars]\nmode=0644\nt={{ x }}\n[site:children]\nweb\n",
    )]);
    let inventory = load(&folder, "hosts");
    assert_eq!(hosts(&inventory, "site"), "w01.net w02.net");
    assert_eq!(hosts(&inventory, "ungrouped"), "alone");
    let vars = |name: &str| -> serde_json::Value {
        let table = inventory.hosts[name].vars.iter();
        table
            .map(|(name, var)| match var {
                Var::Node(node) => (name.clone(), node.to_value()),
                Var::Value(value) => (name.clone(), (**value).clone()),
            })
            .collect()
    };
    assert_eq!(
        vars("w01.net"),
        serde_json::json!({"ansible_port": 2222, "n": 1, "flag": true, "text": "a b", "list": [1, "x"]})
    );
    assert_eq!(inventory.groups["web"].vars.len(), 2);
}

#[test]
fn a_comment_sign_cuts_an_unquoted_value_and_warns() {
    let folder = folder(&[("hosts", "a x=1#2 y=3\nb x='1#2' # words\n")]);
    let inventory = load(&folder, "hosts");
    assert_eq!((inventory.hosts["a"].vars.len(), inventory.warnings.len()), (1, 1));
    let Some(Var::Node(node)) = inventory.hosts["b"].vars.get("x") else { panic!("no x") };
    assert_eq!(node.as_str(), Some("1#2"));
}

#[test]
fn a_list_of_hosts_is_an_inventory() {
    let inventory = Inventory::load(&["a,b[1:2],c:22,".to_owned()], &no_programs).unwrap();
    assert_eq!(hosts(&inventory, "all"), "a b1 b2 c");
}

#[test]
fn a_folder_joins_its_files_and_a_program_prints_json() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(&[
        ("net/1.yml", "sealers: {hosts: {s1: }}\n"),
        ("net/2.ini", "[rpc]\nr1\n"),
        ("net/3", "#!/bin/x\n"),
        ("net/group_vars/rpc.yml", "x: 1\n"),
    ]);
    let program = folder.path().join("net/3");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = |path: &Path, args: &[&str]| {
        assert_eq!((path, args), (program.as_path(), ["--list"].as_slice()));
        Ok(r#"{"cloud": {"hosts": ["c1"], "vars": {"v": 1}, "children": ["rpc"]}, "_meta": {"hostvars": {"c1": {"w": 2}}}}"#.to_owned())
    };
    let inventory = Inventory::load(&[folder.path().join("net").display().to_string()], &run).unwrap();
    assert_eq!(hosts(&inventory, "cloud"), "c1 r1");
    assert_eq!(inventory.hosts["c1"].vars.len(), 1);
    assert_eq!(inventory.host_layers("r1", &[], &Loader::default()).unwrap().len(), 2);
}

#[test]
fn hosts_and_groups_can_be_added_while_a_run_goes_on() {
    let folder = folder(&[("hosts.yml", NET)]);
    let mut net = load(&folder, "hosts.yml");
    assert!(net.add_host("new", &["sealers".into()], crate::language::Table::new()));
    assert!(!net.add_host("new", &["sealers".into()], crate::language::Table::new()));
    assert!(net.add_to_group("lonely", "os_debian", &["linux".into()]));
    assert_eq!(hosts(&net, "linux"), "lonely");
    assert_eq!(hosts(&net, "sealers"), "sealer1 sealer2 sealer3 new");
    assert_eq!(net.select("ungrouped").unwrap(), Vec::<String>::new());
}

#[test]
fn mistakes_in_inventories_are_told_with_their_place() {
    let folder = folder(&[
        (
            "a.yml",
            "all:\n  host:\n    a:\n  children:\n    g:\n      hosts: [a, b]\n    h:\n      children: {i: {children: {h: }}}\n",
        ),
        ("b.ini", "[web]\nw[3:1]\nx y\n[all:childen]\n[site:children]\nwbe\n[site:vars]\nplain\n"),
    ]);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let wrong = Inventory::load(&[path("a.yml"), path("b.ini"), path("c.yml")], &no_programs).unwrap_err();
    insta::assert_snapshot!(show(&wrong, &folder));
}

#[test]
fn groups_keep_the_order_in_which_their_sections_begin() {
    // Seen with ansible-core 2.19: ungrouped hosts first, then level by level.
    let text = "z1\na1\n[db:children]\npg\nmy\n[web]\nw1\nz1\n[my]\nm1\n[pg]\np1\nw1\n[site:children]\ndb\nweb\n";
    let folder = folder(&[("hosts", text)]);
    let inventory = load(&folder, "hosts");
    assert_eq!(hosts(&inventory, "all"), "a1 w1 z1 m1 p1");
    assert_eq!(hosts(&inventory, "db"), "m1 p1 w1");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_an_inventory_fall_over(words in proptest::collection::vec(proptest::sample::select(vec![
        "[", "]", "all", "a", ":children", ":vars", "\n", "=", " ", "[1:3]", "'", "\"", "#", "é", "(", "{", ",", "\\", "0x", "-", ".", ":", "~", "*", "!", "&",
    ]), 0..30)) {
        let text = words.concat();
        let folder = folder(&[("hosts", &text)]);
        let inventory = Inventory::load(&[folder.path().join("hosts").display().to_string(), format!("{text},")], &no_programs);
        if let Err(wrong) = &inventory {
            let _ = show(wrong, &folder);
        }
        let _ = inventory.unwrap_or_else(|_| Inventory::empty()).select(&text);
    }
}
