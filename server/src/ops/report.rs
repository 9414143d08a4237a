//! What tools answer: text for people, JSON for programs, and the exit code.

use std::{
    fmt::{self, Display},
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use serde::Serialize;
use serde_json::json;

use crate::config::Faults;

/// How a tool answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one object.
    Json,
}

/// What a tool found. Its text ends without a line break.
pub trait Report: Serialize + Display {
    /// Whether all is as it must be.
    fn is_sound(&self) -> bool {
        true
    }
}

/// The files that a tool wrote.
#[derive(Debug, Serialize)]
pub struct Files {
    /// Each, in the order of writing.
    pub files: Vec<PathBuf>,
}

impl Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.files.iter().map(|file| file.display().to_string());
        f.write_str(&names.collect::<Vec<_>>().join("\n"))
    }
}

impl Report for Files {}

/// Prints what a tool found, or why it could not look, and makes the exit code.
pub fn finish<R: Report>(format: Format, answer: anyhow::Result<R>) -> ExitCode {
    let printed = answer.and_then(|report| {
        print(format, &report)?;
        Ok(report.is_sound())
    });
    match printed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failure(format, &error),
    }
}

/// Tells on stderr what went wrong.
pub fn failure(format: Format, error: &anyhow::Error) -> ExitCode {
    match format {
        Format::Text => eprintln!("gx: {error:#}"),
        Format::Json => {
            let faults = error.downcast_ref::<Faults>().map(Faults::list);
            let violations = faults.unwrap_or_default();
            eprintln!(
                "{}",
                json!({"error": format!("{error:#}"), "violations": violations})
            );
        }
    }
    ExitCode::FAILURE
}

/// Sends warnings and worse of the libraries to stderr; tools tell the rest.
pub fn logs() {
    // A second subscriber is refused; the first one serves as well.
    let _ = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(tracing::Level::WARN)
        .try_init();
}

fn print(format: Format, report: &impl Report) -> anyhow::Result<()> {
    let text = match format {
        Format::Text => report.to_string(),
        Format::Json => serde_json::to_string_pretty(report)?,
    };
    match writeln!(io::stdout().lock(), "{text}") {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
