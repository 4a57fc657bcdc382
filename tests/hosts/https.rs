//! HTTPS as hosts meet it: servers of another TLS library, with good and bad certificates.

use crate::lab::Host;
use crate::run::run;
use std::path::Path;

#[test]
fn a_server_must_prove_its_name_to_an_authority_that_the_host_or_the_task_trusts() {
    let host = Host::take();
    let playbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/https/site.yml");
    run(&playbook, &["-i", &format!("{},", &*host)]).expect(0);
}
