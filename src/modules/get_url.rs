//! `get_url`: a file on the host has the content that a URL serves.

use super::attributes::{Attributes, Differing, describe};
use super::content::back_up;
use super::http_options::HttpOptions;
use super::loose::{Flag, Text};
use super::{Cx, Module, Result};
use crate::base::{Diff, Failure, Map};
use crate::system::http::without_login;
use crate::system::{Algorithm, Meta, Staged, System, Traits, Writer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Downloads a file to the host. Give a `checksum`: then nothing is asked for when the file is there already, and nothing
/// wrong ever takes its place.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetUrl {
    /// `http://`, `https://`, or `file://` for a file on the host.
    pub url: String,
    /// The file; or a folder, for the name that the URL ends with.
    pub dest: String,
    /// `sha256:HEX`, or `sha256:URL` of a list of checksums such as `SHA256SUMS`.
    #[serde(default)]
    pub checksum: Option<Text>,
    /// Download even if a file is there; it is replaced if the content differs. Without it, and without `checksum`, a
    /// file that is there is taken as it is.
    #[serde(default)]
    pub force: Flag,
    /// Keep the old file beside the new one, under a name with the time.
    #[serde(default)]
    pub backup: Flag,
    /// A folder on the host to download into; if left out, the file comes in beside `dest`, where it takes its place at once.
    #[serde(default)]
    pub tmp_dest: Option<String>,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub http: HttpOptions,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub attributes: Attributes,
}

/// An expected checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Checksum {
    name: String,
    algorithm: Algorithm,
    hex: String,
}

/// The line of a list of checksums (`sha256sum`'s, or BSD's) that names a file; or the only one there is.
fn in_list(list: &str, file: &str) -> Option<String> {
    let is_hex = |word: &str| word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lines: Vec<&str> = list.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let [only] = lines[..]
        && is_hex(only)
    {
        return Some(only.to_lowercase());
    }
    lines.iter().find_map(|line| {
        if let Some((name, sum)) = line.split_once(") = ") {
            let (_, name) = name.split_once(" (")?;
            return (name == file && is_hex(sum)).then(|| sum.to_lowercase());
        }
        let (sum, name) = line.split_once([' ', '\t'])?;
        let name = name.trim_start().trim_start_matches('*').trim_start_matches("./");
        let base = name.rsplit('/').next().unwrap_or(name);
        (is_hex(sum) && (name == file || base == file)).then(|| sum.to_lowercase())
    })
}

/// The last part of a URL's path.
fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    path.split_once('/').map_or("", |(_, path)| path.rsplit('/').next().unwrap_or_default())
}

/// What came with a download.
#[derive(Debug, Default)]
struct Answer {
    status: u16,
    reason: String,
    size: u64,
    sha1: String,
    md5: String,
}

