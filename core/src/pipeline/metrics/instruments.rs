//! Gauges and counters of the application.

use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::json::Number;
use crate::base::log;
use crate::pipeline::metrics::source::{Reading, Value, name_of, unit_of};

/// Gauges and counters of a process.
const MAX_INSTRUMENTS: usize = 1_000;

/// Gauges that were never set: no number.
const UNSET: u64 = f64::NAN.to_bits();

static INSTRUMENTS: Mutex<Instruments> = Mutex::new(Instruments::new());

/// A figure that goes up and down, such as the length of a queue: sent with each
/// second's metrics once it is set. `unit` is a word such as `items`, `bytes` or `ms`.
///
/// The same name is the same gauge, with the unit of the first. A process has at most
/// 1,000 gauges and counters; what is beyond, or a gauge with the name of a counter,
/// works and is not sent, which the log tells once. Finding one by its name takes a lock:
/// keep the gauge.
///
/// ```
/// let depth = instana::gauge("queue_depth", "items");
/// depth.set(3);
/// depth.add(1);
/// assert_eq!(depth.value(), Some(4.0));
/// ```
pub fn gauge(name: &str, unit: &str) -> Gauge {
    Gauge(instrument(name, unit, Kind::Gauge))
}

/// Something that is counted, such as orders: sent with each second's metrics from
/// its first call on. As [`gauge`] in all else.
///
/// ```
/// let orders = instana::counter("orders", "orders");
/// orders.increment();
/// orders.add(2);
/// assert_eq!(orders.value(), 3);
/// ```
pub fn counter(name: &str, unit: &str) -> Counter {
    Counter(instrument(name, unit, Kind::Counter))
}

/// Made by [`gauge`]. Setting it is one store.
#[derive(Clone)]
pub struct Gauge(Arc<Instrument>);

/// Made by [`counter`]. Counting is one atomic addition.
#[derive(Clone)]
pub struct Counter(Arc<Instrument>);

#[derive(Debug)]
pub(super) struct Instrument {
    name: String,
    unit: String,
    kind: Kind,
    /// The bits of a gauge's `f64`.
    value: AtomicU64,
    /// It was logged that somebody asked for the other kind.
    is_told: AtomicBool,
}

/// All of a process.
#[derive(Debug)]
pub(super) struct Instruments {
    all: Vec<Arc<Instrument>>,
    /// It was logged that there are too many.
    is_told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
}

impl Gauge {
    /// The figure of now.
    pub fn set(&self, value: impl Into<Number>) {
        let value = value.into().float();
        self.0.value.store(value.to_bits(), Ordering::Relaxed);
    }

    /// So much more, or less below 0. One that was never set begins at 0.
    pub fn add(&self, difference: impl Into<Number>) {
        let difference = difference.into().float();
        let sum = |bits| {
            let value = f64::from_bits(bits);
            let value = if value.is_nan() { 0.0 } else { value };
            Some((value + difference).to_bits())
        };
        // It never refuses.
        let _ = self
            .0
            .value
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
    }

    /// The figure of now; `None` where there is none yet.
    pub fn value(&self) -> Option<f64> {
        let value = f64::from_bits(self.0.value.load(Ordering::Relaxed));
        Some(value).filter(|value| !value.is_nan())
    }
}

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, count: u64) {
        self.0.value.fetch_add(count, Ordering::Relaxed);
    }

    /// All since the start of the process.
    pub fn value(&self) -> u64 {
        self.0.value.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge")
            .field("name", &self.0.name)
            .field("value", &self.value())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter")
            .field("name", &self.0.name)
            .field("value", &self.value())
            .finish_non_exhaustive()
    }
}

impl Instrument {
    /// `None` for a gauge that has no number.
    fn read(&self) -> Option<Reading> {
        let bits = self.value.load(Ordering::Relaxed);
        let value = match self.kind {
            Kind::Counter => Value::Counter(bits),
            Kind::Gauge => Value::Gauge(number(f64::from_bits(bits))?),
        };
        Some(Reading::new(&self.name, &self.unit, value))
    }
}

/// Whole numbers are shorter without a point.
fn number(value: f64) -> Option<Number> {
    const EXACT: f64 = 9e15;
    if value.fract() == 0.0 && value.abs() < EXACT {
        return Some(Number::Integer(value as i64));
    }
    Some(Number::Float(value)).filter(|number| number.is_finite())
}

