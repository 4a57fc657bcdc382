//! Facts about disks and their partitions, from `/sys/block` and `/dev/disk`.

use super::{Host, put};
use crate::base::{Map, Value};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// Names that lead to a device (`/dev/disk/by-uuid/...`), by the device's own.
type Links = BTreeMap<String, Vec<String>>;

/// Every name of a device, by the kind of name.
struct Named {
    ids: Links,
    labels: Links,
    uuids: Links,
    masters: Links,
}

/// Disks with their partitions.
pub fn devices(host: &Host, facts: &mut Map) {
    let disks = host.names("/sys/block");
    let named = Named {
        ids: links(host, "by-id"),
        labels: links(host, "by-label"),
        uuids: links(host, "by-uuid"),
        masters: masters(host, &disks),
    };
    let all: Map = disks.iter().map(|name| (name.clone(), disk(host, name, &named))).collect();
    put(facts, "devices", all);
    let (ids, labels, uuids, masters) = (&named.ids, &named.labels, &named.uuids, &named.masters);
    put(facts, "device_links", json!({"ids": ids, "labels": labels, "uuids": uuids, "masters": masters}));
}

/// The UUID of the file system on a device (`/dev/sda1`), if it has one.
pub fn uuid(host: &Host, device: &str) -> Option<String> {
    let target = Path::new(device).file_name()?;
    host.names("/dev/disk/by-uuid").into_iter().find(|name| {
        let link = std::fs::read_link(host.0.locate(&Path::new("/dev/disk/by-uuid").join(name)));
        link.is_ok_and(|link| link.file_name() == Some(target))
    })
}

fn links(host: &Host, kind: &str) -> Links {
    let folder = Path::new("/dev/disk").join(kind);
    let mut found = Links::new();
    for name in host.names(&folder.display().to_string()) {
        let link = std::fs::read_link(host.0.locate(&folder.join(&name)));
        if let Some(device) = link.ok().and_then(|link| Some(link.file_name()?.to_string_lossy().into_owned())) {
            found.entry(device).or_default().push(name);
        }
    }
    found
}

/// Devices that are made of others (RAID, LVM), by those others.
fn masters(host: &Host, names: &[String]) -> Links {
    let mut found = Links::new();
    for name in names {
        for slave in host.names(&format!("/sys/block/{name}/slaves")) {
            found.entry(slave).or_default().push(name.clone());
        }
    }
    found
}

impl Named {
    fn of(&self, name: &str) -> Value {
        let list = |links: &Links| links.get(name).cloned().unwrap_or_default();
        json!({"ids": list(&self.ids), "labels": list(&self.labels), "uuids": list(&self.uuids),
            "masters": list(&self.masters)})
    }
}

fn disk(host: &Host, name: &str, named: &Named) -> Value {
    let folder = format!("/sys/block/{name}");
    let text = |file: &str| host.text(&format!("{folder}/{file}"));
    let scheduler = text("queue/scheduler").unwrap_or_default();
    let chosen = scheduler.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(chosen, _)| chosen);
    let mut partitions = Map::new();
    for part in host.names(&folder) {
        let inside = format!("{folder}/{part}");
        let Some(start) = host.text(&format!("{inside}/start")) else { continue };
        let (sectors, sector, size) = size(host, &inside, &folder);
        partitions.insert(
            part.clone(),
            json!({
                "start": start, "sectors": sectors, "sectorsize": sector, "size": size,
                "uuid": named.uuids.get(&part).and_then(|names| names.first()),
                "holders": holders(host, &inside), "links": named.of(&part),
            }),
        );
    }
    let (sectors, sector, size) = size(host, &folder, &folder);
    let mut disk = json!({
        "virtual": 1, "links": named.of(name), "holders": holders(host, &folder), "host": "",
        "vendor": text("device/vendor"), "model": text("device/model"),
        "sas_address": text("device/sas_address"), "sas_device_handle": text("device/sas_device_handle"),
        "removable": text("removable"), "rotational": text("queue/rotational"),
        "support_discard": text("queue/discard_granularity"), "scheduler_mode": chosen.unwrap_or_default(),
        "partitions": partitions, "sectors": sectors, "sectorsize": sector, "size": size,
    });
    let wwn = named.ids.get(name).and_then(|ids| ids.iter().find_map(|id| id.strip_prefix("wwn-").map(str::to_owned)));
    for (fact, value) in [("serial", text("device/serial")), ("wwn", wwn)] {
        if let Some(value) = value {
            disk[fact] = value.into();
        }
    }
    disk
}

