//! `git gate schema`: the JSON Schemas of files and outputs, for editors and programs.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;

use crate::git::Repository;
use crate::model::ObjectId;
use crate::schema::{self, DIRECTORY, Kind, Schema};

use super::gate_files::GateFiles;
use super::{Context, Exit, Failure, Format};

/// The arguments of `schema`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which one to print; without a name, all are listed.
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(schema::ALL.iter().map(|schema| schema.name)))]
    name: Option<String>,
    /// Write those of the files that people edit to where `init` put them, and where the first line of those files looks
    /// for them: `.schema` at the top of the work tree.
    #[arg(long, conflicts_with = "name")]
    write: bool,
    /// Write them into another directory.
    #[arg(long, value_name = "DIRECTORY", requires = "write")]
    dir: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<Exit> {
    if let Some(schema) = args.name.as_deref().and_then(Schema::find) {
        context.print(&schema.pretty())?;
        return Ok(Exit::Done);
    }
    if !args.write {
        print_list(context, schema::ALL)?;
        return Ok(Exit::Done);
    }
    let directory = match &args.dir {
        Some(directory) => context.directory.join(directory),
        None => own_directory(context)?,
    };
    let written: Vec<Schema> = for_editors().collect();
    write_all(&directory, &written)?;
    if context.format == Format::Json {
        print_list(context, &written)?;
    } else {
        context.print(&format!("wrote {} schemas into {}\n", written.len(), directory.display()))?;
    }
    Ok(Exit::Done)
}

/// The schemas that a governance repository holds for the editors of its files.
pub(super) fn for_editors() -> impl Iterator<Item = Schema> {
    schema::ALL.iter().copied().filter(|schema| schema.kind == Kind::File)
}

/// The line by which an editor finds the schema of a new file in `directory`; empty where the repository holds none at
/// `commit`, since editors complain of a reference to nothing.
pub(super) fn line(repository: &Repository, commit: ObjectId, name: &str, directory: &str) -> String {
    // A directory that cannot be read holds no schema; no file of the record depends on it.
    match GateFiles::read(repository, commit, DIRECTORY) {
        Ok(Some(files)) if files.get(&format!("{name}.json")).is_some() => schema::directive(name, directory),
        Ok(_) | Err(_) => String::new(),
    }
}

fn own_directory(context: &Context) -> anyhow::Result<PathBuf> {
    let repository = context.repository()?;
    let top = repository.work_tree().ok_or_else(|| {
        Failure::new("no-work-tree", "this repository is bare: it has no files to edit")
            .help("name a directory: `git gate schema --write --dir <directory>`")
    })?;
    Ok(top.join(DIRECTORY))
}

fn write_all(directory: &Path, schemas: &[Schema]) -> Result<(), Failure> {
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::new("file-unwritten", format!("`{}` cannot be written: {error}", path.display()))
    };
    fs::create_dir_all(directory).map_err(|error| failed(directory, &error))?;
    for schema in schemas {
        let path = directory.join(format!("{}.json", schema.name));
        #[expect(clippy::disallowed_methods, reason = "cli/ writes what the user asks for")]
        fs::write(&path, schema.pretty()).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

fn print_list(context: &Context, schemas: &[Schema]) -> anyhow::Result<()> {
    if context.format == Format::Json {
        let listed: Vec<_> = schemas
            .iter()
            .map(|schema| {
                serde_json::json!({ "name": schema.name, "title": schema.title(), "kind": schema.kind.as_str() })
            })
            .collect();
        let object = serde_json::json!({ "schema": "git-gate/schema/1", "schemas": listed });
        return context.print(&format!("{object}\n"));
    }
    let mut text = String::new();
    for schema in schemas {
        // Writing to a string cannot fail.
        let _ = if context.format == Format::Markdown {
            writeln!(text, "- `{}`: {}", schema.name, schema.title())
        } else {
            writeln!(text, "{:14} {}", schema.name, schema.title())
        };
    }
    context.print(&text)
}