impl Instruments {
    const fn new() -> Self {
        Self {
            all: Vec::new(),
            is_told: false,
        }
    }

    /// The known one, or the new one, and why it is not sent, where that is news.
    fn find(&mut self, new: Instrument) -> (Arc<Instrument>, Option<&'static str>) {
        let known = self.all.iter().find(|known| known.name == new.name);
        let (why, was_told) = match known {
            Some(known) if known.kind == new.kind => return (Arc::clone(known), None),
            Some(known) => {
                let was_told = known.is_told.swap(true, Ordering::Relaxed);
                ("the name is taken by the other kind", was_told)
            }
            None if self.all.len() >= MAX_INSTRUMENTS => {
                let was_told = mem::replace(&mut self.is_told, true);
                ("there are too many", was_told)
            }
            None => {
                let new = Arc::new(new);
                self.all.push(Arc::clone(&new));
                return (new, None);
            }
        };
        (Arc::new(new), (!was_told).then_some(why))
    }
}

fn instrument(name: &str, unit: &str, kind: Kind) -> Arc<Instrument> {
    let new = Instrument {
        name: name_of(name).to_owned(),
        unit: unit_of(unit).to_owned(),
        kind,
        value: AtomicU64::new(match kind {
            Kind::Counter => 0,
            Kind::Gauge => UNSET,
        }),
        is_told: AtomicBool::new(false),
    };
    let (found, why) = hold().find(new);
    if let Some(why) = why {
        log::tell(format_args!("the metric {} is not sent: {why}", found.name));
    }
    found
}

/// The lock of gauges and counters.
pub(super) type InstrumentsGuard = MutexGuard<'static, Instruments>;

/// Keeps everybody else out.
pub(super) fn hold() -> InstrumentsGuard {
    INSTRUMENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All that have a value.
pub(super) fn read() -> Vec<Reading> {
    hold().all.iter().filter_map(|one| one.read()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(name: &str) -> Option<Reading> {
        read().into_iter().find(|reading| reading.name == name)
    }

    #[test]
    fn the_same_name_is_the_same_gauge() {
        let one = gauge("of one name", "items");
        assert_eq!(reading("of one name"), None, "there is no figure yet");
        one.add(-2);
        let other = gauge(" of one name ", "pieces");
        other.add(0.5);
        assert_eq!(one.value(), Some(-1.5));
        let expected = Value::Gauge(Number::Float(-1.5));
        assert_eq!(
            reading("of one name"),
            Some(Reading::new("of one name", "items", expected))
        );
        one.set(f64::INFINITY);
        assert_eq!(reading("of one name"), None);
        one.set(3);
        let expected = Value::Gauge(Number::Integer(3));
        assert_eq!(reading("of one name").unwrap().value, expected);
    }

    #[test]
    fn a_counter_is_no_gauge() {
        let count = counter("a counter", "calls");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| count.increment()));
            }
        });
        assert_eq!(count.value(), 4_000);
        let wrong = gauge("a counter", "calls");
        wrong.set(1);
        assert_eq!(wrong.value(), Some(1.0), "it works, alone");
        let expected = Value::Counter(4_000);
        assert_eq!(reading("a counter").unwrap().value, expected);
    }

    #[test]
    fn what_is_not_sent_is_told_once() {
        let new = |name: &str, kind| Instrument {
            name: name.to_owned(),
            unit: String::new(),
            kind,
            value: AtomicU64::new(0),
            is_told: AtomicBool::new(false),
        };
        let mut instruments = Instruments::new();
        let mut why = |name: &str, kind| instruments.find(new(name, kind)).1;
        for number in 0..MAX_INSTRUMENTS {
            assert_eq!(why(&number.to_string(), Kind::Counter), None);
        }
        assert_eq!(why("7", Kind::Counter), None, "it is known");
        let taken = "the name is taken by the other kind";
        for name in ["7", "8"] {
            assert_eq!(why(name, Kind::Gauge), Some(taken));
            assert_eq!(why(name, Kind::Gauge), None);
        }
        assert_eq!(why("further", Kind::Gauge), Some("there are too many"));
        assert_eq!(why("another", Kind::Gauge), None);
        assert_eq!(instruments.all.len(), MAX_INSTRUMENTS);
    }
}