impl GetUrl {
    fn expected(&self, system: &System) -> Result<Option<Checksum>> {
        let Some(Text(text)) = self.checksum.as_ref().filter(|text| !text.0.trim().is_empty()) else { return Ok(None) };
        let form = "write `sha256:HEX`, or `sha256:` and the URL of a list of checksums";
        let (name, value) = text
            .trim()
            .split_once(':')
            .ok_or_else(|| Failure::new(format!("`{text}` is not a checksum")).help(form))?;
        let algorithm = Algorithm::named(name)
            .ok_or_else(|| Failure::new(format!("there is no checksum algorithm `{name}`")).help(form))?;
        let hex = if value.contains("://") {
            let mut list = Vec::new();
            let (mut body, _) = self.open(system, value)?;
            body.read_to_end(&mut list).map_err(|error| Failure::new(format!("{}: {error}", without_login(value))))?;
            let file = file_name(&self.url);
            in_list(&String::from_utf8_lossy(&list), file)
                .ok_or_else(|| Failure::new(format!("{} has no checksum for `{file}`", without_login(value))))?
        } else {
            value.trim().to_lowercase()
        };
        let length = algorithm.of(b"").len();
        if hex.len() != length || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Failure::new(format!(
                "`{hex}` is not a {name} checksum: it must be {length} hexadecimal digits"
            )));
        }
        Ok(Some(Checksum { name: name.to_owned(), algorithm, hex }))
    }

    fn open(&self, system: &System, url: &str) -> Result<(Box<dyn Read>, Answer)> {
        if let Some(path) = url.strip_prefix("file://") {
            let answer = Answer { status: 200, reason: "OK".into(), ..Answer::default() };
            return Ok((Box::new(system.open(Path::new(path))?), answer));
        }
        let response = system.http(&self.http.request("GET", url, 10))?;
        if response.status != 200 {
            return Err(response.refusal(url).with("response", response.reason));
        }
        Ok((response.body, Answer { status: response.status, reason: response.reason, ..Answer::default() }))
    }

    /// Downloads into a file beside `dest`, or in `tmp_dest`, and compares it with what is expected.
    fn fetch(
        &self,
        writer: &Writer,
        dest: &Path,
        traits: Traits,
        expected: Option<&Checksum>,
    ) -> Result<(Staged, Answer)> {
        let system = writer.system();
        let url = without_login(&self.url);
        let folder = self.tmp_dest.as_ref().map(|folder| system.expand(folder)).transpose()?;
        if let Some(folder) = folder.as_ref().filter(|folder| !system.is_folder(folder).unwrap_or_default()) {
            return Err(Failure::new(format!("{}: there is no such folder to download into", folder.display()))
                .help("make it in an earlier task with the module `file`, or leave out `tmp_dest`"));
        }
        let (mut body, mut answer) = self.open(system, &self.url)?;
        let first = match &folder {
            Some(folder) => writer.stage(&folder.join("download"), &mut body, None, Traits::mode(0o600)),
            None => writer.stage(dest, &mut body, None, traits),
        };
        let mut staged = first.map_err(|failure| failure.context(format!("cannot download {url}")))?;
        if let Some(Checksum { name, algorithm, hex }) = expected {
            let got = system.checksum(staged.path(), *algorithm)?;
            if got != *hex {
                let message = format!("{url} has the wrong checksum: expected {name}:{hex}, got {name}:{got}");
                return Err(Failure::new(message).help(format!("{} is left as it was", dest.display())));
            }
        }
        if folder.is_some() {
            staged = writer.stage(dest, &mut system.open(staged.path())?, None, traits)?;
        }
        answer.size = system.meta(staged.path())?.map_or(0, |meta| meta.size);
        answer.sha1 = system.checksum(staged.path(), Algorithm::Sha1)?;
        answer.md5 = system.checksum(staged.path(), Algorithm::Md5)?;
        Ok((staged, answer))
    }

    fn commit(
        &self,
        writer: &Writer,
        dest: &Path,
        staged: Staged,
        old: Option<(&Meta, &Differing)>,
    ) -> Result<Option<String>> {
        let backup = match old {
            Some((meta, _)) if self.backup.0 => Some(back_up(writer, dest, meta)?.display().to_string()),
            _ => None,
        };
        staged.commit()?;
        match old {
            Some((_, differing)) => differing.set(writer, dest)?,
            None => self.attributes.finish_new(writer, dest)?,
        }
        Ok(backup)
    }

    /// Where the file goes.
    fn target(&self, system: &System) -> Result<PathBuf> {
        let dest = system.expand(&self.dest)?;
        if !self.dest.ends_with('/') && !system.is_folder(&dest)? {
            return Ok(dest);
        }
        match file_name(&self.url) {
            "" => Err(Failure::new(format!("{} is a folder and the URL names no file", dest.display()))
                .help("write the file's name into `dest`")),
            name => Ok(dest.join(name)),
        }
    }
}

fn short(hex: &str) -> &str {
    &hex[..hex.len().min(12)]
}

