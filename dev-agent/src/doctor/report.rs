//! `Report`: the facts and diagnoses of an examination.

use serde_json::{Value, json};

use super::code::Code;
use crate::text::clean;

/// Something the doctor found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What it is.
    pub code: Code,
    /// What was seen, in one line.
    pub finding: String,
}

/// Something that was checked and is right, or is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fact {
    /// What was checked.
    pub check: &'static str,
    /// What was seen, in one line.
    pub text: String,
}

/// The outcome of an examination.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Host and port of the agent that was examined.
    pub agent: String,
    /// The plugin that was announced.
    pub plugin: String,
    /// What was seen, in the order of the checks.
    pub facts: Vec<Fact>,
    /// What was found, in the order of the checks: problems and notes.
    pub diagnoses: Vec<Diagnosis>,
    /// For each of them in the order of the checks, whether it is a fact.
    order: Vec<bool>,
}

/// Something that was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seen<'a> {
    Diagnosis(&'a Diagnosis),
    Fact(&'a Fact),
}

impl Report {
    /// Facts and diagnoses in the order of the checks.
    pub(crate) fn seen(&self) -> impl Iterator<Item = Seen<'_>> {
        let (mut facts, mut diagnoses) = (self.facts.iter(), self.diagnoses.iter());
        self.order.iter().filter_map(move |is_fact| match is_fact {
            true => facts.next().map(Seen::Fact),
            false => diagnoses.next().map(Seen::Diagnosis),
        })
    }

    /// The problems: diagnoses that are no notes.
    pub fn problems(&self) -> impl Iterator<Item = &Diagnosis> {
        self.diagnoses.iter().filter(|found| !found.code.is_note())
    }

    /// The codes of all that was found, notes included.
    #[must_use]
    pub fn codes(&self) -> Vec<Code> {
        self.diagnoses.iter().map(|found| found.code).collect()
    }

    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let diagnoses: Vec<_> = self.diagnoses.iter().map(Diagnosis::to_json).collect();
        let facts: Vec<_> = self
            .facts
            .iter()
            .map(|fact| json!({"check": fact.check, "text": fact.text}))
            .collect();
        json!({
            "agent": self.agent, "plugin": self.plugin, "problems": self.problems().count(),
            "diagnoses": diagnoses, "facts": facts,
        })
    }

    pub(super) fn fact(&mut self, check: &'static str, text: impl Into<String>) {
        let text = clean(&text.into());
        self.facts.push(Fact { check, text });
        self.order.push(true);
    }

    pub(super) fn found(&mut self, diagnosis: Diagnosis) {
        self.diagnoses.push(diagnosis);
        self.order.push(false);
    }
}

impl Diagnosis {
    pub(super) fn new(code: Code, finding: impl Into<String>) -> Self {
        let finding = clean(&finding.into());
        Self { code, finding }
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        self.code.fix()
    }

    /// The diagnosis as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "code": self.code.name(), "note": self.code.is_note(),
            "finding": self.finding, "fix": self.fix(),
        })
    }
}
