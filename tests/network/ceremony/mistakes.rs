//! What organisations do to their own zones: with real zones, as Knot serves them.

use super::lab::{Lab, Way};

/// Names in ceremony/zones/forms.example.zone, the port in each one's record, and the last digits of its key.
const TXT_FORMS: [(&str, u16, &str); 7] = [
    ("one", 30301, "cfe52a"),
    ("strings", 30302, "b8e672"),
    ("split", 30303, "739922"),
    ("unquoted", 30304, "6ac62d6"),
    ("escaped", 30305, "75f297"),
    ("decimal", 30306, "7264da"),
    ("pasted", 30308, "cbde904"),
];

/// A sheet of these, for records in Autonity's original form.
fn sheet(lab: &Lab, names: &[(&str, String)]) {
    let organisations: Vec<_> =
        names.iter().map(|(name, fqdn)| serde_json::json!({"name": name, "fqdn": fqdn})).collect();
    let sheet = serde_json::json!({
        "ceremony": "others", "template_sha256": "0".repeat(64), "organisations": organisations, "require_id": false,
    });
    lab.write("all/others.json", &sheet.to_string());
}

/// An expired signature, a zone that was never signed, and one of which the parent does not know that it is.
pub(super) fn bad_zones_are_told_by_name(lab: &Lab) {
    sheet(lab, &["late", "bare", "orphan"].map(|name| (name, format!("node.{name}.example"))));
    let wanted = [
        "late (node.late.example): bogus: its TXT record does not validate: its signature expired at 20",
        "bare (node.bare.example): insecure: its TXT record is not signed: its zone is not, or no DS stands in the parent",
        "orphan (node.orphan.example): insecure: its TXT record is not signed: its zone is not, or no DS",
    ];
    lab.told(Way::Honest, &["--sheet", "others.json"], &wanted);
}

pub(super) fn every_form_of_a_master_file_is_read(lab: &Lab) {
    sheet(lab, &TXT_FORMS.map(|(name, ..)| (name, format!("{name}.forms.example"))));
    let text = lab.resolve(Way::Honest, &["--sheet", "others.json", "--timeout", "60"]).expect(0);
    for (number, (name, port, key)) in TXT_FORMS.iter().enumerate() {
        let last = if *name == "pasted" { 18 } else { 11 + number };
        assert!(text.contains(&format!("{key}@192.0.2.{last}:{port}")), "{name}: {text}");
    }
    // Behind a `;` that stands outside of quotes there is only a comment.
    sheet(lab, &[("comment", "comment.forms.example".into())]);
    let wanted = "comment (comment.forms.example): malformed: it ends without a key (`k=`)";
    lab.told(Way::Honest, &["--sheet", "others.json"], &[wanted]);
}
