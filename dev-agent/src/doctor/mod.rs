//! Finds out why a process does not show up in Instana. It checks from outside what the
//! //! tracer depends on: the environment, the way to the agent, and the agent's answers.
//!
//! ```
//! use instana_dev_agent::doctor::{Code, Doctor};
//!
//! // Nothing listens at port 1.
//! let report = Doctor::new().agent("127.0.0.1").port(1).gateway(false).examine();
//! assert!(report.problems().any(|problem| problem.code == Code::ConnectRefused));
//! ```
//!
//! # What it does to the agent
//!
//! The doctor announces itself: its own pid, its own socket, and `doctor` as its only
//! argument. It never uses the pid of another process, because the agent would take that
//! for a restart of the process. It asks whether the agent is ready and sends arrays
//! without a span. It sends no metrics: they would make a runtime entity. The agent
//! forgets the process by itself when the doctor has //! ended. If the agent refuses the
//! plugin's name, the doctor //! announces itself once more as `golang`.

mod announce;
mod answer;
mod budget;
mod code;
mod config_file;
mod connection;
mod environment;
mod examination;
mod failure;
mod process;
mod reach;
mod report;
mod spans;
mod surroundings;
#[cfg(test)]
mod tests;
mod tls;
mod value;
mod variables;

pub use self::code::Code;
pub use self::examination::Doctor;
pub(crate) use self::report::Seen;
pub use self::report::{Diagnosis, Fact, Report};
