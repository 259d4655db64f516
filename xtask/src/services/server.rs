//! What native servers have in common.

use std::process::Command;

use super::place::Place;
use crate::debian::Packages;

/// How a service is run without Docker.
pub(crate) trait Server: Sync {
    /// Where it comes from on Debian.
    fn packages(&self) -> Packages;

    /// Whether all programs are there.
    fn is_installed(&self) -> bool;

    /// Its processes: names of the files with their numbers and logs.
    fn processes(&self) -> &'static [&'static str];

    /// The packages' user for it, where it refuses to be root.
    fn user(&self) -> Option<&'static str> {
        None
    }

    /// What makes it end soon.
    fn signal(&self) -> &'static str {
        "TERM"
    }

    /// Makes its data, where there are none.
    fn prepare(&self, place: &Place) -> Result<(), String>;

    /// One command a process, in the same order.
    fn commands(&self, place: &Place) -> Result<Vec<Command>, String>;

    /// What is left to do once its processes run.
    fn join(&self, _place: &Place) -> Result<(), String> {
        Ok(())
    }

    /// Whether it answers as tests expect it; the error is what it said.
    fn ready(&self, place: &Place) -> Result<(), String>;
}
