//! Facts about the operating system: what it is, what it is called, what time it has.

use super::{Host, put};
use crate::base::{Map, Value};
use jiff::Zoned;
use serde_json::json;

/// Names, kernel and architecture.
pub fn platform(host: &Host, facts: &mut Map) {
    let uname = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let (node, machine) = (text(uname.nodename()), text(uname.machine()));
    let full = full_name(&node, &host.text("/etc/hosts").unwrap_or_default());
    put(facts, "system", text(uname.sysname()));
    put(facts, "kernel", text(uname.release()));
    put(facts, "kernel_version", text(uname.version()));
    put(facts, "userspace_bits", usize::BITS.to_string());
    put(facts, "userspace_architecture", machine.clone());
    put(facts, "architecture", machine.clone());
    put(facts, "machine", machine);
    put(facts, "hostname", node.split('.').next().unwrap_or_default());
    put(facts, "domain", full.split_once('.').map(|(_, domain)| domain).unwrap_or_default());
    put(facts, "fqdn", full);
    put(facts, "nodename", node);
    let name = |text: &str| text.lines().find_map(|line| line.strip_prefix("InitiatorName=")).map(str::to_owned);
    put(
        facts,
        "iscsi_iqn",
        host.text("/etc/iscsi/initiatorname.iscsi").and_then(|text| name(&text)).unwrap_or_default(),
    );
    put(facts, "hostnqn", host.text("/etc/nvme/hostnqn").unwrap_or_default());
    if let Some(id) = host.text("/etc/machine-id").or_else(|| host.text("/var/lib/dbus/machine-id")) {
        put(facts, "machine_id", id);
    }
}

/// The name with its domain, from `/etc/hosts` and never from DNS: asking a server that does not answer takes long.
fn full_name(node: &str, hosts: &str) -> String {
    if node.contains('.') {
        return node.to_owned();
    }
    hosts
        .lines()
        .filter_map(|line| line.split('#').next())
        .map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>())
        .filter(|names| names.contains(&node))
        .find_map(|names| names.iter().find(|name| name.starts_with(&format!("{node}."))).map(ToString::to_string))
        .unwrap_or_else(|| node.to_owned())
}

/// A value of `/etc/os-release`, which is written in shell syntax.
fn release_value(text: &str, name: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
    shlex::split(value)?.into_iter().next()
}

/// Distributions by the ID of their os-release, with Ansible's name and family.
const DISTRIBUTIONS: &[(&str, &str, &str)] = &[
    ("debian", "Debian", "Debian"),
    ("ubuntu", "Ubuntu", "Debian"),
    ("raspbian", "Debian", "Debian"),
    ("linuxmint", "Linux Mint", "Debian"),
    ("kali", "Kali", "Debian"),
    ("devuan", "Devuan", "Debian"),
    ("pop", "Pop!_OS", "Debian"),
    ("rhel", "RedHat", "RedHat"),
    ("centos", "CentOS", "RedHat"),
    ("rocky", "Rocky", "RedHat"),
    ("almalinux", "AlmaLinux", "RedHat"),
    ("fedora", "Fedora", "RedHat"),
    ("ol", "OracleLinux", "RedHat"),
    ("amzn", "Amazon", "RedHat"),
    ("opensuse-leap", "openSUSE Leap", "Suse"),
    ("opensuse-tumbleweed", "openSUSE Tumbleweed", "Suse"),
    ("sles", "SLES", "Suse"),
    ("alpine", "Alpine", "Alpine"),
    ("arch", "Archlinux", "Archlinux"),
    ("gentoo", "Gentoo", "Gentoo"),
    ("nixos", "NixOS", "NixOS"),
];

