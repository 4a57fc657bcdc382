//! What is known of a host, under the names that Ansible's `setup` gives it.
//!
//! Everything comes from `/proc`, `/sys`, `/etc` and a few system calls: no program is run, but for executable files in
//! the folder of local facts.

mod devices;
mod hardware;
mod local;
mod network;
mod os;
mod user;

pub use local::LocalFacts;

use super::System;
use crate::base::diagnostic::did_you_mean;
use crate::base::failure::Result;
use crate::base::{Failure, Map, Value};
use std::path::Path;

/// One part of the facts. Its name can be asked for in `gather_subset`.
struct Part {
    name: &'static str,
    /// The subset it belongs to: `min`, `hardware`, `network` or `virtual`.
    subset: &'static str,
    gather: fn(&Host, &mut Map),
}

const PARTS: &[Part] = &[
    Part { name: "apparmor", subset: "min", gather: os::apparmor },
    Part { name: "chroot", subset: "min", gather: os::chroot },
    Part { name: "cmdline", subset: "min", gather: os::cmdline },
    Part { name: "date_time", subset: "min", gather: os::date_time },
    Part { name: "distribution", subset: "min", gather: os::distribution },
    Part { name: "dns", subset: "min", gather: network::dns },
    Part { name: "env", subset: "min", gather: user::env },
    Part { name: "fips", subset: "min", gather: os::fips },
    Part { name: "lsb", subset: "min", gather: os::lsb },
    Part { name: "pkg_mgr", subset: "min", gather: os::pkg_mgr },
    Part { name: "platform", subset: "min", gather: os::platform },
    Part { name: "python", subset: "min", gather: os::python },
    Part { name: "selinux", subset: "min", gather: os::selinux },
    Part { name: "service_mgr", subset: "min", gather: os::service_mgr },
    Part { name: "ssh_pub_keys", subset: "min", gather: user::ssh_pub_keys },
    Part { name: "user", subset: "min", gather: user::user },
    Part { name: "devices", subset: "hardware", gather: devices::devices },
    Part { name: "dmi", subset: "hardware", gather: hardware::dmi },
    Part { name: "loadavg", subset: "hardware", gather: hardware::loadavg },
    Part { name: "memory", subset: "hardware", gather: hardware::memory },
    Part { name: "mounts", subset: "hardware", gather: hardware::mounts },
    Part { name: "processor", subset: "hardware", gather: hardware::processor },
    Part { name: "uptime", subset: "hardware", gather: hardware::uptime },
    Part { name: "interfaces", subset: "network", gather: network::interfaces },
    Part { name: "virtualization", subset: "virtual", gather: os::virtualization },
];

/// Other names that Ansible has for parts and subsets; `facter` and `ohai` are foreign programs, which are never run.
const SAME: &[(&str, &str)] = &[
    ("default_ipv4", "interfaces"),
    ("default_ipv6", "interfaces"),
    ("all_ipv4_addresses", "interfaces"),
    ("all_ipv6_addresses", "interfaces"),
    ("processor_cores", "processor"),
    ("processor_count", "processor"),
    ("machine", "platform"),
    ("machine_id", "platform"),
    ("architecture", "platform"),
    ("kernel", "platform"),
    ("hostname", "platform"),
    ("system", "platform"),
    ("os_family", "distribution"),
    ("distribution_version", "distribution"),
    ("distribution_release", "distribution"),
    ("distribution_major_version", "distribution"),
    ("virtualization_type", "virtualization"),
    ("virtualization_role", "virtualization"),
    ("system_capabilities", "min"),
    ("caps", "min"),
    ("local", "min"),
    ("is_chroot", "chroot"),
    ("python_version", "python"),
    ("device_links", "devices"),
];
const NOTHING: &[&str] = &["facter", "ohai"];

/// A host that is looked at: nothing here fails, what cannot be read is left out.
struct Host<'a>(&'a System);

