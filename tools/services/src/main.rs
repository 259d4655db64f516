//! The servers that tests and examples talk to: `cargo xtask services` and `cargo xtask test`
//! run this program.
#![forbid(unsafe_code)]

mod command;
mod compose;
mod debian;
mod folders;
mod native;
mod place;
mod process;
mod resp;
mod servers;
mod service;
mod status;
mod supervisor;
mod tools;
mod urls;
mod user;
mod variables;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::service::Service;

/// The servers that tests and examples talk to: in containers where a Docker engine runs,
/// natively on Debian otherwise.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask services", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Starts servers and prints their URLs; a server whose variable is set is used as it is
    Up {
        #[command(flatten)]
        which: Which,
        /// Prints what was done as JSON, for `cargo xtask test`
        #[arg(long, hide = true)]
        json: bool,
    },
    /// Stops the servers that were started here
    Down {
        #[command(flatten)]
        which: Which,
        /// Removes data, too
        #[arg(long)]
        purge: bool,
    },
    /// Shows how the servers are
    Status {
        #[command(flatten)]
        which: Which,
    },
    /// Installs Debian's packages of these names
    #[command(hide = true)]
    Packages { names: Vec<String> },
}

#[derive(Args, Debug)]
struct Which {
    /// postgres, mariadb, redis, redis-cluster, redis-sentinel, kafka, aws; none is all
    #[arg(value_parser = Service::named)]
    names: Vec<&'static Service>,
    #[command(flatten)]
    how: How,
}

/// How servers are brought up.
#[derive(Args, Debug, Default)]
struct How {
    /// `mock`: no broker, tests use librdkafka's mock of a cluster
    #[arg(long, value_enum, default_value_t)]
    kafka: KafkaKind,
    /// Without Docker
    #[arg(long)]
    native: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum KafkaKind {
    #[default]
    Broker,
    /// librdkafka's, inside each test.
    Mock,
}

impl Which {
    fn services(&self) -> &[&'static Service] {
        match self.names.as_slice() {
            [] => &service::ALL,
            names => names,
        }
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse().action) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(action: Action) -> Result<(), String> {
    // Paths are those of the repository, wherever the program is started.
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    std::env::set_current_dir(root).map_err(|error| format!("{root}: {error}"))?;
    match action {
        Action::Down { which, purge } => supervisor::down(which.services(), purge),
        Action::Packages { names } => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            debian::install(&names, &[])
        }
        Action::Status { which } => {
            let states = supervisor::states(which.services(), &which.how)?;
            print!("{}", status::render(&states));
            Ok(())
        }
        Action::Up { which, json } => {
            let up = supervisor::up(which.services(), &which.how);
            if json {
                println!("{}", up.to_json());
                return Ok(());
            }
            print!("{}", up.to_shell());
            match up.failures.as_slice() {
                [] => Ok(()),
                failures => Err(failures.join("\n")),
            }
        }
    }
}
