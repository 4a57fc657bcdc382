//! From what `ssh` said to one clear failure: what is wrong, and what to do.

use super::Target;
use crate::base::Failure;

/// Why no agent could be started over ssh, from what ssh and the host's shell said on stderr and stdout.
pub fn cannot_connect(target: &Target, said: &str, code: Option<i32>) -> Failure {
    let host = &target.host;
    let find =
        |needles: &[&str]| said.lines().map(str::trim).find(|line| needles.iter().any(|needle| line.contains(needle)));
    let failure = |line: &str, help: String| Failure::unreachable(format!("cannot reach {host}: {line}")).help(help);

    if said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        let place = find(&["Offending"]).and_then(|line| line.rsplit(' ').next()).unwrap_or("your known_hosts");
        let file = place.rsplit_once(':').map_or(place, |(file, _)| file);
        let print =
            said.split_whitespace().find(|word| word.starts_with("SHA256:")).map(|word| word.trim_end_matches('.'));
        let print = print.map(|print| format!(" ({print})")).unwrap_or_default();
        return Failure::unreachable(format!("the host key of {host} has changed{print}: refused")).help(format!(
            "{place} holds another one. Somebody may be listening in. If the host was reinstalled, check the fingerprint on its \
             console, then: ssh-keygen -f {file} -R {}",
            known_as(target, said)
        ));
    }
    if find(&["Host key verification failed", "host key is known for"]).is_some() {
        return Failure::unreachable(format!("the host key of {host} is unknown: refused")).help(format!(
            "connect once with `{}` and compare the fingerprint with the one on its console",
            by_hand(target)
        ));
    }
    if let Some(line) = find(&["Could not resolve hostname"]) {
        return failure(line, format!("is ansible_host right? It is {}", target.address()));
    }
    if let Some(line) = find(&["Connection refused"]) {
        return failure(line, "does sshd run there, and on this port (ansible_port)?".into());
    }
    if let Some(line) = find(&["timed out", "No route to host", "Network is unreachable", "Host is down"]) {
        return failure(line, "is it up, and is its address (ansible_host) right?".into());
    }
    if let Some(line) = find(&["UNPROTECTED PRIVATE KEY FILE", "Bad owner or permissions", "bad permissions"]) {
        return failure(line, "ssh refuses files that others can write or read: chmod 600".into());
    }
    if let Some(line) = find(&["Bad configuration option", "Can't open user config file", "bad configuration options"])
    {
        return failure(line, "ssh's own configuration, or ansible_ssh_common_args, is wrong".into());
    }
    if let Some(line) = find(&["Permission denied", "Too many authentication failures", "No supported authentication"])
    {
        let tried = "is ansible_user right, is the key loaded (ssh-add -l) or named (ansible_ssh_private_key_file)? Passwords are not asked for";
        return failure(line, tried.into());
    }
    if let Some(line) = find(&["kex_exchange_identification", "Connection closed by", "Connection reset by"]) {
        return failure(
            line,
            "what answers there closed the connection: is it sshd, and is it not overloaded (MaxStartups)?".into(),
        );
    }
    if let Some(line) = find(&["Exec format error", "cannot execute binary file"]) {
        return failure(
            line,
            "the agent's binary is for another kind of machine: name one for it in CHAINWRIGHT_AGENT".into(),
        );
    }
    let tail = tail(said);
    match (tail.is_empty(), code) {
        (true, Some(code)) => {
            Failure::unreachable(format!("cannot reach {host}: ssh ended with code {code} and said nothing"))
                .help(format!("try by hand: {} true", by_hand(target)))
        }
        (true, None) => Failure::unreachable(format!("cannot reach {host}: ssh was killed")),
        (false, _) => failure(&tail, format!("try by hand: {} true", by_hand(target))),
    }
}

/// The end of a connection that had an agent. `linked`: the link below still lives, so it was the agent that died.
pub fn lost(target: &Target, said: &str, linked: bool) -> Failure {
    let host = &target.host;
    let tail = tail(said);
    let (what, help) = if linked {
        (
            format!("the agent on {host} died"),
            "what it ran has been ended: look there for the reason (memory, dmesg), then run again",
        )
    } else {
        (
            format!("the connection to {host} was lost"),
            "when the host is back, run again: what is done will not be done twice",
        )
    };
    let what = if tail.is_empty() { what } else { format!("{what}: {tail}") };
    Failure::unreachable(what).help(help)
}

