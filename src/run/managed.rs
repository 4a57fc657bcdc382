//! What a template can say of itself: `ansible_managed`, `template_path` and their kin, as Ansible has them.

use crate::base::Value;
use crate::language::layers::{Table, Var};
use crate::system::System;
use std::path::Path;
use std::sync::Arc;

/// The variables of the template in `file`, which the user wrote as `src` and whose result goes to `dest`, if to a file.
pub fn own(file: &Path, src: &str, dest: Option<&str>) -> Table {
    let full = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let system = System::new("/");
    let meta = system.meta_followed(&full).ok().flatten();
    let owner = meta.as_ref().and_then(|meta| system.user_name(meta.uid).ok());
    let changed = meta.and_then(|meta| jiff::Timestamp::from_nanosecond(meta.modified.into()).ok());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let written = |moment: &jiff::Zoned| moment.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string();
    let changed = changed.map(|moment| written(&moment.to_zoned(jiff::tz::TimeZone::system())));
    let values = [
        ("ansible_managed", Value::from("Ansible managed")),
        ("template_host", host.trim_end().into()),
        ("template_uid", owner.unwrap_or_default().into()),
        ("template_path", src.into()),
        ("template_fullpath", full.display().to_string().into()),
        ("template_destpath", dest.into()),
        ("template_mtime", changed.into()),
        ("template_run_date", written(&jiff::Zoned::now()).into()),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), Var::Value(Arc::new(value)))).collect()
}
