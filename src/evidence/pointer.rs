//! JSON pointers (RFC 6901): a place in a JSON document.

use super::json::Json;
use super::quote;

/// The value at `pointer`, or why there is none.
pub(crate) fn resolve<'a>(document: &'a Json, pointer: &str) -> Result<&'a Json, String> {
    if pointer.is_empty() {
        return Ok(document);
    }
    let Some(path) = pointer.strip_prefix('/') else {
        return Err(format!("{} is no JSON pointer: it begins with `/`", quote(pointer)));
    };
    let nothing = || format!("nothing stands at {}", quote(pointer));
    let mut value = document;
    for token in path.split('/') {
        let token = unescape(token).ok_or_else(|| {
            format!("{} is no JSON pointer: `~` is written `~0`, and `/` in a key `~1`", quote(pointer))
        })?;
        value = match value {
            Json::Object(members) => members.get(&token).ok_or_else(nothing)?,
            Json::Array(items) => index(&token).and_then(|at| items.get(at)).ok_or_else(nothing)?,
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Unheld(_) | Json::Text(_) => {
                return Err(nothing());
            }
        };
    }
    Ok(value)
}

/// The token that a key is, in a pointer.
pub(crate) fn token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The keys that a pointer goes through; nothing where it is none.
pub(crate) fn keys(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    pointer.strip_prefix('/')?.split('/').map(unescape).collect()
}

fn unescape(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let mut key = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut rest = part.chars();
        key.push(match rest.next() {
            Some('0') => '~',
            Some('1') => '/',
            _ => return None,
        });
        key.push_str(rest.as_str());
    }
    Some(key)
}

/// An array index: digits, without a leading zero.
fn index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|byte| byte.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    if plain { token.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::json::{Sieve, parse_document};
    use super::*;

    fn document() -> Json {
        let text = r#"{"a":{"b/c":1,"m~n":2,"":3},"list":[10,[20]],"toxicity/v1/mean":4,"01":5,"-":6}"#;
        parse_document(text.as_bytes(), &Sieve::everything()).unwrap()
    }

    #[test]
    fn pointers_find_what_rfc_6901_says() {
        for (pointer, expected) in [
            ("/a/b~1c", 1.0),
            ("/a/m~0n", 2.0),
            ("/a/", 3.0),
            ("/list/0", 10.0),
            ("/list/1/0", 20.0),
            ("/toxicity~1v1~1mean", 4.0),
            ("/01", 5.0),
            ("/-", 6.0),
        ] {
            assert_eq!(resolve(&document(), pointer), Ok(&Json::Number(expected)), "{pointer}");
        }
        assert_eq!(resolve(&document(), ""), Ok(&document()));
    }

    #[test]
    fn pointers_that_lead_nowhere_say_so() {
        for pointer in [
            "a",
            "/b",
            "/list/2",
            "/list/00",
            "/list/-",
            "/list/+1",
            "/a/b/c",
            "/a/m~n",
            "/a/m~2",
            "/list/0/x",
            "#/a",
        ] {
            assert!(resolve(&document(), pointer).is_err(), "{pointer}");
        }
        assert!(resolve(&document(), &format!("/list/{}", "9".repeat(40))).is_err());
        assert_eq!(resolve(&document(), "/list/-").unwrap_err(), "nothing stands at `/list/-`");
    }

    #[test]
    fn a_token_leads_to_its_key() {
        for key in ["a", "a/b", "a~b", "~1", "", "é"] {
            assert_eq!(unescape(&token(key)).as_deref(), Some(key));
        }
    }
}
