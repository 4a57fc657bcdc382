//! `inventories/four-chains` on four hosts: two private chains share them, each made, restarted and offered over HTTPS without a word to
//! the other; beside them a node of a public network.

use crate::plain::{Ended, Project, address};
use crate::run::{on, root, until};
use crate::tls::{Client, say};
use rustls::ProtocolVersion;
use rustls::version::{TLS12, TLS13};
use std::io::Write;
use std::thread;

const HOSTS: [&str; 4] = ["host10", "host11", "host12", "host13"];
const MACHINES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const ONE: &str = "mainnet-sidechain";
const TWO: &str = "testnet-sidechain";
const PAGE: &str = "https://app.example.com";
/// Both versions of TLS that are offered.
const MODERN: [&rustls::SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// The shipped inventories, with the lab's hosts and geth, and blocks every two seconds.
fn four_chains() -> Project {
    let project = Project::of_checkout(&HOSTS);
    let geth = root().join(".lab/geth/1.13.15");
    let sums = std::fs::read_to_string(geth.join("SHA256SUMS")).unwrap();
    let sum = sums.lines().find_map(|line| line.strip_suffix("geth")).unwrap().trim();
    let path = "inventories/four-chains/common.yml";
    let mut common = std::fs::read_to_string(project.path(path)).unwrap();
    for (number, (machine, host)) in MACHINES.iter().zip(HOSTS).enumerate() {
        common =
            common.replace(&format!("{machine}: 192.0.2.1{}", number + 1), &format!("{machine}: {}", address(host)));
    }
    for version in ["1.13.15", "1.17.4"] {
        common = common.replace(&format!("/opt/builds/geth-{version}"), &geth.join("geth").display().to_string());
    }
    common = common.replace("version: 1.17.4", "version: 1.13.15").replace(&"0".repeat(64), sum);
    let ssh = root().join(".lab/ssh_config");
    project.write(path, &format!("{common}\nansible_ssh_common_args: -F {}\n", ssh.display()));
    let chain = format!("inventories/four-chains/{ONE}/group_vars/all/chain.yml");
    let text = std::fs::read_to_string(project.path(&chain)).unwrap();
    project.write(&chain, &text.replace("period: 5", "period: 2"));
    project
}

fn play(project: &Project, chain: &str, playbook: &str, arguments: &[&str]) -> Ended {
    let (inventory, playbook) = (format!("inventories/four-chains/{chain}"), format!("playbooks/{playbook}"));
    project.chainwright(&[&["playbook", "-i", &inventory, &playbook], arguments].concat())
}

/// When the processes of a chain began, on all hosts.
fn began(chain: &str) -> Vec<String> {
    HOSTS
        .map(|host| on(host, &format!("systemctl show -p ExecMainStartTimestampMonotonic --value geth-{chain}")))
        .to_vec()
}

/// A certificate for delta and its key, in the project; returns the authority's certificate.
fn certify(project: &Project) -> String {
    let made = on(
        "host10",
        &format!(
            "cd $(mktemp -d); new='openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'; {{ \
             $new -x509 -days 2 -subj /CN=authority -keyout ca.key -out ca.pem; \
             $new -subj /CN=delta -keyout key.pem -out request.pem; echo subjectAltName=IP:{} >names; \
             openssl x509 -req -days 2 -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out server.pem; \
             }} 2>/dev/null; cat ca.pem server.pem key.pem",
            address("host13")
        ),
    );
    let [ca, server, key] = [0, 1, 2].map(|number| pem(&made, number));
    project.write("inventories/four-chains/certificates/rpc.pem", &server);
    project.write("inventories/four-chains/certificates/rpc.key", &key);
    ca
}

/// One of the files that a text holds.
fn pem(text: &str, number: usize) -> String {
    let (begin, _) = text.match_indices("-----BEGIN").nth(number).unwrap();
    let end = begin + text[begin..].find("-----END").unwrap();
    let end = end + text[end..].find('\n').unwrap();
    text[begin..=end].to_owned()
}

fn refuses(project: &Project, playbook: &str, arguments: &[&str], words: &[&str]) {
    let refused = play(project, TWO, playbook, arguments).expect(2);
    for text in words {
        assert!(refused.contains(text), "{arguments:?}: `{text}` is missing: {refused}");
    }
}

#[test]
fn two_chains_share_their_hosts_and_each_is_made_restarted_and_offered_alone() {
    let project = four_chains();
    for chain in [ONE, TWO] {
        let site = play(&project, chain, "site.yml", &[]).expect(0);
        assert!(site.contains("every sealer seals") && site.contains("delta answers over HTTP"), "{site}");
    }
    let both = [began(ONE), began(TWO)];
    thread::scope(|scope| {
        for chain in [ONE, TWO] {
            let again = || play(&project, chain, "site.yml", &[]).expect(0);
            scope.spawn(move || {
                let again = again();
                assert_eq!(again.matches("changed=0").count(), 4, "{again}");
            });
        }
    });
    // What one chain has, another cannot have.
    let taken = "port 30323/tcp (`geth_port`) is taken by geth (process ";
    refuses(&project, "site.yml", &["-e", "geth_port=30323"], &[taken, "geth-mainnet-sidechain.service"]);
    let instance = ["-e", "geth_instance=geth-mainnet-sidechain"];
    let words = ["geth-mainnet-sidechain.service is a node of the network mainnet-sidechain", "`geth_instance`"];
    refuses(&project, "site.yml", &instance, &words);
    assert_eq!(both, [began(ONE), began(TWO)]);

    let authority = certify(&project);
    wrong_settings_of_the_proxy_are_refused(&project);
    let certificates = "{{ inventory_dir }}/../certificates";
    let chain = format!("inventories/four-chains/{TWO}/group_vars/all/proxy.yml");
    project.write(
        &chain,
        &format!(
            "proxy_certificate_src: '{certificates}/rpc.pem'\nproxy_key_src: '{certificates}/rpc.key'\n\
             proxy_origins: ['{PAGE}']\nproxy_burst: 60\nproxy_ws_subscriptions: 1\n"
        ),
    );
    let made = play(&project, TWO, "proxy.yml", &["-vvv", "-D"]).expect(0);
    let key = std::fs::read_to_string(project.path("inventories/four-chains/certificates/rpc.key")).unwrap();
    assert!(!made.contains(key.lines().nth(1).unwrap()), "{made}");
    let modes = on("host13", "cd /etc/nginx; stat -c '%a %U' rpc-testnet-sidechain rpc-testnet-sidechain/key.pem");
    assert_eq!(modes.lines().collect::<Vec<_>>(), ["700 root", "600 root"]);
    let again = play(&project, TWO, "proxy.yml", &[]).expect(0);
    assert_eq!(again.matches("changed=0").count(), 4, "{again}");

    // One chain is restarted; meanwhile the other is asked, and goes on.
    let client = Client::new(&address("host13"), 3443, &authority, &MODERN);
    let head = || {
        let head = client.call("eth_blockNumber");
        u64::from_str_radix(head.as_str().unwrap_or_default().trim_start_matches("0x"), 16).unwrap()
    };
    let before = head();
    thread::scope(|scope| {
        let restart = scope.spawn(|| play(&project, ONE, "restart.yml", &[]).expect(0));
        only_modern_tls_is_spoken(&authority);
        only_what_is_allowed_comes_through(&client);
        pages_of_other_origins_are_turned_away(&client);
        let restart = restart.join().unwrap();
        assert!(restart.contains("sealed a new block itself"), "{restart}");
    });
    let (one, two) = (began(ONE), began(TWO));
    assert!(one[..3].iter().zip(&both[0]).all(|(now, then)| now != then) && one[3] == both[0][3]);
    assert_eq!(two, both[1]);
    assert!(head() > before + 3);

    a_public_network_is_a_third(&project);
    changes_of_the_proxy_are_taken_without_a_stop(&project);
}

fn wrong_settings_of_the_proxy_are_refused(project: &Project) {
    let folder = project.path("inventories/four-chains/certificates").display().to_string();
    let certificate = |certificate: &str, key: &str| {
        format!(r#"{{"proxy_certificate_src": "{folder}/{certificate}", "proxy_key_src": "{folder}/{key}"}}"#)
    };
    project.chainwright(&["key", "new", "node", "inventories/four-chains/certificates/other"]).expect(0);
    let other = on("host10", "openssl ecparam -name prime256v1 -genkey -noout");
    project.write("inventories/four-chains/certificates/other.key", &other);
    for (wrong, words) in [
        (r#"{"proxy_methods": ["eht_call"]}"#, ["has no namespace `eht`", "did you mean `eth`"]),
        (r#"{"proxy_methods": ["debug_*"]}"#, ["debug, which the node does not offer", "rpc_api"]),
        (r#"{"proxy_methods": ["admin_peers"], "rpc_api": ["admin"]}"#, ["commands the node", "leave it out"]),
        (r#"{"proxy_origins": ["https://app.example.com/"]}"#, ["an origin is a scheme", "https://app.example.com;"]),
        (r#"{"rpc_address": "0.0.0.0"}"#, ["listens on 0.0.0.0, past the proxy", "rpc_address: 127.0.0.1"]),
        (r#"{"proxy_port": 22}"#, ["port 22/tcp (`proxy_port`) is taken by", "`proxy_port` another number"]),
        (r#"{"proxy_rate": "many"}"#, ["proxy_rate", "whole numbers above 0"]),
        (r#"{"proxy_key": "/etc/key"}"#, ["a key its certificate", "proxy_certificate and proxy_key"]),
        (
            r#"{"proxy_key": "/no/key", "proxy_certificate": "/no/pem"}"#,
            ["/no/pem and /no/key", "no such file on delta"],
        ),
        (&certificate("none.pem", "rpc.key"), ["none.pem", "no file"]),
        (&certificate("rpc.key", "rpc.key"), ["rpc.key holds no certificate", "delta"]),
        (&certificate("rpc.pem", "other.key"), ["is not that of the certificate in", "other.key"]),
    ] {
        refuses(project, "proxy.yml", &["-e", wrong], &words);
    }
    let there = on("host13", "ls -d /etc/nginx /opt/chainwright /etc/systemd/system/rpc-* 2>/dev/null; true");
    assert_eq!(there, "");
}

fn only_modern_tls_is_spoken(authority: &str) {
    let address = address("host13");
    for (version, wanted) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let agreed = Client::new(&address, 3443, authority, &[version]).handshake().unwrap().0;
        assert_eq!(agreed, wanted);
    }
    // rustls does not speak what came before.
    for old in ["-tls1_1", "-tls1"] {
        let command =
            format!("openssl s_client -connect {address}:3443 {old} -cipher ALL:@SECLEVEL=0 </dev/null 2>&1; true");
        let said = on("host10", &command);
        assert!(said.contains("alert protocol version"), "{said}");
    }
}

fn only_what_is_allowed_comes_through(client: &Client) {
    assert_eq!(client.call("eth_chainId"), "0xb6bf");
    let call = |id: u8, method: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":[]}}"#);
    let refused = "does not exist/is not available";
    for (body, words) in [
        (call(1, "admin_peers"), [refused, "-32601"]),
        (call(1, "eth_accounts"), [refused, "-32601"]),
        (call(1, "\\u0061dmin_peers"), [refused, "admin_peers"]),
        (call(1, "eth_chain\\u0049d"), ["0xb6bf", "result"]),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","method":"admin_peers"}"#.to_owned(),
            ["stands twice", "-32600"],
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","Method":"admin_peers"}"#.to_owned(), ["0xb6bf", "result"]),
        (format!("[{},{}]", call(1, "admin_peers"), call(2, "eth_chainId")), [refused, "0xb6bf"]),
        (format!("[{}]", vec![call(1, "eth_chainId"); 51].join(",")), ["at most 50 calls", "-32600"]),
    ] {
        let answer = client.post(&body);
        assert_eq!(answer.status, 200, "{body}: {}", answer.head);
        assert!(words.iter().all(|word| answer.body.contains(word)), "{body}: {}", answer.body);
        assert!(!answer.body.contains("enode"), "{body}: {}", answer.body);
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(call(1, "admin_peers").as_bytes()).unwrap();
    let gzip = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    assert_eq!(client.request("POST", gzip, &packed.finish().unwrap()).status, 415);

    let mut socket = client.websocket(None).unwrap();
    assert!(say(&mut socket, &call(1, "eth_chainId")).contains("0xb6bf"));
    assert!(say(&mut socket, &call(2, "admin_peers")).contains(refused));
    assert!(say(&mut socket, &format!("[{},{}]", call(3, "eth_chainId"), call(4, "debug_stacks"))).contains(refused));
    // The node itself speaks, too.
    let heads = r#"{"jsonrpc":"2.0","id":5,"method":"eth_subscribe","params":["newHeads"]}"#;
    let begun = say(&mut socket, heads);
    assert!(begun.contains("result") && begun.contains("\"id\":5"), "{begun}");
    assert!(socket.read().unwrap().to_string().contains("eth_subscription"));
    assert!((0..9).any(|_| say(&mut socket, heads).contains("at most 1 subscriptions on one connection")));
}

fn pages_of_other_origins_are_turned_away(client: &Client) {
    let preflight = |origin: &str| {
        let head = format!(
            "Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n"
        );
        client.request("OPTIONS", &head, b"")
    };
    let ours = preflight(PAGE);
    assert_eq!(ours.status, 204);
    let headers = [
        format!("access-control-allow-origin: {PAGE}\r\n"),
        "access-control-allow-methods: post".to_owned(),
        "access-control-allow-headers: content-type\r\n".to_owned(),
    ];
    assert!(headers.iter().all(|header| ours.head.contains(header)), "{}", ours.head);
    for other in ["https://evil.example.com", "https://app.example.com.evil.example", "http://app.example.com", "null"]
    {
        assert!(!preflight(other).head.contains("access-control-"), "{other}");
        let refused = client.websocket(Some(other)).unwrap_err();
        assert!(refused.contains("403"), "{refused}");
    }
    let head = format!("Content-Type: application/json\r\nOrigin: {PAGE}\r\n");
    let answer = client.request("POST", &head, br#"{"jsonrpc":"2.0","id":1,"method":"net_version"}"#);
    assert!(answer.head.contains(&headers[0]) && answer.body.contains("46783"), "{}", answer.head);
    assert!(client.websocket(Some(PAGE)).is_ok());
    // What a page of any origin could send without asking first.
    assert_eq!(client.request("POST", "Content-Type: text/plain\r\n", b"{}").status, 415);
}

fn a_public_network_is_a_third(project: &Project) {
    let made = play(project, "testnet", "public.yml", &[]).expect(0);
    assert!(made.contains("once a consensus client asks it at http://127.0.0.1:8561"), "{made}");
    let again = play(project, "testnet", "public.yml", &[]).expect(0);
    assert!(again.contains("changed=0"), "{again}");
    let refused = play(project, "testnet", "site.yml", &[]).expect(2);
    assert!(refused.contains("testnet is a public network: playbooks/public.yml"), "{refused}");
}

/// Certificates are renewed and settings changed while clients stay; what nginx cannot read is not taken.
fn changes_of_the_proxy_are_taken_without_a_stop(project: &Project) {
    let processes = || on("host13", "systemctl show -p MainPID --value nginx rpc-testnet-sidechain");
    let before = processes();
    let authority = certify(project);
    let renewed = play(project, TWO, "proxy.yml", &[]).expect(0);
    assert!(renewed.contains("reload nginx.service"), "{renewed}");
    let client = Client::new(&address("host13"), 3443, &authority, &MODERN);
    assert!(until(10, || client.handshake().is_ok()), "the new certificate is not served");

    on("host13", "echo 'nonsense;' >/etc/nginx/conf.d/zz.conf");
    let refused = play(project, TWO, "proxy.yml", &["-e", "proxy_rate=3"]).expect(2);
    assert!(refused.contains("failed to validate") && refused.contains("nonsense"), "{refused}");
    assert!(on("host13", "cat /etc/nginx/conf.d/rpc-*").contains("rate=20r/s"));
    assert_eq!(client.call("eth_chainId"), "0xb6bf");
    on("host13", "rm /etc/nginx/conf.d/zz.conf");
    assert_eq!(before, processes());

    let second = ["-e", "proxy_instance=other", "-e", "proxy_filter_port=8599"];
    refuses(
        project,
        "proxy.yml",
        &second,
        &["port 3443 (`proxy_port`) is that of another proxy", "rpc-testnet-sidechain.conf"],
    );

    // Whoever asks too much is told so, and is heard again.
    assert!(client.flood(200) >= 100);
    assert!(until(30, || client.request("OPTIONS", "", b"").status == 204 && client.flood(1) == 0));
}
