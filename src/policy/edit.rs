//! Changes `policy.toml` and `allowed_signers` as they stand, and keeps their comments, order and all that is not asked
//! about.
//!
//! Whether the result is a policy that can come into force is not settled here: parse what comes out.

use similar::TextDiff;
use toml_edit::{
    Array, ArrayOfTables, DocumentMut, ImDocument, InlineTable, Item, RawString, Table, TableLike, Value,
};

use crate::model::{Name, Principal};

/// A `policy.toml` while it is changed.
#[derive(Debug, Clone)]
pub struct PolicyEdit {
    document: DocumentMut,
}

impl PolicyEdit {
    /// Opens a `policy.toml`; nothing where it is no TOML.
    pub fn open(policy_toml: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(policy_toml).ok()?;
        Some(Self { document: ImDocument::parse(text).ok()?.into_mut() })
    }

    /// The file as it stands now.
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    /// Sets the serial.
    pub fn set_serial(&mut self, serial: u64) {
        let Ok(serial) = i64::try_from(serial) else { return };
        // In place: what is inserted anew loses the comment above it.
        match self.document.get_mut("serial").and_then(Item::as_value_mut) {
            Some(before) => replace(before, Value::from(serial)),
            None => drop(self.document.insert("serial", Item::Value(Value::from(serial)))),
        }
    }

    /// Sets a bound of every criterion of that name, and where it came from; false where there is none that has the bound.
    pub fn set_bound(&mut self, criterion: &str, key: &str, bound: f64, origin: &str) -> bool {
        let mut done = false;
        for rule in self.document.get_mut("rule").into_iter().flat_map(tables_mut) {
            for one in rule.get_mut("criteria").into_iter().flat_map(tables_mut) {
                if one.get("name").and_then(Item::as_str) != Some(criterion) {
                    continue;
                }
                let Some(value) = one.get_mut(key).and_then(Item::as_value_mut) else { continue };
                replace(value, number_like(value, bound));
                match one.get_mut("origin").and_then(Item::as_value_mut) {
                    Some(value) => replace(value, Value::from(origin)),
                    None if origin.is_empty() => {}
                    None => drop(one.insert("origin", Item::Value(Value::from(origin)))),
                }
                done = true;
            }
        }
        done
    }

    /// What changed since `before`, as a difference that `git apply` takes.
    pub fn difference(&self, before: &str) -> String {
        let after = self.text();
        let diff = TextDiff::from_lines(before, &after);
        diff.unified_diff().header("a/policy/policy.toml", "b/policy/policy.toml").to_string()
    }

    /// Makes the principal a member of a role; false where there is no such role.
    pub fn add_member(&mut self, role: &Name, principal: &Principal) -> bool {
        let roles = self.document.get_mut("roles").and_then(Item::as_table_like_mut);
        let role = roles.and_then(|roles| roles.get_mut(role.as_str())).and_then(Item::as_table_like_mut);
        let Some(role) = role else { return false };
        if role.get("members").is_none() {
            role.insert("members", Item::Value(Value::Array(Array::new())));
        }
        let Some(members) = role.get_mut("members").and_then(Item::as_array_mut) else { return false };
        push(members, principal.as_str());
        true
    }

    /// Takes the principal out of every role.
    pub fn remove_member(&mut self, principal: &Principal) {
        let Some(roles) = self.document.get_mut("roles").and_then(Item::as_table_like_mut) else { return };
        for (_name, role) in roles.iter_mut() {
            let members = role.as_table_like_mut().and_then(|role| role.get_mut("members"));
            if let Some(members) = members.and_then(Item::as_array_mut) {
                remove(members, principal.as_str());
            }
        }
    }

    /// Says that the principal is no person.
    pub fn add_bot(&mut self, principal: &Principal) {
        if self.document.get("bots").is_none() {
            self.document.insert("bots", Item::Value(Value::Array(Array::new())));
        }
        if let Some(bots) = self.document.get_mut("bots").and_then(Item::as_array_mut) {
            push(bots, principal.as_str());
        }
    }

    /// Revokes a key.
    pub fn revoke(&mut self, key: &str, since: &str, reason: &str) {
        if self.document.get("revoked").is_none() {
            self.document.insert("revoked", Item::ArrayOfTables(ArrayOfTables::new()));
        }
        let lines = [("key", key), ("since", since), ("reason", reason)];
        match self.document.get_mut("revoked") {
            Some(Item::ArrayOfTables(tables)) => {
                let mut table = Table::new();
                for (key, text) in lines {
                    table.insert(key, Item::Value(Value::from(text)));
                }
                table.decor_mut().set_prefix("\n");
                tables.push(table);
            }
            Some(Item::Value(Value::Array(array))) => {
                let table: InlineTable =
                    lines.into_iter().map(|(key, text)| (key, Value::from(text))).collect();
                array.push(table);
            }
            Some(Item::None | Item::Value(_) | Item::Table(_)) | None => {}
        }
    }
}

