//! The command line.

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
usage: cargo xtask <task>

  test    everything a change has to pass: format, lints, all tests (they bring
          up what they need), documentation, every published crate on its own,
          the dependency rules; ends with one summary
  check   the same without the tests
  help    this text";

pub(crate) struct Options {
    pub(crate) task: Task,
}

pub(crate) enum Task {
    Check,
    Help,
    Test,
}

impl Options {
    pub(crate) fn parse() -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_env();
        let mut task = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => task = Some(Task::Help),
                Value(name) if task.is_none() => {
                    task = Some(match name.to_str() {
                        Some("check") => Task::Check,
                        Some("help") => Task::Help,
                        Some("test") => Task::Test,
                        _ => return Err(format!("there is no task {name:?}").into()),
                    });
                }
                other => return Err(other.unexpected()),
            }
        }
        Ok(Self {
            task: task.ok_or("which task?")?,
        })
    }
}
