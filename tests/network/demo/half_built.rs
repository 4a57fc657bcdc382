//! A host that is half built: check mode shows what the next run then does, and does nothing itself.

use super::{left_whole, network};
use crate::run::{on, play, start, turn};

/// Everything that the roles make on a node's host.
const STATE: &str = "cd /; find opt/geth etc/geth etc/systemd/system etc/systemd/journald.conf.d -exec stat -c '%n %a %U %G %s' {} +; \
    find var/lib/geth -maxdepth 2 -name '*key*' -exec sha256sum {} +; systemctl is-active geth; systemctl is-enabled geth; \
    id geth; true";

#[test]
fn check_mode_predicts_what_the_run_after_two_ctrl_c_does_and_changes_nothing() {
    let _turn = turn();
    network();
    on(
        "rpc1",
        "systemctl disable --now -q geth; rm -r /opt/geth /etc/geth /var/lib/geth /etc/systemd/system/geth.service; \
         systemctl daemon-reload; userdel geth",
    );
    let mut going = start("site.yml", &[]);
    going.wait_for(&["The rpc nodes", "The genesis"]);
    assert_eq!(going.interrupt_twice(), 99);

    let half = on("rpc1", STATE);
    let predicted = play("site.yml", &["-C", "-D"]);
    assert_eq!(predicted.exit, 0, "{}", predicted.text);
    assert_eq!(half, on("rpc1", STATE), "check mode changes nothing");
    let did = play("site.yml", &["-D"]);
    assert_eq!(did.exit, 0, "{}", did.text);
    assert!(!did.changes().is_empty(), "{}", did.text);
    assert_eq!(predicted.changes(), did.changes());
    assert_eq!(play("site.yml", &[]).changed(), 0);
    left_whole();
}
