//! What git tells a hook of a push: one line a ref.

use crate::model::ObjectId;

/// One ref that moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The ref's full name.
    pub name: String,
    /// Where it stands; nothing: it is new.
    pub old: Option<ObjectId>,
    /// Where it goes; nothing: it is deleted.
    pub new: Option<ObjectId>,
}

/// All refs that one push moves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Push {
    /// In git's order.
    pub updates: Vec<Update>,
}

/// A line that git does not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {0} of what git says of the push cannot be read")]
pub struct MalformedPush(pub usize);

impl Push {
    /// Reads what `pre-receive` is given: `<old> <new> <ref>` on each line.
    pub fn of_pre_receive(text: &str) -> Result<Self, MalformedPush> {
        Self::of_lines(text, |fields| match fields {
            [old, new, name] => Some(((*name).to_owned(), *old, *new)),
            _ => None,
        })
    }

    /// Reads what `pre-push` is given: `<local ref> <local id> <remote ref> <remote id>` on each line.
    pub fn of_pre_push(text: &str) -> Result<Self, MalformedPush> {
        Self::of_lines(text, |fields| match fields {
            [_local, new, name, old] => Some(((*name).to_owned(), *old, *new)),
            // The local side may be an expression, with whatever in it; the other three are the last.
            [.., new, name, old] => Some(((*name).to_owned(), *old, *new)),
            _ => None,
        })
    }

    fn of_lines<'t>(
        text: &'t str,
        fields: impl Fn(&[&'t str]) -> Option<(String, &'t str, &'t str)>,
    ) -> Result<Self, MalformedPush> {
        let mut updates = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() {
                continue;
            }
            let wrong = || MalformedPush(number);
            let split: Vec<&str> = line.split(' ').collect();
            let (name, old, new) = fields(&split).ok_or_else(wrong)?;
            let old = id(old).ok_or_else(wrong)?;
            let new = id(new).ok_or_else(wrong)?;
            updates.push(Update { name, old, new });
        }
        Ok(Self { updates })
    }
}

/// An id; all zeros stand for none.
#[expect(clippy::option_option, reason = "a line may be wrong, and may say that there is none")]
fn id(text: &str) -> Option<Option<ObjectId>> {
    let id: ObjectId = text.parse().ok()?;
    let ObjectId(bytes) = id;
    Some(bytes.iter().any(|byte| *byte != 0).then_some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "0000000000000000000000000000000000000000";
    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn update(name: &str, old: &str, new: &str) -> Update {
        Update { name: name.into(), old: id(old).unwrap(), new: id(new).unwrap() }
    }

    #[test]
    fn what_git_says_is_read_to_the_letter() {
        let text = format!("{ZERO} {ONE} refs/heads/main\n\n{TWO} {ZERO} refs/heads/gate/a/b\n");
        let expected = vec![update("refs/heads/main", ZERO, ONE), update("refs/heads/gate/a/b", TWO, ZERO)];
        assert_eq!(Push::of_pre_receive(&text), Ok(Push { updates: expected }));
        let text = format!("HEAD~1 {ONE} refs/heads/main {TWO}\n(delete) {ZERO} refs/heads/x {ONE}\n");
        let expected = vec![update("refs/heads/main", TWO, ONE), update("refs/heads/x", ONE, ZERO)];
        assert_eq!(Push::of_pre_push(&text), Ok(Push { updates: expected }));
    }

    #[test]
    fn what_git_does_not_say_is_refused() {
        for text in
            ["x", "a b refs/heads/main", &format!("{ONE} {TWO}"), &format!("{ONE}  {TWO} refs/heads/main")]
        {
            assert!(
                Push::of_pre_receive(&format!("{ZERO} {ONE} refs/heads/ok\n{text}\n")).is_err(),
                "{text}"
            );
        }
        assert_eq!(Push::of_pre_receive(""), Ok(Push::default()));
    }
}
