//! How a template file wants its text treated.

use minijinja::syntax::SyntaxConfig;

/// How `template` wants its text treated; the defaults are Ansible's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TemplateOptions {
    /// The first newline after a block is removed.
    pub trim_blocks: bool,
    /// Blanks before a block are removed.
    pub lstrip_blocks: bool,
    /// `{{`
    pub variable_start: String,
    /// `}}`
    pub variable_end: String,
    /// `{%`
    pub block_start: String,
    /// `%}`
    pub block_end: String,
    /// `{#`
    pub comment_start: String,
    /// `#}`
    pub comment_end: String,
}

impl Default for TemplateOptions {
    fn default() -> Self {
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
            variable_start: "{{".into(),
            variable_end: "}}".into(),
            block_start: "{%".into(),
            block_end: "%}".into(),
            comment_start: "{#".into(),
            comment_end: "#}".into(),
        }
    }
}

impl TemplateOptions {
    /// The same for the template engine.
    pub(super) fn syntax(&self) -> Result<SyntaxConfig, minijinja::Error> {
        SyntaxConfig::builder()
            .block_delimiters(self.block_start.clone(), self.block_end.clone())
            .variable_delimiters(self.variable_start.clone(), self.variable_end.clone())
            .comment_delimiters(self.comment_start.clone(), self.comment_end.clone())
            .trim_blocks(self.trim_blocks)
            .lstrip_blocks(self.lstrip_blocks)
            // What is lost is put back behind the whole text: see `Session::ended`.
            .keep_trailing_newline(false)
            .build()
    }
}
