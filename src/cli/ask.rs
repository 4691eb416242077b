//! Questions on a terminal, where there is more to say than yes or no.
//!
//! Answers are typed and checked until they are one of those that were offered. Nothing moves or hides the cursor, so
//! that an interrupted question leaves the terminal as it was. Only asked where [`super::Context::asks`] says so.

use dialoguer::Input;
use dialoguer::console::Term;

use crate::model::Name;

use super::Failure;

/// One of `choices`, in full or by the letters it begins with; `default` for an empty answer.
pub(super) fn one_of(question: &str, choices: &[&str], default: &str) -> Result<String, Failure> {
    let listed = choices.join(", ");
    let answer: String = Input::new()
        .with_prompt(format!("{question} ({listed})"))
        .default(default.to_owned())
        .validate_with(|answer: &String| match chosen(choices, answer) {
            Some(_) => Ok(()),
            None => Err(format!("one of: {listed}")),
        })
        .interact_text_on(&Term::stderr())
        .map_err(failed)?;
    Ok(chosen(choices, &answer).unwrap_or(default).to_owned())
}

/// One of several names; not asked where there is only one.
pub(super) fn name(question: &str, names: &[Name]) -> Result<Name, Failure> {
    let texts: Vec<&str> = names.iter().map(Name::as_str).collect();
    let nothing = || Failure::new("declined", format!("there is nothing to choose for `{question}`"));
    let first = names.first().ok_or_else(nothing)?;
    if names.len() == 1 {
        return Ok(first.clone());
    }
    let answer = one_of(question, &texts, first.as_str())?;
    names.iter().find(|name| name.as_str() == answer).cloned().ok_or_else(nothing)
}

/// A line of words, or nothing.
pub(super) fn words(question: &str) -> Result<String, Failure> {
    let answer: String = Input::new()
        .with_prompt(question)
        .allow_empty(true)
        .interact_text_on(&Term::stderr())
        .map_err(failed)?;
    Ok(answer.trim().to_owned())
}

/// The choice that an answer means: itself, or the only one that begins so.
fn chosen<'a>(choices: &[&'a str], answer: &str) -> Option<&'a str> {
    let answer = answer.trim();
    if let Some(exact) = choices.iter().find(|choice| **choice == answer) {
        return Some(exact);
    }
    let mut begin = choices.iter().filter(|choice| !answer.is_empty() && choice.starts_with(answer));
    match (begin.next(), begin.next()) {
        (Some(one), None) => Some(one),
        (_, _) => None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn failed(error: dialoguer::Error) -> Failure {
    Failure::new("declined", format!("the question was not answered: {error}; nothing was signed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_choice_or_the_only_one_that_begins_so() {
        let choices = ["approve", "reject", "release", "leave"];
        for (answer, expected) in [
            ("approve", Some("approve")),
            (" a ", Some("approve")),
            ("rej", Some("reject")),
            ("re", None),
            ("", None),
            ("yes", None),
            ("approves", None),
        ] {
            assert_eq!(chosen(&choices, answer), expected, "{answer:?}");
        }
    }
}
