//! Facts about memory, processors, disks and firmware.

use super::{Host, put};
use crate::base::{Map, Value};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// Memory in MiB.
pub fn memory(host: &Host, facts: &mut Map) {
    let text = host.text("/proc/meminfo").unwrap_or_default();
    let mib = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
    };
    let (total, free, cached) = (mib("MemTotal"), mib("MemFree"), mib("Cached") + mib("Buffers"));
    let (swap, swap_free) = (mib("SwapTotal"), mib("SwapFree"));
    put(facts, "memtotal_mb", total);
    put(facts, "memfree_mb", free);
    put(facts, "swaptotal_mb", swap);
    put(facts, "swapfree_mb", swap_free);
    put(
        facts,
        "memory_mb",
        json!({
            "real": {"total": total, "free": free, "used": total.saturating_sub(free)},
            "nocache": {"free": free + cached, "used": total.saturating_sub(free + cached)},
            "swap": {
                "total": swap, "free": swap_free,
                "used": swap.saturating_sub(swap_free), "cached": mib("SwapCached"),
            },
        }),
    );
}

/// Processors: sockets, cores, threads.
pub fn processor(host: &Host, facts: &mut Map) {
    let text = host.text("/proc/cpuinfo").unwrap_or_default();
    let mut list = Vec::new();
    let mut cores_of_socket: BTreeMap<String, u64> = BTreeMap::new();
    let mut siblings_of_socket: BTreeMap<String, u64> = BTreeMap::new();
    let (mut threads, mut socket, mut flags) = (0_u64, String::new(), Vec::<String>::new());
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':').map(|(name, value)| (name.trim(), value.trim())) else {
            continue;
        };
        match name {
            "processor" => {
                threads += 1;
                list.push(Value::from(value));
            }
            "flags" | "Features" if flags.is_empty() => flags = value.split_whitespace().map(str::to_owned).collect(),
            "vendor_id" | "model name" | "Processor" => list.push(Value::from(value)),
            "physical id" => value.clone_into(&mut socket),
            "cpu cores" => _ = cores_of_socket.insert(socket.clone(), value.parse().unwrap_or(1)),
            "siblings" => _ = siblings_of_socket.insert(socket.clone(), value.parse().unwrap_or(1)),
            _ => {}
        }
    }
    let first = |table: &BTreeMap<String, u64>| table.values().next().copied().unwrap_or(1).max(1);
    // Processors other than x86 do not say how they are built: each thread is taken as a socket, as Ansible does.
    let sockets = if cores_of_socket.is_empty() { threads } else { cores_of_socket.len() as u64 };
    let cores = first(&cores_of_socket);
    put(facts, "processor", list);
    put(facts, "flags", flags);
    put(facts, "processor_count", sockets);
    put(facts, "processor_cores", cores);
    put(facts, "processor_threads_per_core", (first(&siblings_of_socket) / cores).max(1));
    put(facts, "processor_vcpus", threads);
    let usable = std::thread::available_parallelism().map_or(threads, |count| count.get() as u64);
    put(facts, "processor_nproc", usable);
}

/// Mounted disks and their room, in bytes.
pub fn mounts(host: &Host, facts: &mut Map) {
    let text = host.text("/proc/self/mounts").or_else(|| host.text("/etc/mtab")).unwrap_or_default();
    let mounts: Vec<Value> = text.lines().filter_map(|line| mount(host, line)).collect();
    put(facts, "mounts", mounts);
}

fn mount(host: &Host, line: &str) -> Option<Value> {
    let mut fields = line.split(' ').map(unescape);
    let (device, path, kind, options) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let mut number = || fields.next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let (dump, passno) = (number(), number());
    // The others are not disks: proc, sysfs, tmpfs, overlay.
    if !(device.starts_with('/') || device.contains(":/")) || kind == "none" {
        return None;
    }
    let uuid = super::devices::uuid(host, &device).unwrap_or_else(|| "N/A".into());
    let mut entry = json!({"device": device, "mount": path, "fstype": kind, "options": options, "dump": dump,
        "passno": passno, "uuid": uuid});
    // A network disk whose server is gone would hold the answer up for minutes.
    let remote = device.contains(":/") || device.starts_with("//");
    if let Some(disk) = (!remote).then(|| rustix::fs::statvfs(host.0.locate(Path::new(&path))).ok()).flatten() {
        let more = json!({
            "size_total": disk.f_frsize * disk.f_blocks,
            "size_available": disk.f_frsize * disk.f_bavail,
            "block_size": disk.f_bsize,
            "block_total": disk.f_blocks,
            "block_available": disk.f_bavail,
            "block_used": disk.f_blocks.saturating_sub(disk.f_bavail),
            "inode_total": disk.f_files,
            "inode_available": disk.f_favail,
            "inode_used": disk.f_files.saturating_sub(disk.f_favail),
        });
        if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
            entry.extend(more);
        }
    }
    Some(entry)
}