/// Which distribution, in which version.
pub fn distribution(host: &Host, facts: &mut Map) {
    let text = host.text("/etc/os-release").or_else(|| host.text("/usr/lib/os-release")).unwrap_or_default();
    let value = |name| release_value(&text, name);
    let id = value("ID").unwrap_or_else(|| "linux".into());
    let known = DISTRIBUTIONS.iter().find(|(known, _, _)| *known == id);
    let related = value("ID_LIKE").unwrap_or_default();
    let relative = related.split(' ').find_map(|like| DISTRIBUTIONS.iter().find(|(known, _, _)| *known == like));
    let name = known.map_or_else(|| value("NAME").unwrap_or_else(|| id.clone()), |(_, name, _)| (*name).to_owned());
    let family = known.or(relative).map_or_else(|| name.clone(), |(_, _, family)| (*family).to_owned());
    // Debian's os-release knows only the major version; unreleased versions have a name there: `trixie/sid`.
    let precise = host
        .text("/etc/debian_version")
        .filter(|version| id == "debian" && version.starts_with(|first: char| first.is_ascii_digit()));
    let version = precise.or_else(|| value("VERSION_ID")).unwrap_or_else(|| "NA".into());
    let mut parts = version.split('.');
    let major = parts.next().unwrap_or_default().to_owned();
    let minor = parts.next().map(str::to_owned);
    put(facts, "distribution", name);
    put(facts, "os_family", family.clone());
    put(facts, "distribution_version", version.clone());
    put(facts, "distribution_major_version", major);
    if let Some(minor) = minor {
        put(facts, "distribution_minor_version", minor);
    }
    put(facts, "distribution_release", value("VERSION_CODENAME").unwrap_or_else(|| "NA".into()));
    put(facts, "distribution_file_parsed", !text.is_empty());
    put(facts, "distribution_file_path", "/etc/os-release");
    put(facts, "distribution_file_variety", family);
}

/// The same as `lsb_release` tells it.
pub fn lsb(host: &Host, facts: &mut Map) {
    let text = host.text("/etc/lsb-release").unwrap_or_default();
    let release = host.text("/etc/os-release").unwrap_or_default();
    let either = |lsb, os| release_value(&text, lsb).or_else(|| release_value(&release, os));
    let number = either("DISTRIB_RELEASE", "VERSION_ID");
    let id = release_value(&text, "DISTRIB_ID").or_else(|| {
        let id = release_value(&release, "ID")?;
        DISTRIBUTIONS.iter().find(|(known, _, _)| *known == id).map(|(_, name, _)| (*name).to_owned())
    });
    let lsb = [
        ("id", id),
        ("codename", either("DISTRIB_CODENAME", "VERSION_CODENAME")),
        ("description", either("DISTRIB_DESCRIPTION", "PRETTY_NAME")),
        ("major_release", number.as_deref().and_then(|number| number.split('.').next()).map(str::to_owned)),
        ("release", number),
    ];
    let lsb: Map = lsb.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
    put(facts, "lsb", lsb);
}

/// The program that installs packages.
pub fn pkg_mgr(host: &Host, facts: &mut Map) {
    const PROGRAMS: &[(&str, &str)] = &[
        ("/usr/bin/apt-get", "apt"),
        ("/usr/bin/dnf5", "dnf5"),
        ("/usr/bin/dnf", "dnf"),
        ("/usr/bin/yum", "yum"),
        ("/usr/bin/zypper", "zypper"),
        ("/usr/bin/pacman", "pacman"),
        ("/sbin/apk", "apk"),
        ("/usr/bin/emerge", "portage"),
    ];
    let found = PROGRAMS.iter().find(|(path, _)| host.exists(path));
    put(facts, "pkg_mgr", found.map_or("unknown", |(_, name)| name));
}

/// What runs as process 1.
pub fn service_mgr(host: &Host, facts: &mut Map) {
    let first = host.text("/proc/1/comm").unwrap_or_else(|| "service".into());
    let name = match first.as_str() {
        _ if host.exists("/run/systemd/system") => "systemd",
        _ if host.exists("/run/openrc") => "openrc",
        "init" => "sysvinit",
        other => other,
    };
    put(facts, "service_mgr", name);
}

/// Whether `SELinux` is there, and whether it enforces.
pub fn selinux(host: &Host, facts: &mut Map) {
    let selinux = match host.text("/sys/fs/selinux/enforce") {
        None => json!({"status": "disabled"}),
        Some(text) => {
            let mode = if text == "1" { "enforcing" } else { "permissive" };
            json!({"status": "enabled", "mode": mode})
        }
    };
    put(facts, "selinux", selinux);
}

/// Whether `AppArmor` is there.
pub fn apparmor(host: &Host, facts: &mut Map) {
    let status = if host.exists("/sys/kernel/security/apparmor") { "enabled" } else { "disabled" };
    put(facts, "apparmor", json!({ "status": status }));
}

/// Whether the kernel is in FIPS mode.
pub fn fips(host: &Host, facts: &mut Map) {
    put(facts, "fips", host.text("/proc/sys/crypto/fips_enabled").as_deref() == Some("1"));
}

