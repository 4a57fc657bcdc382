//! An organisation joins the network of a ceremony that is over, with DNS as the only channel: nobody tells it more than its name on
//! the sheet. It has IPv6 alone: its address, its resolver and its zone's server.

use crate::ceremony::{Lab, PATIENCE, Party, end, geth, labs, ours, until};
use crate::plain::{address6, run};
use crate::run::root;
use std::time::Instant;

const FIRST: [Party; 2] = [("alpha", "host10"), ("beta", "host11")];
const DELTA: Party = ("delta", "host12");
const REGISTRY: &str = "host13";

#[test]
fn an_organisation_joins_over_dns_is_voted_in_and_seals() {
    let everybody = [FIRST[0], FIRST[1], DELTA];
    let lab = Lab::new(&everybody, REGISTRY, None);
    lab.dns();
    lab.inventory("all", &FIRST);
    lab.send_out(&everybody, &[]);
    end(FIRST.map(|(name, _)| lab.begin(name)).into());
    run(&mut lab.play("all", &labs("start.yml"), &["-e", &geth()])).expect(0);

    let settings = format!(
        r#"{{"ceremony_address": "{}", "ceremony_resolvers": ["[{}]:5335"], "ceremony_sync_timeout": 300,
            "ceremony_dns": {{"server": "::1", "key_file": "/etc/knot/tsig.key"}},
            "ceremony_client": {{"version": "1.13.15", "source": "{}", "sha256": "{{{{ geth_sha256 }}}}"}}}}"#,
        address6(DELTA.1),
        address6(REGISTRY),
        root().join(".lab/geth/1.13.15/geth").display()
    );
    lab.write("delta/settings.json", &settings);
    let settings = format!("@{}", lab.path("delta/settings.json").display());
    let join = |more: &[&str]| {
        run(&mut lab.play("delta", &ours("ceremony-join.yml"), &[&["-e", &settings][..], more].concat()))
    };
    let admit = |name: &str, more: &[&str]| run(&mut lab.play(name, &ours("ceremony-admit.yml"), more));

    // Nobody joins who is not on the sheet; a new sheet is one of the same ceremony.
    let text = join(&[]).expect(2);
    assert!(text.contains("delta is not under `joined` on the sheet"), "{text}");
    let template = std::fs::read(lab.path("all/genesis-template.json")).unwrap();
    let joined = r#"{"ceremony_joined": [{"name": "delta", "fqdn": "node.delta.example"}]}"#;
    lab.send_out(&everybody, &["-e", joined]);
    assert_eq!(std::fs::read(lab.path("all/genesis-template.json")).unwrap(), template);

    // In check mode a new host is told what would come, as far as it is known.
    until(0, &["/var/lib/geth/geth/nodekey", "start your node"], || join(&["-C"]));

    // beta does not state the genesis any more: nothing is made, let alone published.
    run(&mut lab.play("beta", &labs("silence.yml"), &[])).expect(0);
    let missing = "beta (node.beta.example): missing: there is no statement at _ceremony.node";
    until(2, &[missing], || join(&["-e", "ceremony_timeout=0"]));
    run(&mut lab.play("delta", &labs("untouched.yml"), &[])).expect(0);

    // beta sends it by mail.
    run(&mut lab.play(
        "beta",
        &labs("mail.yml"),
        &["-e", &format!("to={}", lab.path("delta/received/beta.json").display())],
    ))
    .expect(0);
    let text = join(&[]).expect(0);
    assert!(text.contains("enode://") && text.contains(&format!("@[{}]:30303", address6(DELTA.1))), "{text}");
    assert!(text.contains("delta is in sync at block") && text.contains("no validator yet"), "{text}");
    for (name, _) in FIRST {
        let folder = lab.path(name).join("received");
        std::fs::create_dir(&folder).unwrap();
        std::fs::copy(lab.path("delta/received/beta.json"), folder.join("beta.json")).unwrap();
    }

    // The members vote; half of them is not enough.
    let text = admit("alpha", &[]).expect(2);
    assert!(text.contains("say for whom you vote") && text.contains("(delta)"), "{text}");
    let vote = ["-e", "ceremony_admit=delta"];
    admit("alpha", &vote).expect(0);
    let text = admit("alpha", &vote).expect(0);
    assert!(text.contains("is no validator yet") && text.contains("changed=0"), "{text}");
    admit("beta", &vote).expect(0);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = admit("alpha", &vote).expect(0);
        if text.contains("is one of the validators") {
            assert!(text.contains("call clique_discard") || text.contains("changed=1"), "{text}");
            break;
        }
        assert!(Instant::now() < deadline, "{text}");
    }

    // Run again, it proves that it seals; and it changes nothing.
    let text = join(&[]).expect(0);
    assert!(text.contains("one of the validators") && text.contains("sealed a new block itself"), "{text}");
    assert!(text.contains("changed=0"), "{text}");
    lab.inventory("all", &everybody);
    run(&mut lab.play("all", &labs("level.yml"), &[])).expect(0);
    // The members' own checks know the newcomer, and his pass.
    until(0, &[], || run(&mut lab.play("alpha", &ours("ceremony-verify.yml"), &[])));
    until(0, &[], || run(&mut lab.play("delta", &ours("ceremony-verify.yml"), &["-e", &settings])));
}