/// Blanks in paths are `\040` in the kernel's table.
fn unescape(field: &str) -> String {
    field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

/// How long the host has been up.
pub fn uptime(host: &Host, facts: &mut Map) {
    let text = host.text("/proc/uptime").unwrap_or_default();
    if let Some(seconds) = text.split('.').next().and_then(|seconds| seconds.parse::<u64>().ok()) {
        put(facts, "uptime_seconds", seconds);
    }
}

/// How busy the host is.
pub fn loadavg(host: &Host, facts: &mut Map) {
    let text = host.text("/proc/loadavg").unwrap_or_default();
    let numbers: Vec<f64> = text.split(' ').take(3).filter_map(|number| number.parse().ok()).collect();
    if let [one, five, fifteen] = numbers[..] {
        put(facts, "loadavg", json!({"1m": one, "5m": five, "15m": fifteen}));
    }
}

/// What the firmware says of the machine; `NA` is what only root may read.
pub fn dmi(host: &Host, facts: &mut Map) {
    const NAMES: &[(&str, &str)] = &[
        ("bios_date", "bios_date"),
        ("bios_vendor", "bios_vendor"),
        ("bios_version", "bios_version"),
        ("board_asset_tag", "board_asset_tag"),
        ("board_name", "board_name"),
        ("board_serial", "board_serial"),
        ("board_vendor", "board_vendor"),
        ("board_version", "board_version"),
        ("chassis_asset_tag", "chassis_asset_tag"),
        ("chassis_serial", "chassis_serial"),
        ("chassis_vendor", "chassis_vendor"),
        ("chassis_version", "chassis_version"),
        ("product_name", "product_name"),
        ("product_serial", "product_serial"),
        ("product_uuid", "product_uuid"),
        ("product_version", "product_version"),
        ("system_vendor", "sys_vendor"),
    ];
    for (name, file) in NAMES {
        let text = host.text(&format!("/sys/class/dmi/id/{file}"));
        put(facts, name, text.unwrap_or_else(|| "NA".into()));
    }
    let kind = host.text("/sys/class/dmi/id/chassis_type").and_then(|text| text.parse::<usize>().ok());
    put(facts, "form_factor", kind.map_or("NA", |kind| FORMS.get(kind).copied().unwrap_or("unknown")));
}

/// What a machine looks like, by the numbers of the DMI standard (SMBIOS 3, 7.4.1), in Ansible's words.
const FORMS: &[&str] = &[
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::testing::host_with;
    use std::fmt::Write as _;

    fn facts(path: &str, text: &str, gather: fn(&Host, &mut Map)) -> Map {
        let (_root, system) = host_with(&[(path, text)]);
        let mut facts = Map::new();
        gather(&Host(&system), &mut facts);
        facts
    }

    #[test]
    fn memory_is_told_in_mebibytes() {
        let text = "MemTotal: 8000000 kB\nMemFree: 1024000 kB\nBuffers: 1024 kB\nCached: 1024 kB\nSwapTotal: 0 kB\n";
        let facts = facts("proc/meminfo", text, memory);
        assert_eq!(facts["ansible_memtotal_mb"], 7812);
        assert_eq!(facts["ansible_memory_mb"]["nocache"]["free"], 1002);
    }

    #[test]
    fn two_sockets_of_two_cores_with_two_threads_are_eight_processors() {
        let mut text = String::new();
        for thread in 0..8 {
            let _ =
                write!(text, "processor\t: {thread}\nphysical id\t: {}\nsiblings\t: 4\ncpu cores\t: 2\n\n", thread / 4);
        }
        let facts = facts("proc/cpuinfo", &text, processor);
        assert_eq!(facts["ansible_processor_count"], 2);
        assert_eq!(facts["ansible_processor_cores"], 2);
        assert_eq!(facts["ansible_processor_threads_per_core"], 2);
        assert_eq!(facts["ansible_processor_vcpus"], 8);
    }

    #[test]
    fn only_disks_are_mounts() {
        let text = "proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw,relatime 0 0\noverlay / overlay rw 0 0\n\
                    nas:/x /mnt/my\\040nas nfs rw 1 2\n";
        let facts = facts("proc/self/mounts", text, mounts);
        let mounts = facts["ansible_mounts"].as_array().unwrap();
        assert_eq!(mounts.len(), 2);
        assert!(mounts[0]["size_total"].as_u64().unwrap() > 0);
        assert_eq!(mounts[1]["mount"], "/mnt/my nas");
        assert_eq!(
            (&mounts[1]["dump"], &mounts[1]["passno"], &mounts[1]["uuid"]),
            (&json!(1), &json!(2), &json!("N/A"))
        );
        assert!(mounts[1].get("size_total").is_none(), "a network disk is not asked");
    }
}
