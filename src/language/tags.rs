//! Which tasks `--tags` and `--skip-tags` let run.

/// The tags asked for and the tags to leave out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSelection {
    only: Vec<String>,
    skip: Vec<String>,
}

impl Default for TagSelection {
    fn default() -> Self {
        Self::new(&[], &[])
    }
}

impl TagSelection {
    /// From what was given with `--tags` and `--skip-tags`, each maybe several separated by commas. No `--tags` is `all`.
    pub fn new(only: &[String], skip: &[String]) -> Self {
        let split = |words: &[String]| -> Vec<String> {
            words
                .iter()
                .flat_map(|word| word.split(','))
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let mut only = split(only);
        if only.is_empty() {
            only.push("all".to_owned());
        }
        Self { only, skip: split(skip) }
    }

    /// Whether a task runs that has these tags, those of everything around it included.
    pub fn allows<T: AsRef<str>>(&self, tags: &[T]) -> bool {
        let has = |tag: &str| tags.iter().any(|own| own.as_ref() == tag) || (tag == "untagged" && tags.is_empty());
        let asked = |tag: &str| self.only.iter().any(|own| own == tag);
        let skipped = |tag: &str| self.skip.iter().any(|own| own == tag);
        let tagged = !tags.is_empty() && !has("untagged");
        let wanted = has("always")
            || (asked("all") && !has("never"))
            || self.only.iter().any(|tag| has(tag))
            || (asked("tagged") && tagged && !has("never"));
        let unwanted = if skipped("all") {
            !has("always") || skipped("always")
        } else {
            self.skip.iter().any(|tag| has(tag)) || (skipped("tagged") && tagged)
        };
        wanted && !unwanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(only: &str, skip: &str, tags: &[&str]) -> bool {
        TagSelection::new(&[only.to_owned()], &[skip.to_owned()]).allows(tags)
    }

    #[test]
    fn always_and_never_bend_the_selection() {
        assert!(allows("", "", &[]));
        assert!(allows("", "", &["a"]));
        assert!(!allows("", "", &["never"]));
        assert!(!allows("", "", &["never", "a"]));
        assert!(allows("a", "", &["never", "a"]));
        assert!(allows("never", "", &["never", "a"]));
        assert!(!allows("a", "", &[]));
        assert!(!allows("a", "", &["b"]));
        assert!(allows("a,b", "", &["b"]));
        assert!(allows("a", "", &["always"]));
    }

    #[test]
    fn tagged_untagged_and_all_are_words() {
        assert!(allows("tagged", "", &["b"]));
        assert!(!allows("tagged", "", &[]));
        assert!(!allows("tagged", "", &["never"]));
        assert!(allows("untagged", "", &[]));
        assert!(!allows("untagged", "", &["b"]));
        assert!(!allows("", "b", &["b"]));
        assert!(!allows("", "always", &["always"]));
        assert!(allows("", "all", &["always"]));
        assert!(!allows("", "all", &["b"]));
        assert!(!allows("", "tagged", &["b"]));
        assert!(!allows("", "untagged", &[]));
    }
}
