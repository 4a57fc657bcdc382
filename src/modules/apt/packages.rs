//! What dpkg and apt say: installed packages, candidates, what a run would do. Pure: it reads their outputs.

use crate::system::glob::fits;

/// A package that dpkg knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub architecture: String,
    /// `installed`, `config-files`, ...
    pub status: String,
    pub version: String,
    /// Virtual packages that it stands for.
    pub provides: Vec<String>,
}

/// The format that [`installed`] reads.
pub const FORMAT: &str = "${Package}\\t${Architecture}\\t${db:Status-Status}\\t${Version}\\t${Provides}\\n";

/// Reads what `dpkg-query -W -f FORMAT` prints.
pub fn installed(text: &str) -> Vec<Package> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            Some(Package {
                name: fields.next()?,
                architecture: fields.next()?,
                status: fields.next()?,
                version: fields.next()?,
                provides: fields
                    .next()?
                    .split(',')
                    .filter_map(|entry| entry.split_whitespace().next().map(str::to_owned))
                    .collect(),
            })
        })
        .collect()
}

/// What a user wrote for a package: `geth`, `geth=1.13*`, `libc6:i386`, `geth/bookworm-backports`, `linux-image-*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    pub name: String,
    pub architecture: Option<String>,
    /// May hold `*`.
    pub version: Option<String>,
    /// As written, for apt.
    pub text: String,
}

impl Spec {
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let end = text.find(['=', '/']).unwrap_or(text.len());
        let version = text[end..].strip_prefix('=').map(str::to_owned);
        let (name, architecture) = match text[..end].split_once(':') {
            Some((name, architecture)) => (name, Some(architecture.to_owned())),
            None => (&text[..end], None),
        };
        Self { name: name.to_owned(), architecture, version, text: text.to_owned() }
    }

    pub fn is_pattern(&self) -> bool {
        self.name.contains(['*', '?', '['])
    }

    /// Whether this is a package that the user means.
    pub fn means(&self, package: &Package) -> bool {
        fits(&self.name, &package.name)
            && self
                .architecture
                .as_ref()
                .is_none_or(|wanted| matches!(wanted.as_str(), "any" | "native") || *wanted == package.architecture)
    }

    /// The installed package that satisfies the name, whatever its version: itself, or one that stands for it.
    pub fn found<'a>(&self, packages: &'a [Package]) -> Option<&'a Package> {
        let there = |package: &&Package| package.status == "installed";
        packages.iter().filter(there).find(|package| self.means(package)).or_else(|| {
            let stands_for = |package: &&Package| self.version.is_none() && package.provides.contains(&self.name);
            packages.iter().filter(there).find(stands_for)
        })
    }

    pub fn right_version(&self, package: &Package) -> bool {
        self.version.as_ref().is_none_or(|wanted| fits(wanted, &package.version))
    }
}

/// Candidates in what `apt-cache policy` prints, by package.
pub fn candidates(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut current = None;
    for line in text.lines() {
        if !line.starts_with(' ') {
            current = line.strip_suffix(':').map(|name| name.split(':').next().unwrap_or(name).to_owned());
        } else if let (Some(name), Some(version)) = (&current, line.trim().strip_prefix("Candidate: "))
            && version != "(none)"
        {
            found.push((name.clone(), version.to_owned()));
        }
    }
    found
}

/// One thing that apt would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub name: String,
    pub before: Option<String>,
    /// `None`: it is removed.
    pub after: Option<String>,
}

/// Reads what `apt-get -s` prints: `Inst geth [1.10] (1.13 lab:1 [amd64])`, `Remv geth [1.10]`, `Purg geth [1.10]`.
pub fn simulated(text: &str) -> Vec<Step> {
    let between = |rest: &str, open: char, close: char| {
        let rest = rest.trim_start().strip_prefix(open)?;
        Some(rest.split([close, ' ']).next().unwrap_or_default().to_owned())
    };
    text.lines()
        .filter_map(|line| {
            let (verb, rest) = line.split_once(' ')?;
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let before = between(rest, '[', ']');
            let step = |after| Step { name: name.to_owned(), before: before.clone(), after };
            match verb {
                "Inst" => {
                    let rest = if before.is_some() { rest.split_once(']').map_or("", |(_, rest)| rest) } else { rest };
                    Some(step(Some(between(rest, '(', ')').unwrap_or_else(|| "present".into()))))
                }
                "Remv" | "Purg" => Some(step(None)),
                _ => None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DPKG: &str = "geth\tamd64\tinstalled\t1.13.15-1\t\nold\tamd64\tconfig-files\t1\t\n\
                        exim4-daemon\tamd64\tinstalled\t4.96\tmail-transport-agent, exim (= 4.96)\n";

    #[test]
    fn a_name_is_satisfied_by_the_package_or_one_that_stands_for_it() {
        let packages = installed(DPKG);
        assert_eq!(Spec::parse("geth").found(&packages).unwrap().version, "1.13.15-1");
        assert_eq!(Spec::parse("mail-transport-agent").found(&packages).unwrap().name, "exim4-daemon");
        assert!(Spec::parse("old").found(&packages).is_none(), "its configuration is not the package");
        assert!(Spec::parse("geth:i386").found(&packages).is_none());
        assert!(Spec::parse("ge*").found(&packages).is_some());
    }

    #[test]
    fn a_version_may_hold_a_star() {
        let packages = installed(DPKG);
        let right = |text| Spec::parse(text).right_version(&packages[0]);
        assert!(right("geth") && right("geth=1.13.15-1") && right("geth=1.13*") && !right("geth=1.14*"));
        assert_eq!(Spec::parse("geth/bookworm-backports").name, "geth");
    }

    #[test]
    fn candidates_are_read_from_policies() {
        let text = "geth:\n  Installed: 1.10\n  Candidate: 1.13\n  Version table:\n     1.13 500\nnope:\n  Candidate: (none)\n";
        assert_eq!(candidates(text), [("geth".into(), "1.13".into())]);
    }

    #[test]
    fn a_simulation_tells_what_would_be_done() {
        let text = "NOTE: This is only a simulation!\nInst geth [1.10] (1.13 lab:1 [amd64])\nConf geth (1.13 lab:1 [amd64])\n\
                    Inst new (2.0 lab:1 [all]) []\nRemv old [1.0]\nPurg older [0.9]\n";
        let step = |name: &str, before: Option<&str>, after: Option<&str>| Step {
            name: name.into(),
            before: before.map(Into::into),
            after: after.map(Into::into),
        };
        assert_eq!(
            simulated(text),
            [
                step("geth", Some("1.10"), Some("1.13")),
                step("new", None, Some("2.0")),
                step("old", Some("1.0"), None),
                step("older", Some("0.9"), None),
            ]
        );
    }
}
