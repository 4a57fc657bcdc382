//! Forms with files in them (RFC 7578), as a browser sends them and in the encoding that Ansible chooses.

use super::super::{BlobRef, Controller, Cx, Result};
use crate::base::{Failure, Map, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

/// The controller's files of a form, by field.
pub type Files = BTreeMap<String, BlobRef>;

/// What a browser would say a file is, by its ending.
const KINDS: &[(&str, &str)] = &[
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("tar", "application/x-tar"),
    ("txt", "text/plain"),
    ("xml", "text/xml"),
    ("zip", "application/zip"),
];

fn fields(body: &Value) -> Result<&Map> {
    let help = "write each field below `body`: a text, or a table with `filename` or `content`";
    body.as_object().ok_or_else(|| Failure::new("a form's `body` is a table of its fields").help(help))
}

/// An entry of a field's table.
fn text<'a>(field: &'a Value, name: &str) -> Option<&'a str> {
    field.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Takes the files that fields name from the controller.
pub fn gather(body: &Value, controller: &dyn Controller) -> Result<Files> {
    let mut files = Files::new();
    for (name, field) in fields(body)? {
        if let (Some(file), None) = (text(field, "filename"), text(field, "content")) {
            files.insert(name.clone(), controller.blob_file(&controller.find("files", file)?)?);
        }
    }
    Ok(files)
}

/// The body, and its `Content-Type`.
pub fn encode(cx: &Cx, body: &Value, files: &Files) -> Result<(Vec<u8>, String)> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| Failure::new(format!("no random numbers: {error}")))?;
    let boundary = format!("chainwright-{}", crate::system::checksum::hex(&random));
    let mut sorted: Vec<(&String, &Value)> = fields(body)?.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut out = Vec::new();
    for (name, field) in sorted {
        let part = part(cx, name, field, files.get(name))?;
        out.extend_from_slice(format!("--{boundary}\r\n{}\r\n", part.head).as_bytes());
        out.extend_from_slice(&part.content);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((out, format!("multipart/form-data; boundary={boundary}")))
}

/// One field as it is sent: its headers, each with the end of its line, and its content.
struct Part {
    head: String,
    content: Vec<u8>,
}

fn part(cx: &Cx, name: &str, field: &Value, blob: Option<&BlobRef>) -> Result<Part> {
    let mut head = String::new();
    let mut disposition = format!("form-data; name=\"{}\"", quoted(name));
    let content = if let Value::Object(_) = field {
        let file = text(field, "filename");
        let kind = text(field, "mime_type").unwrap_or_else(|| kind_of(file.unwrap_or_default()));
        let content = match (text(field, "content"), file) {
            (Some(content), _) => content.as_bytes().to_vec(),
            (None, Some(file)) => {
                let bytes = read(cx, file, blob)?;
                encoded(name, text(field, "multipart_encoding").unwrap_or("base64"), bytes, &mut head)?
            }
            (None, None) => {
                return Err(Failure::new(format!(
                    "the field `{name}` of the form has neither `filename` nor `content`"
                )));
            }
        };
        if let Some(base) = file.and_then(|file| Path::new(file).file_name()) {
            let _ = write!(disposition, "; filename=\"{}\"", quoted(&base.to_string_lossy()));
        }
        let _ = write!(head, "Content-Type: {}\r\n", kind.replace(['\r', '\n'], " "));
        content
    } else {
        head += "Content-Type: text/plain\r\n";
        super::plain(field).into_bytes()
    };
    let _ = write!(head, "Content-Disposition: {disposition}\r\n");
    Ok(Part { head, content })
}

fn read(cx: &Cx, file: &str, blob: Option<&BlobRef>) -> Result<Vec<u8>> {
    let Some(blob) = blob else { return cx.system.read(&cx.system.expand(file)?) };
    let mut bytes = Vec::new();
    cx.blob(blob)?.read_to_end(&mut bytes).map_err(|error| Failure::new(format!("{file}: {error}")))?;
    Ok(bytes)
}

/// A file's bytes as they are sent.
fn encoded(name: &str, encoding: &str, bytes: Vec<u8>, head: &mut String) -> Result<Vec<u8>> {
    match encoding {
        "base64" => {
            *head += "Content-Transfer-Encoding: base64\r\n";
            let text = STANDARD.encode(bytes).into_bytes();
            Ok(text.chunks(76).collect::<Vec<_>>().join(b"\r\n".as_slice()))
        }
        "7or8bit" => {
            let _ = write!(head, "Content-Transfer-Encoding: {}\r\n", if bytes.is_ascii() { "7bit" } else { "8bit" });
            Ok(bytes)
        }
        other => Err(Failure::new(format!("`multipart_encoding` of the field `{name}` cannot be `{other}`"))
            .help("write base64 or 7or8bit")),
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\r', '\n'], " ")
}

fn kind_of(file: &str) -> &'static str {
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default();
    KINDS.iter().find(|(known, _)| *known == ending).map_or("application/octet-stream", |(_, kind)| kind)
}
