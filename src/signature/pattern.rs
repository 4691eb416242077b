//! OpenSSH's pattern lists: `*@example.com,!intern@example.com`.

/// Length from which on OpenSSH matches no pattern of a list, in bytes; a byte is for its `!`.
const LONGEST: usize = 1_000;

/// Patterns separated by commas, of which one at least must match and none that begins with `!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PatternList(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    negated: bool,
    text: Vec<u8>,
}

impl PatternList {
    /// A list with an empty pattern is none, nor is one with a pattern that OpenSSH finds too long to match.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.split(',')
            .map(|part| {
                let (negated, part) = part.strip_prefix('!').map_or((false, part), |part| (true, part));
                (1..LONGEST)
                    .contains(&part.len())
                    .then(|| Pattern { negated, text: part.as_bytes().to_vec() })
            })
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }

    /// Whether some pattern matches `text`, and none that is negated.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut matched = false;
        for pattern in &self.0 {
            if pattern.matches(text.as_bytes()) {
                if pattern.negated {
                    return false;
                }
                matched = true;
            }
        }
        matched
    }
}

impl Pattern {
    /// `*` is any run of bytes, `?` any one. Time is at most the product of both lengths.
    fn matches(&self, text: &[u8]) -> bool {
        let (mut at_pattern, mut at_text) = (0, 0);
        // Where to go on when a comparison fails: behind the last star, one byte further in the text.
        let mut retry: Option<(usize, usize)> = None;
        while let Some(byte) = text.get(at_text) {
            match self.text.get(at_pattern) {
                Some(b'*') => {
                    at_pattern += 1;
                    retry = Some((at_pattern, at_text));
                }
                Some(wanted) if *wanted == b'?' || wanted == byte => {
                    at_pattern += 1;
                    at_text += 1;
                }
                Some(_) | None => {
                    let Some((after_star, matched)) = retry else { return false };
                    retry = Some((after_star, matched + 1));
                    at_pattern = after_star;
                    at_text = matched + 1;
                }
            }
        }
        self.text.get(at_pattern..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_openssh() {
        for (list, text, expected) in [
            ("git", "git", true),
            ("git", "gitx", false),
            ("file,git", "git", true),
            ("*", "git", true),
            ("g?t", "git", true),
            ("g?t", "gt", false),
            ("!git,*", "git", false),
            ("*,!git", "git", false),
            ("!file", "git", false),
            ("!file,*", "git", true),
            ("*@example.com", "a@example.com", true),
            ("*@example.com", "a@example.com.evil", false),
            ("*@example.com", "@example.com", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("git ", "git", false),
            ("GIT", "git", false),
        ] {
            assert_eq!(PatternList::parse(list).unwrap().matches(text), expected, "{list} on {text}");
        }
        for bad in ["", ",", "a,", ",a", "a,,b", "!", "a,!", &format!("{},git", "a".repeat(1_000))] {
            assert!(PatternList::parse(bad).is_none(), "{bad}");
        }
    }
}
