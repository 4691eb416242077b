//! Having a person write a file: their editor, what is wrong with what they wrote, and the editor again.

use crate::git::{Git, Repository};

use super::{Context, Failure, interrupt};

/// What the person made of `text`, once `check` takes it. The file is kept under `name` until it is taken, so that
/// nothing that was typed is lost.
pub(super) fn edit(
    context: &Context,
    repository: &Repository,
    name: &str,
    text: &str,
    check: impl Fn(&str) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let path = repository.state_path(name);
    repository.keep_state(name, text)?;
    loop {
        {
            let _ctrl_c = interrupt::leave_to_editor();
            Git::of(repository).edit(&path)?;
        }
        let edited = repository.state(name)?.unwrap_or_default();
        if says_nothing(&edited) {
            repository.forget_state(name);
            return Err(Failure::new("declined", "the file was left empty; nothing was written").into());
        }
        let Err(wrong) = check(&edited) else {
            repository.forget_state(name);
            return Ok(edited);
        };
        context.warn(&format!("it cannot be taken:\n{wrong:#}"));
        if !context.confirm("Edit it again?")? {
            let kept = format!("nothing was written; what you typed is in `{}`", path.display());
            return Err(Failure::new("declined", kept).into());
        }
    }
}

fn says_nothing(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'))
}
