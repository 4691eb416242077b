//! Sheets as HTML: pages to publish, read without a network, without a script, on paper and aloud.
//!
//! Every text goes through a template that escapes it when it is compiled in; then the finished page has every character
//! replaced that hides or steers (design, section 12), so that no place can forget to. The security policy of each page
//! allows one style sheet and nothing else: what slipped through would still not run, load or send anything.

mod chart;
mod layout;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::model::escape;

use super::sheet::Sheet;

/// The style sheet of all pages.
pub(super) const STYLE: &str = include_str!("style.css");
/// Where a report keeps it.
pub(super) const STYLE_PATH: &str = "style.css";
/// Allows the style sheet beside the pages, and nothing else.
const POLICY_OF_SITE: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'";
/// Allows the style sheet within the page, which has this digest, and nothing else.
const POLICY_OF_FILE: &str = "default-src 'none'; style-src 'sha256-wYwn4Nq3ErN0tEyNFw0g2b9Fg7mrYNkSFzshhX1r8wo='; \
                              base-uri 'none'; form-action 'none'";
/// The pages that every page leads to.
const PLACES: [(&str, &str); 10] = [
    ("Overview", "index.html"),
    ("Gates", "gates.html"),
    ("Deployments", "deployments.html"),
    ("Audit", "audit.html"),
    ("Exceptions", "exceptions.html"),
    ("Incidents", "incidents.html"),
    ("Criteria", "criteria.html"),
    ("Metrics", "metrics.html"),
    ("Policy", "policy.html"),
    ("Control", "control.html"),
];

/// A page of a report, with its neighbours around it. `name` is that of the repository's policy.
pub(super) fn page_of_site(sheet: &Sheet, name: &str) -> String {
    let up = "../".repeat(sheet.path.matches('/').count());
    let head = html! {
        meta http-equiv="Content-Security-Policy" content=(POLICY_OF_SITE);
        link rel="stylesheet" href={ (up) (STYLE_PATH) };
    };
    let places = html! {
        header.top {
            p.name { a href={ (up) "index.html" } { (name) } }
            nav aria-label="Report" {
                ul { @for (title, path) in PLACES {
                    @let here = sheet.path == path;
                    li { a href={ (up) (path) } aria-current=[here.then_some("page")] { (title) } }
                } }
            }
        }
    };
    let foot = html! {
        footer { p {
            "Computed from signed git history. What it was made from, and how to check it, stands in the "
            a href={ (up) "index.html#made-from" } { "overview" } "."
        } }
    };
    finish(&document(&sheet.title, name, &head, &places, &layout::sheet(sheet, Some(&up)), &foot))
}

/// A page that stands alone, such as one attached to a ticket: links of it that would lead to others are text.
pub(super) fn page_alone(sheet: &Sheet, name: &str) -> String {
    let head = html! {
        meta http-equiv="Content-Security-Policy" content=(POLICY_OF_FILE);
        style { (PreEscaped(STYLE)) }
    };
    let nothing = html! {};
    finish(&document(&sheet.title, name, &head, &nothing, &layout::sheet(sheet, None), &nothing))
}

fn document(
    title: &str,
    name: &str,
    head: &Markup,
    before: &Markup,
    main: &Markup,
    after: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                (head)
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (name) }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                (before)
                main #main tabindex="-1" { (main) }
                (after)
            }
        }
    }
}

/// The page as it is written: what does not show as itself is written out.
fn finish(page: &Markup) -> String {
    let text = &page.0;
    let mut safe = String::with_capacity(text.len() + 1);
    let mut buffer = [0; 4];
    for c in text.chars() {
        if c == '\n' || matches!(c, ' '..='~') {
            safe.push(c);
        } else {
            safe.push_str(&escape(c.encode_utf8(&mut buffer)));
        }
    }
    safe.push('\n');
    safe
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// As a security policy writes a digest.
    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for three in bytes.chunks(3) {
            let number = three.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
            let number = number << (8 * (3 - three.len()));
            for at in 0..4 {
                let letter = LETTERS[number >> (18 - 6 * at) & 63];
                text.push(if at > three.len() { '=' } else { char::from(letter) });
            }
        }
        text
    }

    #[test]
    fn a_page_alone_allows_its_own_style_and_nothing_else() {
        let digest = base64(&Sha256::digest(STYLE));
        assert!(POLICY_OF_FILE.contains(&format!("'sha256-{digest}'")), "the digest of the style: {digest}");
    }
}