/// Sectors, a sector's size as text, and the whole for people. The kernel counts sectors of 512 bytes, whatever they are.
fn size(host: &Host, folder: &str, disk: &str) -> (u64, String, String) {
    let sector = host.text(&format!("{disk}/queue/logical_block_size")).unwrap_or_else(|| "512".into());
    let count = host.text(&format!("{folder}/size")).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let bytes = count.saturating_mul(512);
    (bytes / sector.parse::<u64>().unwrap_or(512).max(1), sector, human(bytes))
}

/// `256.00 GB`, in steps of 1024.
fn human(bytes: u64) -> String {
    let units = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"];
    #[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut number = bytes as f64;
    let mut unit = 0;
    while number >= 1024.0 && unit + 1 < units.len() {
        number /= 1024.0;
        unit += 1;
    }
    format!("{number:.2} {}", units[unit])
}

/// What lies upon a device; LVM's volumes by the names that they have there.
fn holders(host: &Host, folder: &str) -> Vec<String> {
    let holders = format!("{folder}/holders");
    let name = |holder: String| host.text(&format!("{holders}/{holder}/dm/name")).unwrap_or(holder);
    host.names(&holders).into_iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::testing::host_with;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_disk_has_its_partitions_and_their_names() {
        let (root, system) = host_with(&[
            ("sys/block/sda/size", "536870912\n"),
            ("sys/block/sda/queue/logical_block_size", "4096\n"),
            ("sys/block/sda/queue/scheduler", "none [mq-deadline]\n"),
            ("sys/block/sda/device/model", "DISK   \n"),
            ("sys/block/sda/sda1/start", "2048\n"),
            ("sys/block/sda/sda1/size", "2048\n"),
            ("sys/block/sda/sda1/holders/dm-0/dm/name", "vg-root\n"),
            ("sys/block/dm-0/slaves/sda1/x", ""),
            ("dev/disk/by-uuid/.x", ""),
        ]);
        symlink("../../sda1", root.path().join("dev/disk/by-uuid/1234-ABCD")).unwrap();
        let mut facts = Map::new();
        devices(&Host(&system), &mut facts);
        let sda = &facts["ansible_devices"]["sda"];
        assert_eq!(
            (&sda["size"], &sda["sectors"], &sda["sectorsize"]),
            (&json!("256.00 GB"), &json!(67_108_864), &json!("4096"))
        );
        assert_eq!(
            (&sda["model"], &sda["scheduler_mode"], &sda["vendor"]),
            (&json!("DISK"), &json!("mq-deadline"), &json!(null))
        );
        let part = &sda["partitions"]["sda1"];
        assert_eq!((&part["uuid"], &part["holders"]), (&json!("1234-ABCD"), &json!(["vg-root"])));
        assert_eq!((&part["size"], &part["links"]["masters"]), (&json!("1.00 MB"), &json!(["dm-0"])));
        assert_eq!(facts["ansible_device_links"]["uuids"], json!({"sda1": ["1234-ABCD"]}));
        assert_eq!(uuid(&Host(&system), "/dev/sda1").as_deref(), Some("1234-ABCD"));
        assert_eq!((uuid(&Host(&system), "/dev/sda2"), human(0)), (None, "0.00 Bytes".to_owned()));
    }
}
