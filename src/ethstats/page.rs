//! What a browser gets: one page, its style and its script, all from here; nothing is fetched from elsewhere.

/// The page; the script fills it from `/api/nodes`.
pub fn html(network: &str) -> String {
    include_str!("page/index.html").replace("{{network}}", &escape(network))
}

/// Light and dark, wide and narrow.
pub const STYLE: &str = include_str!("page/style.css");

/// Asks `/api/nodes` every two seconds.
pub const SCRIPT: &str = include_str!("page/page.js");

/// The browser runs and loads nothing that does not come from this server.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_markup() {
        let html = html("<b>demo</b>");
        assert!(html.contains("<title>&lt;b&gt;demo&lt;/b&gt;") && !html.contains("<b>"));
    }
}