/// The tables of a list of tables, however it is written.
fn tables_mut(item: &mut Item) -> Vec<&mut dyn TableLike> {
    match item {
        Item::ArrayOfTables(tables) => {
            tables.iter_mut().map(|table| -> &mut dyn TableLike { table }).collect()
        }
        Item::Value(Value::Array(array)) => array
            .iter_mut()
            .filter_map(|value| value.as_inline_table_mut().map(|table| -> &mut dyn TableLike { table }))
            .collect(),
        Item::None | Item::Value(_) | Item::Table(_) => Vec::new(),
    }
}

/// Puts a value in the place of another, with the blanks and comments around it.
fn replace(before: &mut Value, mut after: Value) {
    *after.decor_mut() = before.decor().clone();
    *before = after;
}

/// A number as whole as the one that it takes the place of, where it is.
fn number_like(before: &Value, number: f64) -> Value {
    let whole = before.is_integer() && number.fract() == 0.0 && number.abs() < 1e15;
    let integer = if whole { format!("{number:.0}").parse::<i64>().ok() } else { None };
    integer.map_or_else(|| Value::from(number), Value::from)
}

/// Adds a text to a list as the list is written, unless it is there. A comment behind an element stands in what comes
/// before the next one, or before the bracket: it stays where it is.
fn push(array: &mut Array, text: &str) {
    if array.iter().any(|value| value.as_str() == Some(text)) {
        return;
    }
    let single = array.len() == 1;
    let mut value = Value::from(text);
    let trailing = own(Some(array.trailing()));
    if let Some(last) = array.len().checked_sub(1).and_then(|at| array.get_mut(at)) {
        let (prefix, suffix) = (own(last.decor().prefix()), own(last.decor().suffix()));
        let indent = prefix.rfind('\n').and_then(|at| prefix.get(at..)).unwrap_or(&prefix);
        let mut indent = if single && indent.is_empty() { " ".to_owned() } else { indent.to_owned() };
        if !suffix.is_empty() && !suffix.contains('#') {
            last.decor_mut().set_suffix("");
            value.decor_mut().set_suffix(suffix);
        }
        if trailing.contains('#') {
            indent = format!("{}{indent}", trailing.trim_end());
            array.set_trailing("\n");
        }
        value.decor_mut().set_prefix(indent);
    }
    array.push_formatted(value);
}

/// Takes a text out of a list, and the comment behind it.
fn remove(array: &mut Array, text: &str) {
    loop {
        // Apart, so that the list is free to be changed.
        let found = array.iter().position(|value| value.as_str() == Some(text));
        let Some(at) = found else { return };
        let prefix = own(array.get(at).and_then(|value| value.decor().prefix()));
        array.remove(at);
        if let Some(next) = array.get_mut(at) {
            next.decor_mut().set_prefix(prefix);
            continue;
        }
        let comment = prefix.split_once('\n').map_or("", |(comment, _indent)| comment);
        let trailing = own(Some(array.trailing()));
        let rest = trailing.find('\n').and_then(|at| trailing.get(at..)).unwrap_or(&trailing);
        let end = if comment.is_empty() || rest.starts_with('\n') { "" } else { "\n" };
        array.set_trailing(format!("{comment}{end}{rest}"));
    }
}

fn own(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}

/// `allowed_signers` with one line more, at its end.
pub fn add_line(signers: &str, line: &str) -> String {
    let end = if signers.is_empty() || signers.ends_with('\n') { "" } else { "\n" };
    format!("{signers}{end}{line}\n")
}

