//! Two sealers with keys that exist already: installed as they are, never twice, never overwritten. And of two none may be
//! stopped without leave.

use crate::plain::Project;
use crate::run::on;

const HOSTS: [&str; 2] = ["host5", "host6"];

/// A node key and an account with its password for each host, made on this machine; returns the addresses.
fn keys(project: &Project) -> Vec<String> {
    let make = |host: &str| {
        project.write(&format!("keys/{host}/password"), &format!("the password of {host}\n"));
        project.chainwright(&["key", "new", "node", &format!("keys/{host}/nodekey")]).expect(0);
        let (keystore, password) = (format!("keys/{host}/keystore"), format!("keys/{host}/password"));
        project.chainwright(&["key", "new", "account", &keystore, "--password-file", &password]).expect(0);
        let file = project.path(&keystore).read_dir().unwrap().next().unwrap().unwrap().path();
        std::fs::rename(file, project.path(&format!("keys/{host}/account"))).unwrap();
        let text = std::fs::read_to_string(project.path(&format!("keys/{host}/account"))).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["address"].as_str().unwrap().to_owned()
    };
    HOSTS.map(make).to_vec()
}

/// The inventory says which keys a host has.
fn names_keys(project: &Project, host: &str, node_key_of: &str, account_of: &str) {
    let folder = "{{ inventory_dir }}/../../keys";
    project.write(
        &format!("inventories/main/host_vars/{host}.yml"),
        &format!(
            "geth_node_key_src: '{folder}/{node_key_of}/nodekey'\ngeth_account_src: '{folder}/{account_of}/account'\n\
             geth_account_password_src: '{folder}/{account_of}/password'\n"
        ),
    );
}

fn nothing_is_there(host: &str) {
    let found = on(
        host,
        "ls -d /var/lib/geth /etc/geth /opt/geth /etc/systemd/system/geth.service 2>/dev/null; id geth 2>/dev/null; true",
    );
    assert_eq!(found, "", "{host} was touched");
}

fn started(host: &str) -> String {
    on(host, "systemctl show -p ExecMainStartTimestampMonotonic --value geth")
}

#[test]
fn existing_keys_are_installed_and_two_hosts_cannot_have_the_same() {
    let (project, _) = Project::init(&HOSTS, &[]);
    let addresses = keys(&project);

    names_keys(&project, "host5", "host5", "host5");
    names_keys(&project, "host6", "host5", "host5");
    let refused = project.play("site.yml", &[]).expect(2);
    for text in [
        "host5 and host6 have one and the same node key ".to_owned(),
        format!("host5 and host6 have one and the same account 0x{}", addresses[0]),
        "geth_node_key_src".to_owned(),
    ] {
        assert!(refused.contains(&text), "`{text}` is missing: {refused}");
    }
    for host in HOSTS {
        nothing_is_there(host);
    }

    names_keys(&project, "host6", "host6", "host6");
    project.write("keys/host6/password", "a wrong one\n");
    let refused = project.play("site.yml", &[]).expect(2);
    assert!(refused.contains("is not installed: "), "{refused}");
    assert!(!refused.contains("a wrong one"), "{refused}");
    for host in HOSTS {
        nothing_is_there(host);
    }

    project.write("keys/host6/password", "the password of host6\n");
    let site = project.play("site.yml", &[]).expect(0);
    assert!(site.contains("every sealer seals") && !site.contains("the password of"), "{site}");
    for host in HOSTS {
        for (there, ours) in [("keystore/*", "account"), ("geth/nodekey", "nodekey"), ("password", "password")] {
            let ours = std::fs::read_to_string(project.path(&format!("keys/{host}/{ours}"))).unwrap();
            assert_eq!(on(host, &format!("cat /var/lib/geth/{there}")).trim(), ours.trim(), "{host} {there}");
        }
        let modes = on(host, "cd /var/lib/geth; stat -c '%a %U:%G' . geth keystore keystore/* geth/nodekey password");
        let (folder, file) = ("700 geth:geth", "400 geth:geth");
        assert_eq!(modes.lines().collect::<Vec<_>>(), [folder, folder, folder, file, file, file], "{host}");
    }
    assert_eq!(project.play("site.yml", &[]).expect(0).matches("changed=0").count(), 2);

    // Another key for a host that has one: it is not overwritten.
    let before = HOSTS.map(|host| on(host, "cd /var/lib/geth; sha256sum geth/nodekey keystore/* password"));
    names_keys(&project, "host5", "host6", "host5");
    let refused = project.play("site.yml", &[]).expect(2);
    assert!(refused.contains("already holds another node key"), "{refused}");
    names_keys(&project, "host5", "host5", "host5");
    assert_eq!(before, HOSTS.map(|host| on(host, "cd /var/lib/geth; sha256sum geth/nodekey keystore/* password")));

    // Two signers need both.
    let before = HOSTS.map(started);
    let refused = project.play("restart.yml", &[]).expect(2);
    for text in ["stopping host6 would leave 1 live sealer, and 2 signers need 2", "-e allow_halt=true"] {
        assert!(refused.contains(text), "`{text}` is missing: {refused}");
    }
    assert_eq!(before, HOSTS.map(started), "{refused}");
    let allowed = project.play("restart.yml", &["-e", "allow_halt=true"]).expect(0);
    assert!(allowed.contains("too few sealers stay live, as allowed"), "{allowed}");
    let after = HOSTS.map(started);
    assert!(before[0] != after[0] && before[1] != after[1], "{allowed}");
}
