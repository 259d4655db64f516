//! The command line of the benchmarks' programs, for `cargo xtask bench`.

use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::*;
use serde_json::{Value, json};

#[cfg(feature = "clients")]
use crate::clients;
use crate::libraries;
use crate::work::{Library, Scenario};
use crate::{agent, count, documents, load, memory, saturated, wall};

const HELP: &str = "\
usage: benchmarks agent [--metrics]                     the discarding agent
       benchmarks libraries                             what is compiled in
       benchmarks count|allocations|wall LIBRARY SCENARIO [--bursts N] --agent ADDRESS
       benchmarks calls count|allocations LIBRARY CLIENT [--bursts N] --agent ADDRESS
       benchmarks saturated LIBRARY [--seconds N] --agent ADDRESS
       benchmarks serve LIBRARY --agent ADDRESS         an axum service on a socket
       benchmarks load ADDRESS [--seconds N]            requests for such a service
       benchmarks rest|full|idle [--seconds N] [--files N] --agent ADDRESS
       benchmarks documents [--bursts N]                serde_json, on the same spans

`cargo xtask bench` runs all of these.";

/// The libraries that are compiled in.
const LIBRARIES: &[&str] = &[
    "none",
    "instana",
    #[cfg(feature = "fastrace")]
    "fastrace",
    #[cfg(feature = "opentelemetry")]
    "opentelemetry",
    #[cfg(feature = "tracing")]
    "tracing",
    #[cfg(feature = "sentry")]
    "sentry",
    #[cfg(feature = "datadog")]
    "datadog",
    #[cfg(feature = "ibm")]
    "ibm",
];

/// Runs the program.
pub fn main() -> ExitCode {
    match Arguments::parse()
        .map_err(|error| error.to_string())
        .and_then(|arguments| arguments.run())
    {
        Ok(Value::Null) => ExitCode::SUCCESS,
        Ok(result) => {
            println!("{result}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("benchmarks: {error}");
            ExitCode::from(2)
        }
    }
}

#[derive(Debug)]
struct Arguments {
    words: Vec<String>,
    agent: String,
    bursts: u64,
    seconds: u64,
    files: usize,
    metrics: bool,
}

impl Arguments {
    fn parse() -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_env();
        let mut arguments = Self {
            words: Vec::new(),
            agent: String::new(),
            bursts: 2,
            seconds: 2,
            files: 0,
            metrics: false,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("agent") => arguments.agent = parser.value()?.string()?,
                Long("bursts") => arguments.bursts = parser.value()?.parse()?,
                Long("seconds") => arguments.seconds = parser.value()?.parse()?,
                Long("files") => arguments.files = parser.value()?.parse()?,
                Long("metrics") => arguments.metrics = true,
                Value(word) => arguments.words.push(word.string()?),
                other => return Err(other.unexpected()),
            }
        }
        Ok(arguments)
    }

    fn run(&self) -> Result<serde_json::Value, String> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let time = Duration::from_secs(self.seconds);
        match words.as_slice() {
            ["agent"] => agent::serve(self.metrics)
                .map(|()| Value::Null)
                .map_err(|error| error.to_string()),
            ["libraries"] => Ok(json!(LIBRARIES)),
            ["documents"] => Ok(documents::run(self.bursts)),
            ["rest"] => memory::at_rest(&self.agent, time),
            ["full"] => memory::without_agent(time),
            ["idle"] => memory::idle(&self.agent, time, self.files),
            ["load", address] => load::run(address, time),
            ["serve", library] => self.with(library, Task::Serve),
            ["saturated", library] => self.with(library, Task::Saturated(time)),
            #[cfg(feature = "clients")]
            ["calls", name, library, client] => {
                let (bursts, agent) = (self.bursts, &self.agent);
                let task = clients::Task {
                    name,
                    bursts,
                    agent,
                };
                task.run(library, client)
            }
            [task, library, scenario] => {
                let scenario = Scenario::parse(scenario)
                    .ok_or_else(|| format!("there is no scenario {scenario}"))?;
                let task = match *task {
                    "count" => Task::Count(scenario),
                    "allocations" => Task::Allocations(scenario),
                    "wall" => Task::Wall(scenario),
                    _ => return Err(format!("there is no task {task}")),
                };
                self.with(library, task)
            }
            _ => Err(HELP.to_owned()),
        }
    }

    /// Runs a task with the library of this name.
    fn with(&self, library: &str, task: Task) -> Result<Value, String> {
        match library {
            "none" => task.run(&libraries::none::Untraced, self.bursts),
            "instana" => task.run(
                &libraries::instana::Instana::announced(&self.agent)?,
                self.bursts,
            ),
            #[cfg(feature = "fastrace")]
            "fastrace" => task.run(&libraries::fastrace::Fastrace::start(), self.bursts),
            #[cfg(feature = "opentelemetry")]
            "opentelemetry" => task.run(
                &libraries::opentelemetry::OpenTelemetry::start(),
                self.bursts,
            ),
            #[cfg(feature = "tracing")]
            "tracing" => task.run(&libraries::tracing::Tracing::start()?, self.bursts),
            #[cfg(feature = "sentry")]
            "sentry" => task.run(&libraries::sentry::Sentry::start(), self.bursts),
            #[cfg(feature = "datadog")]
            "datadog" => task.run(&libraries::datadog::start(&self.agent), self.bursts),
            #[cfg(feature = "ibm")]
            "ibm" => task.run(&libraries::ibm::Ibm::start(&self.agent)?, self.bursts),
            _ => Err(format!("{library} is not compiled in: {LIBRARIES:?}")),
        }
    }
}

/// What is done with a library.
#[derive(Clone, Copy, Debug)]
enum Task {
    Count(Scenario),
    Allocations(Scenario),
    Wall(Scenario),
    Saturated(Duration),
    Serve,
}

impl Task {
    /// `null` where the library has no such scenario.
    fn run<L: Library>(self, library: &L, bursts: u64) -> Result<Value, String> {
        Ok(match self {
            Self::Count(scenario) => {
                let iterations = bursts * scenario.burst();
                match count::bursts(library, scenario, bursts) {
                    true => {
                        json!({ "iterations": iterations, "exported": library.counts().exported })
                    }
                    false => Value::Null,
                }
            }
            Self::Allocations(scenario) => {
                json!(count::allocations(library, scenario, bursts))
            }
            Self::Wall(scenario) => json!(wall::median(library, scenario, bursts)),
            Self::Saturated(time) => saturated::run(library, time),
            Self::Serve => return load::serve(library).map(|()| Value::Null),
        })
    }
}
