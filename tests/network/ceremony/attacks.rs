//! What an attacker on the way can do, from a host of his own with a Knot of his own: see ceremony/attack.yml; and a party that
//! changes its key.

use super::lab::{LIAR, Lab, Running, Way, labs, ours, until};
use crate::plain::{address, run};
use crate::run::on;

const HIS_ADDRESS: &str = "10.66.66.66";

/// beta publishes another key, well signed, when alpha has counted it and both wait for gamma. In the end both wait again.
pub(super) fn a_key_changes_while_others_wait(lab: &Lab, mut alpha: Running, mut beta: Running) -> [Running; 2] {
    let valid = "beta (node.beta.example): valid";
    alpha.says(valid);
    beta.says(valid);
    let record = on("host6", "kdig @127.0.0.1 +short node.beta.example TXT");
    let (_, key) = record.split_once("k=").unwrap();
    let node = |key: &str| format!("enode://{key}@{}:30303", address("host6"));
    run(&mut lab.play("beta", &labs("change.yml"), &["-e", &format!("other_key={LIAR}")])).expect(0);

    // alpha takes neither of the two, and makes nothing; beta's own side tells the same, should somebody else have done it.
    let refused = format!(
        "the ceremony is refused: beta (node.beta.example): changed: it was changed in mid-ceremony: {} became {}",
        node(&key[..128]),
        node(LIAR)
    );
    for text in [alpha.ends(2), beta.ends(2)] {
        assert!(text.contains(&refused) && !text.contains("gamma (node.gamma.example): valid"), "{text}");
    }
    let made = on("host5", "ls /etc/ceremony");
    assert!(made.contains("memory.json") && !made.contains("genesis.json") && !made.contains("statement"), "{made}");

    // beta is run again, which publishes its key again: it counts again, and both wait on.
    let mut beta = lab.begin("beta");
    beta.says(valid);
    let mut alpha = lab.begin("alpha");
    alpha.says(valid);
    [alpha, beta]
}

pub(super) fn what_the_attacker_made_himself_is_bogus(lab: &Lab) {
    // Answers of his own: without a signature, and with one of his own key; and a DS that is taken out on the way. All that he lets
    // pass is genuine.
    let wanted = [
        "alpha (node.alpha.example): bogus: its TXT record does not validate: it has no signature, and no proof",
        "beta (node.beta.example): bogus: its TXT record does not validate: its signature does not fit it: it was forged",
        "gamma (node.gamma.example): bogus: its TXT record does not validate: the keys (DNSKEY) of gamma.example do not \
         validate: the answer has no DS record of gamma.example, and no proof that its parent has none",
    ];
    let text = lab.told(Way::Lies, &[], &wanted);
    assert!(!text.contains(HIS_ADDRESS) && !text.contains(LIAR), "{text}");

    // Zones of his own: one that looks unsigned; one with keys of his own; one of which he proves, with a root of his own, that it
    // is not signed. None of them is taken for a zone that is really not signed.
    let wanted = [
        "alpha (node.alpha.example): bogus: its TXT record does not validate: it has no signature, and no proof",
        "beta (node.beta.example): bogus: its TXT record does not validate: the keys (DNSKEY) of beta.example do not validate: \
         its parent vouches for other keys than these (DS)",
        "gamma (node.gamma.example): bogus: its TXT record does not validate: it has no signature, and no proof",
    ];
    let text = lab.told(Way::Usurped, &[], &wanted);
    assert!(!text.contains(HIS_ADDRESS) && !text.contains(LIAR), "{text}");
}

pub(super) fn a_changed_key_is_refused_and_an_old_record_too(lab: &Lab) {
    // The attacker has seen everything as it was.
    lab.resolve(Way::Replayed, &["--timeout", "120"]).expect(0);

    // gamma publishes another key after it has counted. Who has looked before knows it, on a host and on the controller.
    let changed = "gamma (node.gamma.example): changed: it was changed in mid-ceremony";
    run(&mut lab.play("gamma", &labs("change.yml"), &["-e", &format!("other_key={LIAR}")])).expect(0);
    let refused = format!("the ceremony is refused: {changed}");
    until(2, &[&refused], || run(&mut lab.play("alpha", &ours("ceremony-verify.yml"), &[])));
    let memory = ["--memory", "memory.json"];
    lab.told(Way::Honest, &memory, &[changed]);

    // Who looks for the first time does not; but what comes of it is another genesis than the others have stated.
    let made = ["--template", "genesis-template.json", "--statements", "--timeout", "60"];
    let text = lab.resolve(Way::Honest, &made).expect(1);
    assert!(text.contains("alpha (node.alpha.example): different: it has made another genesis"), "{text}");

    // The attacker answers with the record from before, whose signature holds for days: known as old by who has seen the newer ...
    let replayed = "gamma (node.gamma.example): replayed: its TXT record was signed at 20";
    lab.told(
        Way::Replayed,
        &memory,
        &["alpha (node.alpha.example): valid", "beta (node.beta.example): valid", replayed],
    );
    // ... and by nobody else: at first sight there is nothing to compare it with.
    lab.resolve(Way::Replayed, &["--timeout", "60"]).expect(0);
}