impl Module for GetUrl {
    const NAME: &'static str = "get_url";
    const EXAMPLE: &'static str = "\
- get_url:
    url: http://files.lab/geth-1.13.15
    dest: /opt/geth-1.13.15/geth
    checksum: sha256:0f3d1b7ce8f2a2bd0b9e6f6b9b7d4a1a5a2f1a4b6c8d9e0f1a2b3c4d5e6f7a8b
    mode: \"0755\"";
    const ALIASES: &'static [(&'static str, &'static str)] = HttpOptions::ALIASES;
    const REFUSED: &'static [(&'static str, &'static str)] = HttpOptions::REFUSED;
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let started = Instant::now();
        let dest = self.target(cx.system)?;
        let meta = cx.system.meta_followed(&dest)?.filter(Meta::is_file);
        let expected = self.expected(cx.system)?;
        let current = match (&meta, &expected) {
            (Some(_), Some(sum)) => Some(cx.system.checksum(&dest, sum.algorithm)?),
            _ => None,
        };
        let differing = match &meta {
            Some(meta) => self.attributes.differing(cx, &dest, meta)?,
            None => Differing { traits: self.attributes.for_new(cx, false)?, ..Differing::default() },
        };
        let old = meta.as_ref().map(|meta| (meta, &differing));
        let name = dest.display().to_string();
        let url = without_login(&self.url);
        let mut answer = None;
        let mut backup = None;
        let diff = match (&meta, &expected) {
            (Some(_), Some(sum)) if current.as_ref() == Some(&sum.hex) => None,
            (Some(_), None) => None,
            (_, Some(sum)) => {
                let before = current.as_ref().map(|hex| format!("{}:{}", sum.name, short(hex)));
                let after = format!("{}:{}", sum.name, short(&sum.hex));
                Some(Diff::value(&name, before.unwrap_or_else(|| "absent".into()), after))
            }
            (None, None) => Some(Diff::value(&name, "absent", &url)),
        };
        let mut changed = diff.is_some();
        if let Some(diff) = diff {
            let done = cx.change(diff, |writer| {
                let (staged, answer) = self.fetch(writer, &dest, differing.traits, expected.as_ref())?;
                Ok((self.commit(writer, &dest, staged, old)?, answer))
            });
            let elapsed = started.elapsed().as_secs();
            let told = |failure: Failure| {
                failure.with("url", url.as_str()).with("dest", name.as_str()).with("elapsed", elapsed)
            };
            let done = done.map_err(told)?;
            if let Some((kept, came)) = done {
                (backup, answer) = (kept, Some(came));
            }
        } else if self.force.0 && expected.is_none() {
            // Only the content tells whether it differs: it is fetched to be compared, in check mode too, and dropped.
            let (staged, came) = self.fetch(&cx.system.writer(), &dest, differing.traits, None)?;
            let before = cx.system.checksum(&dest, Algorithm::Sha256)?;
            let after = cx.system.checksum(staged.path(), Algorithm::Sha256)?;
            changed = before != after;
            if changed {
                let diff =
                    Diff::value(&name, format!("sha256:{}", short(&before)), format!("sha256:{}", short(&after)));
                backup = cx.change(diff, |writer| self.commit(writer, &dest, staged, old))?.flatten();
            }
            answer = Some(came);
        }
        if changed {
            for diff in differing.diffs {
                cx.change(diff, |_| Ok(()))?;
            }
        } else {
            self.attributes.apply(cx, &dest)?;
        }
        let mut output = describe(cx.system, &dest)?;
        let mut set = |name: &str, value: crate::base::Value| output.insert(name.to_owned(), value);
        set("url", url.into());
        set("dest", name.into());
        set("elapsed", started.elapsed().as_secs().into());
        match answer {
            Some(answer) => {
                set("status_code", answer.status.into());
                set("msg", format!("{} ({} bytes)", answer.reason, answer.size).into());
                set("checksum_src", answer.sha1.into());
                set("md5sum", answer.md5.into());
            }
            None if changed => _ = set("msg", "would be downloaded".into()),
            None => _ = set("msg", "file already exists".into()),
        }
        if cx.system.exists(&dest)? {
            set("checksum_dest", cx.system.checksum(&dest, Algorithm::Sha1)?.into());
        }
        if let Some(backup) = backup {
            set("backup_file", backup.into());
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Host;
    use super::*;
    use serde_json::json;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const SUM: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    /// Serves `hello` for everything, and counts.
    fn serve(answer: &'static str) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                lines.map_while(std::result::Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (url, count)
    }

    const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

    #[test]
    fn a_download_may_come_in_elsewhere() {
        let (url, _) = serve(HELLO);
        let host = Host::new();
        host.folder("/opt");
        let args = json!({"url": format!("{url}/x/geth"), "dest": "/opt/geth", "tmp_dest": "/big", "mode": "0755"});
        assert!(host.fails("get_url", args.clone()).starts_with("/big: there is no such folder to download into"));
        host.folder("/big");
        let outcome = host.check_apply_apply("get_url", args);
        assert_eq!((host.read("/opt/geth").as_str(), host.mode_of("/opt/geth")), ("hello", 0o755));
        assert_eq!((host.names("/big"), host.names("/opt")), (vec![], vec!["geth".to_owned()]));
        assert_eq!(outcome.output["msg"], "OK (5 bytes)");
    }

    #[test]
    fn a_file_with_the_right_checksum_is_not_asked_for_again() {
        let (url, count) = serve(HELLO);
        let host = Host::new();
        host.folder("/opt");
        let args = json!({"url": format!("{url}/x/geth"), "dest": "/opt/", "checksum": SUM, "mode": "0755"});
        let outcome = host.check_apply_apply("get_url", args);
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!((host.read("/opt/geth").as_str(), host.mode_of("/opt/geth")), ("hello", 0o755));
        assert_eq!(outcome.output["msg"], "OK (5 bytes)");
        assert_eq!(outcome.output["checksum_dest"], "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
    }

    #[test]
    fn a_wrong_checksum_leaves_the_old_file_and_says_both() {
        let (url, _) = serve(HELLO);
        let host = Host::new();
        host.file("/opt/geth", "old");
        let wrong = format!("sha256:{}", "0".repeat(64));
        let message = host.fails("get_url", json!({"url": format!("{url}/g"), "dest": "/opt/geth", "checksum": wrong}));
        assert!(message.contains(&format!("expected {wrong}, got {SUM}")), "{message}");
        assert_eq!(host.read("/opt/geth"), "old");
        assert_eq!(host.names("/opt"), ["geth"]);
    }

    #[test]
    fn a_download_that_breaks_off_leaves_the_old_file() {
        let (url, _) = serve("HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhello");
        let host = Host::new();
        host.file("/opt/geth", "old");
        host.fails("get_url", json!({"url": format!("{url}/g"), "dest": "/opt/geth", "force": true}));
        assert_eq!(host.read("/opt/geth"), "old");
        assert_eq!(host.names("/opt"), ["geth"]);
    }

    #[test]
    fn a_file_that_is_there_is_kept_unless_forced() {
        let (url, count) = serve(HELLO);
        let host = Host::new();
        host.file("/opt/geth", "old");
        let args = |force| json!({"url": format!("{url}/g"), "dest": "/opt/geth", "force": force, "backup": true});
        assert!(!host.run("get_url", args(false)).unwrap().changed());
        assert_eq!(count.load(Ordering::SeqCst), 0);
        let outcome = host.check_apply_apply("get_url", args(true));
        assert_eq!(host.read("/opt/geth"), "hello");
        assert_eq!(host.read(outcome.output["backup_file"].as_str().unwrap()), "old");
    }

    #[test]
    fn what_is_not_there_is_said_with_the_servers_word() {
        let (url, _) = serve("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let host = Host::new();
        host.folder("/opt");
        let message = host.fails("get_url", json!({"url": format!("{url}/g"), "dest": "/opt/geth"}));
        assert_eq!(message, format!("{url}/g: the server answered 404 Not Found"));
        assert!(host.names("/opt").is_empty());
    }

    #[test]
    fn checksums_are_found_in_lists_of_both_kinds() {
        let sum = "a".repeat(64);
        assert_eq!(in_list(&format!("{}  other\n{sum} *./geth\n", "b".repeat(64)), "geth"), Some(sum.clone()));
        assert_eq!(in_list(&format!("SHA256 (geth) = {sum}\n"), "geth"), Some(sum.clone()));
        assert_eq!(in_list(&format!("{sum}\n"), "geth"), Some(sum.clone()));
        assert_eq!(in_list(&format!("{sum}  geth.sig\n"), "geth"), None);
    }

    #[test]
    fn a_url_ends_with_the_name_of_a_file() {
        assert_eq!(file_name("http://a/b/c.tar.gz?x=1/2"), "c.tar.gz");
        assert_eq!(file_name("http://a"), "");
    }
}
