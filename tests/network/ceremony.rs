//! A DNS ceremony of three organisations that share nothing but DNS: each with a zone of its own on a real Knot, signed, below a
//! root of the lab's, resolved through a real Unbound, and ended by a sealing network of real geth nodes. Beside it an attacker,
//! on a host of his own.

mod attacks;
mod lab;
mod mistakes;

use crate::plain::run;
use crate::run::on;
pub(crate) use lab::{Lab, PATIENCE, Party, end, geth, labs, ours, until};
use lab::{SECRET, WRONG_SECRET, Way};
use std::process::Command;

const PARTIES: [Party; 3] = [("alpha", "host5"), ("beta", "host6"), ("gamma", "host7")];

#[test]
fn three_strangers_make_a_network_over_dns_and_lies_are_refused() {
    let lab = Lab::new(&PARTIES, "host8", Some("host9"));
    lab.dns();
    lab.send_out(&PARTIES, &[]);
    two_wait_for_the_third(&lab);
    all_have_the_same(&lab);
    mistakes::bad_zones_are_told_by_name(&lab);
    mistakes::every_form_of_a_master_file_is_read(&lab);
    lab.attack();
    attacks::what_the_attacker_made_himself_is_bogus(&lab);
    attacks::a_changed_key_is_refused_and_an_old_record_too(&lab);
}

fn two_wait_for_the_third(lab: &Lab) {
    // alpha comes too early: at its deadline it is told who is missing, by name, and what of them.
    // (A resolver that was just started may be late with its first answers.)
    let missing = ["beta (node.beta.example)", "gamma (node.gamma.example)"]
        .map(|one| format!("{one}: missing: it has no TXT record"));
    let text = until(2, &missing.each_ref().map(String::as_str), || {
        run(&mut lab.play("alpha", &ours("ceremony.yml"), &["-e", "ceremony_timeout=2"]))
    });
    assert!(text.contains("the ceremony is not complete after 2 s") && !text.contains("alpha (node.alpha.example)"));

    // It comes again with beta, and has the same keys.
    let (mut alpha, beta) = (lab.begin("alpha"), lab.begin("beta"));
    alpha.says("gamma (node.gamma.example): missing: it has no TXT record");

    // beta changes its key meanwhile.
    let [alpha, beta] = attacks::a_key_changes_while_others_wait(lab, alpha, beta);

    // gamma has the wrong TSIG key.
    let wrong = "{\"ceremony_dns\": {\"server\": \"127.0.0.1\", \"key_file\": \"/etc/knot/wrong.key\"}}";
    let text = run(&mut lab.play("gamma", &ours("ceremony.yml"), &["-vvv", "-D", "-e", wrong])).expect(2);
    assert!(text.contains("127.0.0.1 refuses the signature of the TSIG key `update` (BADSIG)"), "{text}");
    assert!(text.contains("the secret in the key file is not the one that the server has under that name"), "{text}");
    assert!(!text.contains(SECRET) && !text.contains(WRONG_SECRET), "{text}");
    for kind in ["A", "TXT"] {
        assert_eq!(on("host7", &format!("kdig @127.0.0.1 +short node.gamma.example {kind}")), "", "{kind}");
    }
    let text = lab.told(Way::Honest, &[], &["after 0 s: gamma (node.gamma.example): missing: it has no TXT record"]);
    assert!(!text.contains("(node.alpha.example): missing"), "{text}");

    // Now it has the right one. (Its algorithm, and each party's, is another: see dns.yml.)
    let gamma = lab.begin("gamma");
    end(vec![alpha, beta, gamma]);
}

fn all_have_the_same(lab: &Lab) {
    // The one-shot command comes to the same bytes, and everybody stated them.
    let made = ["--template", "genesis-template.json", "--genesis", "genesis.json", "--statements", "--timeout", "120"];
    lab.resolve(Way::Honest, &[made.as_slice(), &["--memory", "memory.json"]].concat()).expect(0);
    let digest = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
    let here = Command::new("sha256sum").arg(lab.path("all/genesis.json")).output().unwrap();
    let here = digest(&String::from_utf8_lossy(&here.stdout));
    run(&mut lab.play("all", &labs("same.yml"), &["-e", &format!("sha256={here}")])).expect(0);

    // Run again, it changes nothing.
    let again = run(&mut lab.play("alpha", &ours("ceremony.yml"), &[])).expect(0);
    assert!(again.contains("changed=0"), "{again}");

    // With what is on the hosts now, they seal; not all nodes may have found each other at once.
    run(&mut lab.play("all", &labs("start.yml"), &["-e", &geth()])).expect(0);
    until(0, &[], || run(&mut lab.play("alpha", &ours("ceremony-verify.yml"), &["-e", "ceremony_timeout=60"])));
}