impl Host<'_> {
    /// The text of a file without blanks around it; `None` if it cannot be read or is empty.
    fn text(&self, path: &str) -> Option<String> {
        let bytes = std::fs::read(self.0.locate(Path::new(path))).ok()?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    fn exists(&self, path: &str) -> bool {
        self.0.locate(Path::new(path)).exists()
    }

    /// The names in a folder, sorted; none if it cannot be read.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.locate(Path::new(folder))).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// Puts a fact into a table under Ansible's prefix.
fn put(facts: &mut Map, name: &str, value: impl Into<Value>) {
    facts.insert(format!("ansible_{name}"), value.into());
}

/// The parts that `subset` (`all`, `min`, `!hardware`, `network`, ...) asks for.
fn choose(subset: &[String]) -> Result<Vec<&'static Part>> {
    let (mut wanted, mut unwanted, mut exact) = (Vec::new(), Vec::new(), Vec::new());
    let (mut minimum, mut named_any) = (true, false);
    for entry in subset {
        let (negated, name) = match entry.trim().strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, entry.trim()),
        };
        let name = SAME.iter().find(|(other, _)| *other == name).map_or(name, |(_, same)| same);
        let found: Vec<&str> = match name {
            "all" if negated => PARTS.iter().filter(|part| part.subset != "min").map(|part| part.name).collect(),
            "all" => PARTS.iter().map(|part| part.name).collect(),
            _ => PARTS.iter().filter(|part| part.name == name || part.subset == name).map(|part| part.name).collect(),
        };
        if found.is_empty() && !NOTHING.contains(&name) {
            let known = PARTS.iter().flat_map(|part| [part.name, part.subset]).chain(["all"]);
            let failure = Failure::new(format!("there is no subset `{name}` of facts"));
            return Err(match did_you_mean(name, known) {
                Some(meant) => failure.help(format!("did you mean `{meant}`?")),
                None => failure.help("there are all, min, hardware, network, virtual and single parts such as mounts"),
            });
        }
        if negated {
            minimum &= name != "min";
            unwanted.extend(found);
        } else {
            named_any = true;
            exact.extend(found.iter().copied().filter(|part| *part == name));
            wanted.extend(found);
        }
    }
    Ok(PARTS
        .iter()
        .filter(|part| match part.subset {
            _ if exact.contains(&part.name) => true,
            // The minimum is always there, unless it is itself what is not wanted.
            "min" if minimum && !unwanted.contains(&part.name) => true,
            _ => (wanted.contains(&part.name) || !named_any) && !unwanted.contains(&part.name),
        })
        .collect())
}

impl System {
    /// Gathers facts. Every name has the prefix `ansible_`, but for `gather_subset`.
    pub fn facts(&self, subset: &[String]) -> Result<Map> {
        let mut facts = Map::new();
        for part in choose(subset)? {
            (part.gather)(&Host(self), &mut facts);
        }
        facts.insert("gather_subset".into(), subset.iter().map(String::as_str).collect());
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(subset: &[&str]) -> Vec<&'static str> {
        let subset: Vec<_> = subset.iter().map(|name| (*name).to_owned()).collect();
        choose(&subset).unwrap().iter().map(|part| part.name).collect()
    }

    #[test]
    fn a_subset_adds_to_the_minimum_and_a_mark_takes_away() {
        assert_eq!(names(&["all"]).len(), PARTS.len());
        assert!(names(&["network"]).contains(&"interfaces"));
        assert!(names(&["network"]).contains(&"distribution"));
        assert!(!names(&["network"]).contains(&"mounts"));
        assert!(!names(&["!hardware"]).contains(&"mounts"));
        assert!(names(&["!hardware"]).contains(&"interfaces"));
        assert!(names(&["!all"]).iter().all(|name| !["mounts", "interfaces"].contains(name)));
        assert_eq!(names(&["!all", "!min", "mounts"]), ["mounts"]);
        assert!(names(&["!all", "!min"]).is_empty());
    }

    #[test]
    fn a_subset_that_does_not_exist_is_refused() {
        let failure = choose(&["netwrok".into()]).err().unwrap();
        assert_eq!(failure.help.as_deref(), Some("did you mean `network`?"));
    }

    #[test]
    fn this_machine_has_facts_and_they_take_little_time() {
        let system = System::new("/");
        let facts = system.facts(&["all".into()]).unwrap();
        for name in ["hostname", "kernel", "os_family", "memtotal_mb", "processor_vcpus", "date_time", "user_id"] {
            assert!(facts.contains_key(&format!("ansible_{name}")), "{name}");
        }
        assert_eq!(facts["ansible_system"], "Linux");
    }

    #[test]
    fn an_empty_host_has_few_facts_and_no_failure() {
        assert!(System::new("/nonexistent").facts(&["all".into()]).is_ok());
    }
}
