//! The command line.

use lexopt::prelude::*;

use crate::services::Service;

pub(crate) const HELP: &str = "\
usage: cargo xtask <task>

  test    everything a change has to pass: format, lints, all tests (it brings
          up the services they need), documentation, every published crate on
          its own, the dependency rules; ends with one summary. Options:
          --kafka mock      Kafka's tests without a broker, as in `services`
          --native          services without Docker
  check   the same without the tests
  bench   the benchmarks, side by side with other libraries: tables. Options:
          --docs            puts the tables into docs/PERFORMANCE.md
          --json            writes target/bench.json, too
          --ours            this tracer and no tracing only
          --long            full load without an agent for 10 minutes, not 30 s
          --check           instructions and allocations of this tracer against
                            benchmarks/baseline.json
          --write-baseline  makes today's figures the baseline
          --footprint       binary size, compile time and dependencies; with
                            `--only CRATE` of one crate
  sanitize
          core's tests under the thread and the address sanitizer, on stable Rust:
          Linux on x86-64 or aarch64, a C linker, some minutes
  services up|down|status [NAME…]
          the servers that tests and examples talk to: in containers where a
          Docker engine runs, natively on Debian otherwise. `up` prints their
          URLs; a server whose variable is set is used as it is. Names:
          postgres, mariadb, redis, redis-cluster, redis-sentinel, kafka, aws;
          none is all. Options:
          --kafka mock      no broker: tests use librdkafka's mock of a cluster
          --native          without Docker
          --purge           with `down`: data, too
  help    this text";

pub(crate) struct Options {
    pub(crate) task: Task,
}

pub(crate) enum Task {
    Bench(Bench),
    Check,
    Help,
    Sanitize,
    Services(Services),
    Test(How),
}

/// What `services` does, and to which; none named is all.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) action: Action,
    pub(crate) names: Vec<Service>,
    pub(crate) how: How,
    pub(crate) purge: bool,
}

/// How services are brought up.
#[derive(Debug, Default)]
pub(crate) struct How {
    pub(crate) kafka: KafkaKind,
    /// Without Docker, also where it is there.
    pub(crate) native: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum KafkaKind {
    #[default]
    Broker,
    /// librdkafka's, inside of each test.
    Mock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Down,
    Status,
    Up,
}

/// How `bench` runs.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    pub(crate) check: bool,
    pub(crate) docs: bool,
    pub(crate) footprint: bool,
    pub(crate) json: bool,
    pub(crate) long: bool,
    /// The crate whose footprint is measured.
    pub(crate) only: Option<String>,
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
                Long("kafka") => {
                    let how = match &mut task {
                        Some(Task::Services(services)) => &mut services.how,
                        Some(Task::Test(how)) => how,
                        _ => return Err("--kafka is no option here".into()),
                    };
                    how.kafka = match parser.value()?.to_str() {
                        Some("broker") => KafkaKind::Broker,
                        Some("mock") => KafkaKind::Mock,
                        _ => return Err("--kafka mock, or --kafka broker?".into()),
                    };
                }
                Long("only") => match &mut task {
                    Some(Task::Bench(bench)) => bench.only = Some(parser.value()?.string()?),
                    _ => return Err("--only is no option here".into()),
                },
                Long(name) => {
                    let option = match &mut task {
                        Some(Task::Bench(bench)) => bench.option(name),
                        Some(Task::Services(services)) => services.option(name),
                        Some(Task::Test(how)) => how.option(name),
                        _ => None,
                    };
                    match option {
                        Some(option) => *option = true,
                        None => return Err(format!("--{name} is no option here").into()),
                    }
                }
                Value(name) if task.is_none() => {
                    task = Some(match name.to_str() {
                        Some("bench") => Task::Bench(Bench::default()),
                        Some("check") => Task::Check,
                        Some("help") => Task::Help,
                        Some("sanitize") => Task::Sanitize,
                        Some("services") => Task::Services(Services::parse(&mut parser)?),
                        Some("test") => Task::Test(How::default()),
                        _ => return Err(format!("there is no task {name:?}").into()),
                    });
                }
                Value(name) => match (&mut task, name.to_str()) {
                    (Some(Task::Services(services)), Some(name)) => {
                        services.names.push(Service::named(name)?);
                    }
                    _ => return Err(Value(name).unexpected()),
                },
                other @ Short(_) => return Err(other.unexpected()),
            }
        }
        Ok(Self {
            task: task.ok_or("which task?")?,
        })
    }
}

impl Services {
    /// Reads what to do; names and options follow.
    fn parse(parser: &mut lexopt::Parser) -> Result<Self, lexopt::Error> {
        let action = parser.value().map_err(|_| "services up, down or status?")?;
        let action = match action.to_str() {
            Some("down") => Action::Down,
            Some("status") => Action::Status,
            Some("up") => Action::Up,
            _ => return Err("services up, down or status?".into()),
        };
        Ok(Self {
            action,
            names: Vec::new(),
            how: How::default(),
            purge: false,
        })
    }

    fn option(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "purge" if self.action == Action::Down => Some(&mut self.purge),
            _ => self.how.option(name),
        }
    }
}

impl How {
    fn option(&mut self, name: &str) -> Option<&mut bool> {
        (name == "native").then_some(&mut self.native)
    }
}

impl Bench {
    /// The switch of this name.
    fn option(&mut self, name: &str) -> Option<&mut bool> {
        let option = match name {
            "check" => &mut self.check,
            "docs" => &mut self.docs,
            "footprint" => &mut self.footprint,
            "json" => &mut self.json,
            "long" => &mut self.long,
            "ours" => &mut self.ours,
            "write-baseline" => &mut self.write_baseline,
            _ => return None,
        };
        Some(option)
    }
}
