//! The names of a setting: its variables, and its paths in a file or in the answer of
//! the agent.

use crate::config::tree::Tree;

/// An environment variable.
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "what is for the documentation is compared with it by a test"
    )
)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    /// What the value is, for the documentation.
    pub(crate) kind: &'static str,
    /// What is in force without it, for the documentation.
    pub(crate) default: &'static str,
    /// What it does, for the documentation.
    pub(crate) meaning: &'static str,
}

/// A path in a file or in the agent's answer.
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "what is for the documentation is compared with it by a test"
    )
)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    /// `*` stands for any name.
    pub(crate) name: &'static str,
    /// Which of the two have it.
    pub(crate) side: Side,
    /// What the value is, for the documentation.
    pub(crate) kind: &'static str,
    /// What it does, for the documentation.
    pub(crate) meaning: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Agent,
    Both,
}

impl Path {
    pub(crate) fn is_for(&self, tree: &Tree) -> bool {
        self.side == Side::Both || tree.file.is_none()
    }
}

/// One setting's names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    #[cfg_attr(not(test), expect(dead_code, reason = "for messages of tests"))]
    pub(crate) name: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "for the documentation's test"))]
    pub(crate) variables: &'static [Variable],
    pub(crate) paths: &'static [Path],
}

pub(super) const fn variable(
    name: &'static str,
    kind: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Variable {
    Variable {
        name,
        kind,
        default,
        meaning,
    }
}

pub(super) const fn both(name: &'static str, kind: &'static str, meaning: &'static str) -> Path {
    Path {
        name,
        side: Side::Both,
        kind,
        meaning,
    }
}

pub(super) const fn agents(name: &'static str, kind: &'static str, meaning: &'static str) -> Path {
    Path {
        name,
        side: Side::Agent,
        kind,
        meaning,
    }
}