/// How `known_hosts` names a target: ssh says it, since its configuration may say another name and port than ours.
fn known_as(target: &Target, said: &str) -> String {
    let said = said.lines().find_map(|line| line.strip_prefix("Host key for ")?.split(" has changed").next());
    let name = said.unwrap_or(target.address());
    if name.starts_with('[') { format!("'{name}'") } else { name.to_owned() }
}

/// The command that does by hand what we do.
fn by_hand(target: &Target) -> String {
    let mut words = vec!["ssh".to_owned()];
    words.extend(target.ssh_args.iter().cloned());
    words.extend(target.port.map(|port| format!("-p {port}")));
    words.extend(target.user.as_ref().map(|user| format!("-l {user}")));
    words.extend(target.private_key.as_ref().map(|key| format!("-i {key}")));
    words.push(target.address().to_owned());
    words.join(" ")
}

/// The last lines that mean something, as one.
pub fn tail(said: &str) -> String {
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What OpenSSH 9.2 prints.
    const CHANGED: &str = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r
The fingerprint for the ED25519 key sent by the remote host is\r
SHA256:vVcUy3pWbQp2kNzzxkTQW1XXHEXyVJ1dk8u0K6jxOPk.\r
Please contact your system administrator.\r
Add correct host key in /root/.ssh/known_hosts to get rid of this message.\r
Offending ED25519 key in /root/.ssh/known_hosts:3\r
Host key for [10.0.0.2]:2222 has changed and you have requested strict checking.\r
Host key verification failed.\r
";

    #[test]
    fn a_changed_host_key_names_the_fingerprint_the_line_and_the_way_out() {
        let target = Target { address: Some("10.0.0.2".into()), port: Some(2222), ..Target::ssh("sealer1") };
        let failure = cannot_connect(&target, CHANGED, Some(255));
        assert_eq!(
            failure.message,
            "the host key of sealer1 has changed (SHA256:vVcUy3pWbQp2kNzzxkTQW1XXHEXyVJ1dk8u0K6jxOPk): refused"
        );
        let help = failure.help.unwrap();
        assert!(help.starts_with("/root/.ssh/known_hosts:3 holds another one"), "{help}");
        assert!(help.ends_with("ssh-keygen -f /root/.ssh/known_hosts -R '[10.0.0.2]:2222'"), "{help}");
    }

    #[test]
    fn each_of_the_things_that_ssh_says_has_its_own_help() {
        let table = [
            ("Host key verification failed.", "the host key of sealer1 is unknown: refused", "connect once"),
            (
                "ssh: Could not resolve hostname s1: Name or service not known",
                "cannot reach sealer1: ssh: Could not",
                "ansible_host",
            ),
            (
                "ssh: connect to host 10.0.0.2 port 22: Connection refused",
                "cannot reach sealer1: ssh: connect to",
                "does sshd run",
            ),
            (
                "ssh: connect to host 10.0.0.2 port 22: Connection timed out",
                "cannot reach sealer1: ssh: connect to",
                "is it up",
            ),
            (
                "ssh: connect to host 10.0.0.2 port 22: No route to host",
                "cannot reach sealer1: ssh: connect to",
                "is it up",
            ),
            ("bob@10.0.0.2: Permission denied (publickey).", "cannot reach sealer1: bob@10.0.0.2", "ansible_user"),
            (
                "kex_exchange_identification: Connection closed by remote host",
                "cannot reach sealer1: kex",
                "MaxStartups",
            ),
            ("/x: line 1: Bad configuration option: foo", "cannot reach sealer1: /x: line 1", "configuration"),
            (
                "sh: 1: exec: /home/b/agent-1: Exec format error",
                "cannot reach sealer1: sh: 1",
                "another kind of machine",
            ),
            ("", "cannot reach sealer1: ssh ended with code 255", "by hand"),
        ];
        for (said, message, help) in table {
            let failure = cannot_connect(&Target::ssh("sealer1"), said, Some(255));
            assert!(failure.message.starts_with(message), "{said}: {failure}");
            assert!(failure.help.as_ref().is_some_and(|text| text.contains(help)), "{said}: {failure}");
            assert!(failure.unreachable);
        }
    }

    #[test]
    fn a_dead_agent_and_a_lost_link_are_told_apart() {
        let target = Target::ssh("sealer1");
        assert_eq!(lost(&target, "", true).message, "the agent on sealer1 died");
        assert_eq!(lost(&target, "a\n\nb\n", false).message, "the connection to sealer1 was lost: a; b");
    }
}