/// Whether the agent sees another root folder than process 1 does.
pub fn chroot(host: &Host, facts: &mut Map) {
    let place = |path: &str| {
        let meta = std::fs::metadata(host.0.locate(std::path::Path::new(path))).ok()?;
        Some((std::os::unix::fs::MetadataExt::dev(&meta), std::os::unix::fs::MetadataExt::ino(&meta)))
    };
    // Only root may look at the other one; where that is not known it is the same.
    let other = place("/").zip(place("/proc/1/root/.")).is_some_and(|(own, first)| own != first);
    put(facts, "is_chroot", other || host.0.variable("debian_chroot").is_some_and(|name| !name.is_empty()));
}

/// The host's Python by the name of its file, `python3.11`: it is not run, and not needed. Nothing where there is none.
pub fn python(host: &Host, facts: &mut Map) {
    let path = "/usr/bin/python3";
    let Ok(file) = std::fs::canonicalize(host.0.locate(std::path::Path::new(path))) else { return };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some((major, minor)) = name.strip_prefix("python").and_then(|version| version.split_once('.')) else { return };
    let (Ok(major), Ok(minor)) = (major.parse::<u32>(), minor.parse::<u32>()) else { return };
    put(facts, "python_version", format!("{major}.{minor}"));
    put(
        facts,
        "python",
        json!({
            "executable": path, "type": "cpython", "version": {"major": major, "minor": minor},
            "version_info": [major, minor],
        }),
    );
}

/// The kernel's command line; a parameter without a value is `true`.
pub fn cmdline(host: &Host, facts: &mut Map) {
    let text = host.text("/proc/cmdline").unwrap_or_default();
    let parameters: Map = text
        .split_whitespace()
        .map(|word| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.into()),
            None => (word.to_owned(), true.into()),
        })
        .collect();
    put(facts, "cmdline", parameters.clone());
    put(facts, "proc_cmdline", parameters);
}

/// The host's clock, in every form that a file name may want.
pub fn date_time(_: &Host, facts: &mut Map) {
    let now = Zoned::now();
    let utc = now.with_time_zone(jiff::tz::TimeZone::UTC);
    let at = |format: &str| now.strftime(format).to_string();
    let zone = at("%Z");
    put(
        facts,
        "date_time",
        json!({
            "year": at("%Y"), "month": at("%m"), "day": at("%d"),
            "weekday": at("%A"), "weekday_number": at("%w"), "weeknumber": at("%W"),
            "hour": at("%H"), "minute": at("%M"), "second": at("%S"),
            "date": at("%Y-%m-%d"), "time": at("%H:%M:%S"),
            "epoch": now.timestamp().as_second().to_string(),
            "epoch_int": now.timestamp().as_second().to_string(),
            "iso8601": utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "iso8601_micro": utc.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            "iso8601_basic": at("%Y%m%dT%H%M%S%6f"),
            "iso8601_basic_short": at("%Y%m%dT%H%M%S"),
            "tz": zone, "tz_dst": zone, "tz_offset": at("%z"),
        }),
    );
}

/// What the firmware says of machines that are not made of metal: a text in it, and Ansible's name.
const FIRMWARE: &[(&str, &str)] = &[
    ("KVM", "kvm"),
    ("QEMU", "kvm"),
    ("Standard PC", "kvm"),
    ("Bochs", "kvm"),
    ("Amazon EC2", "kvm"),
    ("Google Compute Engine", "kvm"),
    ("DigitalOcean", "kvm"),
    ("Hetzner", "kvm"),
    ("OpenStack", "openstack"),
    ("VMware", "VMware"),
    ("VirtualBox", "virtualbox"),
    ("Virtual Machine", "VirtualPC"),
    ("HVM domU", "xen"),
    ("Parallels", "parallels"),
];

