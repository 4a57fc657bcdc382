//! A network that is locked, on plain hosts: keys whose public halves go into the inventory, a lock, a network that must be as it
//! says; and another organisation that joins it with nothing but the lock and the genesis.

use crate::plain::{Hosts, Project, run};
use crate::run::{on, root};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const SEALERS: [&str; 2] = ["host5", "host6"];
const GUEST: &str = "host8";

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = read(path);
    assert!(text.contains(from), "{from}: {text}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn started(host: &str) -> String {
    on(host, "systemctl show -p ExecMainStartTimestampMonotonic --value geth")
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// From the first key to a network that is as its lock says; returns the lock.
fn locked_network(project: &Project) -> String {
    let refused = project.chainwright(&["lock", "-i", "inventories/main"]).expect(1);
    assert!(
        refused.contains("host5, host6 have no public keys") && refused.contains("playbooks/keys.yml"),
        "{refused}"
    );
    project.play("keys.yml", &[]).expect(0);
    let keys = SEALERS.map(|host| on(host, "cd /var/lib/geth; sha256sum geth/nodekey keystore/* password"));
    let again = project.play("keys.yml", &[]).expect(0);
    assert_eq!(again.matches("changed=0").count(), 2, "{again}");
    assert_eq!(keys, SEALERS.map(|host| on(host, "cd /var/lib/geth; sha256sum geth/nodekey keystore/* password")));
    // What a user writes beside them stays.
    let public = project.path("inventories/main/host_vars/host5/public.yml");
    std::fs::write(&public, read(&public) + "mine: true\n").unwrap();
    project.play("keys.yml", &[]).expect(0);
    assert!(read(&public).ends_with("mine: true\n"));
    project.chainwright(&["lock", "-i", "inventories/main"]).expect(0);
    let lock = read(&project.path("inventories/main/network.lock"));
    let secret = on("host5", "cat /var/lib/geth/geth/nodekey");
    assert!(
        !lock.contains(secret.trim())
            && !read(&project.path("inventories/main/host_vars/host5/public.yml")).contains(secret.trim())
    );

    let site = project.play("site.yml", &[]).expect(0);
    assert!(site.contains("the inventory is as locked") && site.contains("every sealer seals"), "{site}");
    let site = project.play("site.yml", &[]).expect(0);
    assert_eq!(site.matches("changed=0").count(), 2, "{site}");
    let proof = site.lines().find(|line| line.contains("the nodes are as locked"));
    assert!(proof.is_some_and(|line| line.contains("2 answered")), "{site}");
    // Of one host alone: the others are as they are locked.
    let limited = project.play("site.yml", &["--limit", "host6"]).expect(0);
    assert_eq!((limited.matches("changed=0").count(), limited.matches("host5 ").count()), (1, 0), "{limited}");
    let hash = serde_json::from_str::<Value>(&lock).unwrap()["genesis"]["hash"].as_str().unwrap().to_owned();
    assert!(site.contains(&hash), "{hash}: {site}");
    lock
}

/// What differs is named, and nothing is restarted.
fn what_differs_is_refused(project: &Project) {
    let before = SEALERS.map(started);
    let variables = project.path("inventories/main/group_vars/all.yml");
    edit(&variables, "version: \"1.13.15\"", "version: \"1.13.14\"");
    for playbook in ["site.yml", "restart.yml", "upgrade.yml"] {
        let refused = project.play(playbook, &[]).expect(2);
        assert!(refused.contains("client version: the lock says 1.13.15, there is 1.13.14"), "{refused}");
    }
    // Agreed upon anew, it is the running network that differs.
    let path = project.path("inventories/main/network.lock");
    let lock = read(&path);
    project.chainwright(&["lock", "-i", "inventories/main"]).expect(0);
    let refused = project.play("restart.yml", &["-e", "allow_halt=true"]).expect(2);
    for host in SEALERS {
        let difference = format!("client version of {host}: the lock says 1.13.14, there is 1.13.15");
        assert!(refused.contains(&difference), "{difference}: {refused}");
    }
    edit(&variables, "version: \"1.13.14\"", "version: \"1.13.15\"");
    std::fs::write(&path, lock).unwrap();

    // A host that has not the key which the inventory names.
    on("host6", "mv /var/lib/geth/geth/nodekey /root/");
    let refused = project.play("site.yml", &[]).expect(2);
    assert!(refused.contains("for host6 (`node_public_key`), and the host has none"), "{refused}");
    let refused = project.play("keys.yml", &[]).expect(2);
    assert!(refused.contains("the host has none"), "{refused}");
    on("host6", "mv /root/nodekey /var/lib/geth/geth/");
    assert_eq!(before, SEALERS.map(started));
}

#[test]
fn a_network_is_locked_and_another_organisation_joins_it_with_lock_and_genesis_alone() {
    let _guest = Hosts::take(&[GUEST]);
    let (project, _) = Project::init(&SEALERS, &[]);
    let lock = locked_network(&project);
    what_differs_is_refused(&project);

    // The other organisation's project: its own host, the two files, and where it has the client from.
    for folder in ["playbooks", "roles"] {
        copy_folder(&root().join(folder), &project.path(&format!("theirs/{folder}")));
    }
    let address = on(GUEST, "hostname -I").split_whitespace().next().unwrap().to_owned();
    let hosts = format!(
        "all:\n  children:\n    nodes:\n      children:\n        rpc:\n          hosts:\n            {GUEST}:\n              node_address: {address}\n"
    );
    project.write("theirs/net/hosts.yml", &hosts);
    let client = |version: &str| root().join(format!(".lab/geth/{version}/geth")).display().to_string();
    let ssh = root().join(".lab/ssh_config");
    let variables = format!("join_client: {}\nansible_ssh_common_args: -F {}\n", client("1.13.2"), ssh.display());
    project.write("theirs/net/group_vars/all.yml", &variables);
    let join = || project.chainwright(&["playbook", "-i", "theirs/net", "theirs/playbooks/join.yml"]);
    let refused = join().expect(2);
    assert!(refused.contains("joining needs the network's lock"), "{refused}");

    project.write("theirs/net/network.lock", &lock);
    let genesis = on("host5", "cat /etc/geth/genesis.json");
    project.write("theirs/net/genesis.json", &genesis.replace("\"period\": 2", "\"period\": 3"));
    let refused = join().expect(2);
    assert!(
        refused.contains("the genesis differs from") && refused.contains("digest of the genesis' settings"),
        "{refused}"
    );
    project.write("theirs/net/genesis.json", &genesis.replace("\"gasLimit\": \"0x", "\"gasLimit\": \"0x1"));
    let refused = join().expect(2);
    assert!(refused.contains("hash of block 0: the lock says 0x"), "{refused}");
    assert_eq!(on(GUEST, "ls -d /etc/geth /var/lib/geth /opt/geth 2>/dev/null; true"), "", "{GUEST} was touched");

    // It joins when the members have an older version, and follows them when they have agreed upon another.
    project.write("theirs/net/genesis.json", &genesis);
    let sha256 = |version: &str| {
        let sum = run(Command::new("sha256sum").arg(client(version))).expect(0);
        sum.split_whitespace().next().unwrap().to_owned()
    };
    let older = lock.replace("1.13.15", "1.13.2").replace(&sha256("1.13.15"), &sha256("1.13.2"));
    project.write("theirs/net/network.lock", &older);
    join().expect(0);
    project.write("theirs/net/network.lock", &lock);
    project.write("theirs/net/group_vars/all.yml", &variables.replace("1.13.2", "1.13.15"));
    let joined = join().expect(0);
    assert!(joined.contains("state saved"), "{joined}");
    for claim in ["same genesis", "at the end of the chain", "the nodes are as locked"] {
        assert!(joined.contains(claim), "{claim}: {joined}");
    }
    let again = join().expect(0);
    assert_eq!(again.matches("changed=0").count(), 1, "{again}");
    // What it answers to others is the sealers' chain.
    let head = |host: &str, endpoint: &str| {
        on(host, &format!("/opt/geth/1.13.15/geth attach --exec 'eth.getBlock(5).hash' {endpoint}"))
    };
    assert_eq!(head(GUEST, &format!("http://{address}:8545")), head("host5", "/var/lib/geth/geth.ipc"));
}
