//! The command line.

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
usage: cargo xtask <task>

  test    everything a change has to pass: format, lints, all tests (they bring
          up what they need), documentation, every published crate on its own,
          the dependency rules; ends with one summary
  check   the same without the tests
  bench   the benchmarks, side by side with other libraries: tables. Options:
          --docs            puts the tables into docs/PERFORMANCE.md
          --json            writes target/bench.json, too
          --ours            this tracer and no tracing only
          --long            full load without an agent for 10 minutes, not 30 s
          --check           instructions and allocations of this tracer against
                            benchmarks/baseline.json
          --write-baseline  makes today's figures the baseline
          --footprint       binary size, compile time and dependencies
  help    this text";

pub(crate) struct Options {
    pub(crate) task: Task,
}

pub(crate) enum Task {
    Bench(Bench),
    Check,
    Help,
    Test,
}

/// How `bench` runs.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    pub(crate) check: bool,
    pub(crate) docs: bool,
    pub(crate) footprint: bool,
    pub(crate) json: bool,
    pub(crate) long: bool,
    pub(crate) ours: bool,
    pub(crate) write_baseline: bool,
}

impl Options {
    pub(crate) fn parse() -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_env();
        let mut task = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => task = Some(Task::Help),
                Long(name) => {
                    let known = match &mut task {
                        Some(Task::Bench(bench)) => bench.set(name),
                        _ => false,
                    };
                    if !known {
                        return Err(format!("--{name} is no option here").into());
                    }
                }
                Value(name) if task.is_none() => {
                    task = Some(match name.to_str() {
                        Some("bench") => Task::Bench(Bench::default()),
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

impl Bench {
    /// Switches an option on; false where there is none of this name.
    fn set(&mut self, name: &str) -> bool {
        let option = match name {
            "check" => &mut self.check,
            "docs" => &mut self.docs,
            "footprint" => &mut self.footprint,
            "json" => &mut self.json,
            "long" => &mut self.long,
            "ours" => &mut self.ours,
            "write-baseline" => &mut self.write_baseline,
            _ => return false,
        };
        *option = true;
        true
    }
}