/// In what the host runs, or whether it runs others. A guess: no host is obliged to tell.
pub fn virtualization(host: &Host, facts: &mut Map) {
    let container = host.text("/run/systemd/container").or_else(|| {
        let text = host.text("/proc/1/environ")?;
        text.split('\0').find_map(|entry| entry.strip_prefix("container=")).map(str::to_owned)
    });
    let container = container.or_else(|| host.exists("/.dockerenv").then(|| "docker".to_owned()));
    let firmware = ["product_name", "sys_vendor", "bios_vendor", "board_vendor"]
        .iter()
        .filter_map(|name| host.text(&format!("/sys/class/dmi/id/{name}")))
        .find_map(|text| FIRMWARE.iter().find(|(mark, _)| text.contains(mark)))
        .map(|(_, name)| (*name).to_owned());
    // Ansible names the kind beside the program.
    let is_container = container.as_deref().is_some_and(|name| name != "container").then(|| "container".to_owned());
    let guests: Vec<String> = container.into_iter().chain(is_container).chain(firmware).collect();
    let modules = host.text("/proc/modules").unwrap_or_default();
    let hosts: Vec<&str> = if modules.lines().any(|line| line.starts_with("kvm ")) { vec!["kvm"] } else { Vec::new() };
    let (kind, role) = match (guests.first(), hosts.first()) {
        (Some(guest), _) => (guest.as_str(), "guest"),
        (None, Some(kind)) => (*kind, "host"),
        (None, None) => ("NA", "NA"),
    };
    put(facts, "virtualization_type", kind);
    put(facts, "virtualization_role", role);
    put(facts, "virtualization_tech_guest", guests.iter().map(String::as_str).collect::<Value>());
    put(facts, "virtualization_tech_host", hosts.into_iter().collect::<Value>());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::testing::host_with;

    fn facts(files: &[(&str, &str)], gather: fn(&Host, &mut Map)) -> Map {
        let (_root, system) = host_with(files);
        let mut facts = Map::new();
        gather(&Host(&system), &mut facts);
        facts
    }

    const BOOKWORM: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
                            VERSION_CODENAME=bookworm\nID=debian\n";

    #[test]
    fn the_python_of_the_host_is_known_by_its_file() {
        let (root, system) = host_with(&[("usr/bin/python3.11", "")]);
        let told = || {
            let mut facts = Map::new();
            python(&Host(&system), &mut facts);
            facts
        };
        assert_eq!(told(), Map::new());
        std::os::unix::fs::symlink("python3.11", root.path().join("usr/bin/python3")).unwrap();
        assert_eq!(told()["ansible_python"]["version"], json!({"major": 3, "minor": 11}));
        assert_eq!(told()["ansible_python_version"], "3.11");
    }

    #[test]
    fn debian_has_its_point_release_from_its_own_file() {
        let facts = facts(&[("etc/os-release", BOOKWORM), ("etc/debian_version", "12.8\n")], distribution);
        for (name, value) in [
            ("distribution", "Debian"),
            ("os_family", "Debian"),
            ("distribution_version", "12.8"),
            ("distribution_major_version", "12"),
            ("distribution_minor_version", "8"),
            ("distribution_release", "bookworm"),
        ] {
            assert_eq!(facts[&format!("ansible_{name}")], value);
        }
    }

    #[test]
    fn a_distribution_nobody_knows_belongs_to_the_family_it_is_like() {
        let text = "NAME=Newbuntu\nID=newbuntu\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=24.04\n";
        let facts = facts(&[("etc/os-release", text)], distribution);
        assert_eq!(facts["ansible_distribution"], "Newbuntu");
        assert_eq!(facts["ansible_os_family"], "Debian");
        assert_eq!(facts["ansible_distribution_major_version"], "24");
    }

    #[test]
    fn lsb_facts_are_there_without_the_lsb_program() {
        let facts = facts(&[("etc/os-release", BOOKWORM)], lsb);
        assert_eq!(facts["ansible_lsb"]["codename"], "bookworm");
        assert_eq!(facts["ansible_lsb"]["id"], "Debian");
    }

    #[test]
    fn a_full_name_is_found_without_dns() {
        assert_eq!(full_name("node7", "10.0.0.7 node7 node7.lab.example # rack\n"), "node7.lab.example");
        assert_eq!(full_name("node7", "127.0.0.1 localhost\n"), "node7");
        assert_eq!(full_name("node7.lab", ""), "node7.lab");
    }

    #[test]
    fn a_container_tells_its_kind() {
        let facts = facts(&[("run/systemd/container", "systemd-nspawn\n")], virtualization);
        assert_eq!(facts["ansible_virtualization_type"], "systemd-nspawn");
        assert_eq!(facts["ansible_virtualization_role"], "guest");
    }

    #[test]
    fn kernel_parameters_without_a_value_are_true() {
        let facts = facts(&[("proc/cmdline", "ro console=ttyS0\n")], cmdline);
        assert_eq!(facts["ansible_cmdline"], json!({"ro": true, "console": "ttyS0"}));
    }
}
