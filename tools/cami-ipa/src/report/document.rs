//! What every page has: its frame, its style, its scripts, and the policy under which a browser shows
//! it.
//!
//! Much of what a page shows was written by strangers. All of it is escaped, and where that should
//! ever fail, the policy lets no script run but ours, and nothing be fetched.

use std::fmt::{Display, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::text::Escaped;

const STYLE: &str = include_str!("style.css");
/// The script of charts.
pub const CURSOR: &str = include_str!("cursor.js");

/// A page with a title, its content, and the scripts that it needs.
pub fn render(title: &str, content: &str, scripts: &[&str]) -> String {
    let allowed: Vec<String> = scripts.iter().map(|script| source(script)).collect();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         img-src data:; style-src {}; script-src {}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n{content}\
         </main>\n",
        source(STYLE),
        allowed.join(" "),
        Escaped(title),
        Escaped(title)
    );
    for script in scripts {
        let _ = writeln!(page, "<script>{script}</script>");
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// An element's text, as the policy allows it.
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// Data for scripts: JSON in which nothing can end the element.
pub fn data(page: &mut String, id: &str, data: &impl serde::Serialize) {
    // A value that cannot be told is told as none.
    let json = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
    let json = json.replace('<', "\\u003c");
    let _ = writeln!(page, "<script type=\"application/json\" id=\"{id}\">{json}</script>");
}

/// What the page is about, as pairs of a name and a value.
pub fn subject(page: &mut String, pairs: &[(impl Display, impl Display)]) {
    page.push_str("<dl class=\"subject\">\n");
    for (name, value) in pairs {
        let _ = writeln!(page, "<div><dt>{}</dt><dd>{}</dd></div>", Escaped(name), Escaped(value));
    }
    page.push_str("</dl>\n");
}

/// The figures that count most, as pairs of a name and a value.
pub fn tiles(page: &mut String, tiles: &[(impl Display, impl Display)]) {
    page.push_str("<ul class=\"tiles\">\n");
    for (name, value) in tiles {
        let _ = writeln!(page, "<li><b>{}</b><span>{}</span></li>", Escaped(value), Escaped(name));
    }
    page.push_str("</ul>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_scripts_are_allowed() {
        let page = render("a <title>", "", &["alert(1)"]);
        // The digest of "alert(1)", as openssl dgst -sha256 -binary | base64 prints it.
        assert!(
            page.contains("script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='\">"),
            "{page}"
        );
        assert!(page.contains("<title>a &lt;title&gt;</title>"));
    }

    #[test]
    fn data_cannot_end_its_element() {
        let mut page = String::new();
        data(&mut page, "d", &"</script><script>alert(1)//<!--");
        assert_eq!(page.matches('<').count(), 2, "{page}");
    }
}
