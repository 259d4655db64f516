//! What others measure.

use crate::base::json::Number;
use crate::base::text::prefix;
use crate::pipeline::metrics::problem::Problem;

/// Readings of a source that are sent at most.
const MAX_READINGS: usize = 128;
const MAX_TROUBLES: usize = 4;
/// Bytes of a name and of a unit that are sent.
const NAME_LIMIT: usize = 100;
const UNIT_LIMIT: usize = 32;

/// Measures something once a second: see [`register`](crate::pipeline::metrics::register). Closures are
/// sources.
///
/// A source runs on a thread that is there for sources only, outside of every trace.
/// It is to be done within 50 ms: one that takes longer twice in a row, that has not
/// come back when the next second is due, or that panics is switched off, which the
/// tracer's log tells.
pub trait Source: Send + 'static {
    /// Takes the readings of this moment.
    fn sample(&mut self, readings: &mut Readings);

    /// True when what is measured is there no more: the source is unregistered then.
    /// Asked after each sample.
    fn is_over(&self) -> bool {
        false
    }
}

impl<F: FnMut(&mut Readings) + Send + 'static> Source for F {
    fn sample(&mut self, readings: &mut Readings) {
        self(readings);
    }
}

/// Takes what a [`Source`] reads: at most 128 readings, of which the first counts where
/// two have the same name. A name is cut to 100 bytes, a unit to 32.
///
/// A test of a source makes one of its own:
///
/// ```
/// use instana::metrics::{Number, Readings, Source};
///
/// let mut source = |readings: &mut Readings| readings.gauge("connections", "connections", 3);
/// let mut readings = Readings::default();
/// source.sample(&mut readings);
/// assert_eq!(readings.get("connections"), Some(Number::Integer(3)));
/// ```
#[derive(Debug, Default)]
pub struct Readings {
    readings: Vec<Reading>,
    problems: Vec<Problem>,
}

/// One figure with its name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) value: Value,
}

/// A figure that goes up and down, or one that is counted since the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    Counter(u64),
    Gauge(Number),
}

impl Readings {
    /// A figure of this moment. A unit is a word such as `tasks`, `bytes` or `ms`.
    pub fn gauge(&mut self, name: &str, unit: &str, value: impl Into<Number>) {
        let value = value.into();
        if value.is_finite() {
            self.add(name, unit, Value::Gauge(value));
        }
    }

    /// What was counted since the start: it only grows.
    pub fn counter(&mut self, name: &str, unit: &str, count: u64) {
        self.add(name, unit, Value::Counter(count));
    }

    /// Something is wrong with what is measured: an event of the service, and a line in
    /// the log, also the agent's. The same title is reported once in five minutes; at
    /// most 4 at a time.
    pub fn problem(&mut self, title: &str, text: &str) {
        if self.problems.len() < MAX_TROUBLES {
            self.problems.push(Problem {
                title: title.to_owned(),
                text: text.to_owned(),
            });
        }
    }

    /// The titles of what is wrong.
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        self.problems.iter().map(|problem| problem.title.as_str())
    }

    /// The reading of this name.
    pub fn get(&self, name: &str) -> Option<Number> {
        let reading = self.readings.iter().find(|reading| reading.name == name);
        Some(reading?.value.number())
    }

    /// The names of all readings.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.readings.iter().map(|reading| reading.name.as_str())
    }

    pub(super) fn into_inner(self) -> (Vec<Reading>, Vec<Problem>) {
        (self.readings, self.problems)
    }

    fn add(&mut self, name: &str, unit: &str, value: Value) {
        let reading = Reading::new(name, unit, value);
        let is_known = |known: &Reading| known.name == reading.name;
        if self.readings.len() < MAX_READINGS && !self.readings.iter().any(is_known) {
            self.readings.push(reading);
        }
    }
}

impl Reading {
    pub(super) fn new(name: &str, unit: &str, value: Value) -> Self {
        Self {
            name: name_of(name).to_owned(),
            unit: unit_of(unit).to_owned(),
            value,
        }
    }
}

impl Value {
    pub(super) fn number(self) -> Number {
        match self {
            Self::Counter(count) => Number::Unsigned(count),
            Self::Gauge(number) => number,
        }
    }
}

/// The part of a name that is kept.
pub(super) fn name_of(name: &str) -> &str {
    prefix(name.trim(), NAME_LIMIT)
}

/// The part of a unit that is kept.
pub(super) fn unit_of(unit: &str) -> &str {
    prefix(unit.trim(), UNIT_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_bounded_and_have_one_name_each() {
        let mut readings = Readings::default();
        readings.gauge(" depth ", "items", 3_u32);
        readings.gauge("depth", "items", 4);
        readings.gauge("nothing", "", f64::NAN);
        readings.counter(&"n".repeat(1_000), &"ü".repeat(40), 7);
        for n in 0..1_000 {
            readings.gauge(&n.to_string(), "", n);
        }
        let (readings, _) = readings.into_inner();
        assert_eq!(readings.len(), MAX_READINGS);
        let depth = Reading::new("depth", "items", Value::Gauge(Number::Unsigned(3)));
        assert_eq!(readings[0], depth);
        assert_eq!(readings[1].name.len(), NAME_LIMIT);
        assert_eq!(readings[1].unit, "ü".repeat(16));
    }
}