/// `allowed_signers` with another line in place of the one of that number, from 1; without it where none is given.
pub fn replace_line(signers: &str, number: usize, line: Option<&str>) -> String {
    let mut text = String::with_capacity(signers.len());
    for (at, whole) in (1..).zip(signers.split_inclusive('\n')) {
        match (at == number, line) {
            (false, _) => text.push_str(whole),
            (true, Some(line)) => {
                text.push_str(line);
                text.push('\n');
            }
            (true, None) => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, change: impl Fn(&mut PolicyEdit)) -> String {
        let mut edit = PolicyEdit::open(text.as_bytes()).unwrap();
        change(&mut edit);
        edit.text()
    }

    fn add(text: &str) -> String {
        edited(text, |edit| assert!(edit.add_member(&"r".parse().unwrap(), &"c@x".parse().unwrap())))
    }

    #[test]
    fn comments_and_order_stay() {
        assert_eq!(
            edited("# a\nserial = 1   # b\nid = 'x' # c\n", |edit| edit.set_serial(2)),
            "# a\nserial = 2   # b\nid = 'x' # c\n"
        );
        for (before, after) in [
            ("[roles]\nr = { members = [] } # a\n", "[roles]\nr = { members = [\"c@x\"] } # a\n"),
            ("[roles]\nr = { members = [\"a@x\"] }\n", "[roles]\nr = { members = [\"a@x\", \"c@x\"] }\n"),
            ("[roles.r]\nmembers = [ 'a@x', 'b@x' ]\n", "[roles.r]\nmembers = [ 'a@x', 'b@x', \"c@x\" ]\n"),
            (
                "[roles.r]\nmembers = [\n  'a@x',\n  'b@x'\n]\n",
                "[roles.r]\nmembers = [\n  'a@x',\n  'b@x',\n  \"c@x\"\n]\n",
            ),
            (
                "[roles.r]\nmembers = [\n  'a@x', # A\n  'b@x', # B\n]\n",
                "[roles.r]\nmembers = [\n  'a@x', # A\n  'b@x', # B\n  \"c@x\",\n]\n",
            ),
            ("[roles]\nr = { members = ['c@x'] }\n", "[roles]\nr = { members = ['c@x'] }\n"),
        ] {
            assert_eq!(add(before), after, "{before}");
        }
        let none: Name = "other".parse().unwrap();
        edited("[roles]\n", |edit| assert!(!edit.add_member(&none, &"c@x".parse().unwrap())));
        assert_eq!(
            edited("[roles]\nr = { members = [\"a@x\", \"b@x\"] }\ns = { members = [\"a@x\"] }\n", |edit| {
                edit.remove_member(&"a@x".parse().unwrap());
            }),
            "[roles]\nr = { members = [\"b@x\"] }\ns = { members = [] }\n"
        );
    }

    #[test]
    fn a_bound_is_set_wherever_the_criterion_stands_and_says_where_it_came_from() {
        for (before, after) in [
            (
                "serial = 1 # s\n[[rule]]\ncriteria = [\n  { name = 'c', max = 0.05, min_samples = 5 }, # why\n  { name = 'd', max = 1 },\n]\n",
                "serial = 1 # s\n[[rule]]\ncriteria = [\n  { name = 'c', max = 0.03, min_samples = 5 , origin = \"I-1\" }, # why\n  { name = 'd', max = 1 },\n]\n",
            ),
            (
                "[[rule]]\n[[rule.criteria]]\nname = 'c'\nmax = 5 # five\norigin = 'I-0'\n[[rule]]\ncriteria = [{ name = 'c', max = 5, origin = 'I-0' }]\n",
                "[[rule]]\n[[rule.criteria]]\nname = 'c'\nmax = 0.03 # five\norigin = \"I-1\"\n[[rule]]\ncriteria = [{ name = 'c', max = 0.03, origin = \"I-1\" }]\n",
            ),
        ] {
            let found = edited(before, |edit| assert!(edit.set_bound("c", "max", 0.03, "I-1")));
            assert_eq!(found, after);
        }
        edited("[[rule]]\ncriteria = [{ name = 'c', max = 5 }]\n", |edit| {
            assert!(!edit.set_bound("c", "min", 1.0, "") && !edit.set_bound("x", "max", 1.0, ""));
            let before = edit.text();
            assert!(edit.set_bound("c", "max", 4.0, ""));
            let change = edit.difference(&before);
            assert!(
                change.starts_with("--- a/policy/policy.toml\n+++ b/policy/policy.toml\n@@ ")
                    && change.contains(
                        "\n-criteria = [{ name = 'c', max = 5 }]\n+criteria = [{ name = 'c', max = 4 }]\n"
                    ),
                "{change}"
            );
        });
    }

    #[test]
    fn whoever_is_taken_out_takes_their_comment_along() {
        let text = "[roles.r]\nmembers = [\n  'a@x', # A\n  'b@x', # B\n]\n";
        let without = |who: &str, text: &str| edited(text, |edit| edit.remove_member(&who.parse().unwrap()));
        assert_eq!(without("a@x", text), "[roles.r]\nmembers = [\n  'b@x', # B\n]\n");
        assert_eq!(without("b@x", text), "[roles.r]\nmembers = [\n  'a@x', # A\n]\n");
        let open = "[roles.r]\nmembers = [\n  'a@x', # A\n  'b@x'\n]\n";
        let text = without("b@x", open);
        assert!(text.contains("'a@x' # A\n"), "{text}");
        assert!(PolicyEdit::open(text.as_bytes()).is_some(), "{text}");
    }

    #[test]
    fn revocations_and_bots_are_added_where_none_are() {
        let text = "serial = 1\n\n[roles] # r\n";
        let text = edited(text, |edit| {
            edit.add_bot(&"b@x".parse().unwrap());
            edit.revoke("SHA256:k", "never-trusted", "lost \"it\"");
            edit.revoke("SHA256:l", "never-trusted", "x");
        });
        assert_eq!(
            text,
            "serial = 1\nbots = [\"b@x\"]\n\n[roles] # r\n\n[[revoked]]\nkey = \"SHA256:k\"\nsince = \"never-trusted\"\n\
             reason = 'lost \"it\"'\n\n[[revoked]]\nkey = \"SHA256:l\"\nsince = \"never-trusted\"\nreason = \"x\"\n"
        );
    }

    #[test]
    fn lines_of_signers_are_added_replaced_and_taken_out() {
        let text = "# who\na@x k1\nb@x k2";
        assert_eq!(add_line(text, "c@x k3"), "# who\na@x k1\nb@x k2\nc@x k3\n");
        assert_eq!(replace_line(text, 2, Some("a@x k4")), "# who\na@x k4\nb@x k2");
        assert_eq!(replace_line(text, 2, None), "# who\nb@x k2");
    }
}
