//! Rust source as a sequence of paths: enough to see who names whom.
//!
//! Comments and literals are blanked and test code is cut out; what is left is split into words and `::`, and grouped
//! imports are written out. No grammar of Rust beyond that.

/// A source without comments, literals and test code.
pub(crate) struct Code {
    /// What is left; lines stay where they were.
    pub(crate) text: String,
    /// How many lines are not test code.
    pub(crate) lines: usize,
}

impl Code {
    pub(crate) fn of(source: &str) -> Self {
        let mut text = blank(source);
        let mut lines = source.lines().count();
        while let Some(start) = text.find("#[cfg(test)]") {
            let end = item_end(&text, start);
            lines -= text[start..end].lines().count();
            let gap: String = text[start..end].chars().filter(|c| *c == '\n').collect();
            text.replace_range(start..end, &gap);
        }
        Self { text, lines }
    }
}

/// Where the item that begins at `start` ends: behind its `;`, or behind the brace that closes its first.
fn item_end(text: &str, start: usize) -> usize {
    let mut open = 0usize;
    for (at, c) in text[start..].char_indices() {
        match c {
            ';' if open == 0 => return start + at + 1,
            '{' => open += 1,
            '}' if open <= 1 => return start + at + 1,
            '}' => open -= 1,
            _ => {}
        }
    }
    text.len()
}

/// `source` with every comment and literal replaced by blanks.
fn blank(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself where none begins.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next == Some('/') => find(chars, at, |c| c == '\n'),
        '/' if next == Some('*') => block_comment_end(chars, at),
        '"' => string_end(chars, at),
        'r' if !in_word => raw_string_end(chars, at + 1).unwrap_or(at),
        'b' | 'c' if !in_word && next == Some('r') => raw_string_end(chars, at + 2).unwrap_or(at),
        '\'' if next == Some('\\') => find(chars, at + 3, |c| c == '\'') + 1,
        '\'' if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

fn find(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|at| wanted(chars[*at])).unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut at, mut open) = (start, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (open, at) = (open + 1, at + 2),
            ('*', Some('/')) => (open, at) = (open - 1, at + 2),
            _ => at += 1,
        }
        if open == 0 {
            return at;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// Behind `r`, hashes and a quote; nothing where that is no raw string.
fn raw_string_end(chars: &[char], start: usize) -> Option<usize> {
    let quote = find(chars, start, |c| c != '#');
    if chars.get(quote) != Some(&'"') {
        return None;
    }
    let hashes = quote - start;
    (quote + 1..chars.len())
        .find(|at| chars[*at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes)
        .map(|at| at + 1 + hashes)
}

/// Every path in `text`, groups written out: `a::{b, c::d}` is `a::b` and `a::c::d`; `*` is a segment.
pub(crate) fn paths_in(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if is_word(&tokens[at]) {
            at = path(&tokens, at, String::new(), &mut found);
        } else {
            at += 1;
        }
    }
    found
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let end = if is_word(&chars[at].to_string()) {
            find(&chars, at, |c| !(c.is_alphanumeric() || c == '_'))
        } else if chars[at] == ':' && chars.get(at + 1) == Some(&':') {
            at + 2
        } else {
            at + 1
        };
        if !chars[at].is_whitespace() {
            tokens.push(chars[at..end].iter().collect());
        }
        at = end;
    }
    tokens
}

/// Reads the path at `at` behind `prefix` into `found`, and returns where it ends.
fn path(tokens: &[String], mut at: usize, prefix: String, found: &mut Vec<String>) -> usize {
    let mut whole = prefix;
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") if !whole.is_empty() => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    let word = is_word(&tokens[at]) || tokens[at] == "*";
                    at = if word { path(tokens, at, whole.clone(), found) } else { at + 1 };
                }
                return at + 1;
            }
            Some(token) if is_word(token) || (token == "*" && !whole.is_empty()) => {
                let joint = if whole.is_empty() { "" } else { "::" };
                whole = format!("{whole}{joint}{token}");
                at += 1;
            }
            Some(_) | None => break,
        }
        if tokens.get(at).map(String::as_str) != Some("::") {
            break;
        }
        at += 1;
    }
    found.push(whole);
    at
}
