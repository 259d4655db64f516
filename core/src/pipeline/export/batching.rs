//! Span batching: short database calls of one parent, close to each other, are
//! sent as one (docs/PROTOCOL.md, "Batching").

use std::collections::HashMap;

/// Families whose spans are batched (as in Node.js).
const NAMES: [&str; 6] = [
    "elasticsearch",
    "mongo",
    "mssql",
    "mysql",
    "postgres",
    "redis",
];

/// Milliseconds: what takes less is short, and closer than that is close.
const SHORT: u64 = 10;

/// Milliseconds: the index has a bucket for as many.
const BUCKET: u64 = 18;

/// A span as batching sees it. Times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) trace: u64,
    /// 0: a root.
    pub(super) parent: u64,
    pub(super) name: &'static str,
    pub(crate) start: u64,
    pub(crate) duration: u64,
    pub(crate) errors: u64,
    /// The number of calls that the span stands for by itself, as a pipeline does.
    pub(super) size: Option<u64>,
}

impl Call {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.duration)
    }

    fn is_short(&self) -> bool {
        self.duration < SHORT && self.parent != 0 && NAMES.contains(&self.name)
    }
}

/// What is sent of a span instead of its own figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) start: u64,
    pub(crate) duration: u64,
    pub(crate) errors: u64,
    /// `b.s`: the number of calls.
    pub(crate) size: u64,
    /// `b.d`: their durations together.
    pub(crate) busy: u64,
}

/// What becomes of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is sent as it is.
    Alone,
    /// It is sent for others, too.
    Survivor(Batch),
    /// Another one stands for it.
    Absorbed,
}

/// Decides what becomes of each of the spans of one request.
pub(super) fn batch(calls: &[Call]) -> Vec<Fate> {
    let mut batches = Batches::default();
    for (index, call) in calls.iter().enumerate() {
        if call.is_short() {
            batches.add(index, call);
        }
    }
    let mut fates = vec![Fate::Alone; calls.len()];
    for open in batches.open {
        for index in open.absorbed {
            set(&mut fates, index, Fate::Absorbed);
        }
        if let Some(batch) = open.batch {
            set(&mut fates, open.survivor, Fate::Survivor(batch));
        }
    }
    fates
}

fn set(fates: &mut [Fate], index: usize, fate: Fate) {
    if let Some(place) = fates.get_mut(index) {
        *place = fate;
    }
}

/// The batches of a request, found by trace, parent, name and bucket of their end.
#[derive(Debug, Default)]
struct Batches {
    open: Vec<Open>,
    buckets: HashMap<(u64, u64, &'static str, u64), Vec<usize>>,
}

/// A span, or the one that stands for several.
#[derive(Debug)]
struct Open {
    survivor: usize,
    /// The survivor's own.
    errors: u64,
    duration: u64,
    start: u64,
    /// All of them, as one.
    whole: Call,
    batch: Option<Batch>,
    absorbed: Vec<usize>,
}

impl Batches {
    fn add(&mut self, index: usize, call: &Call) {
        let bucket = call.end() / BUCKET;
        let key = |bucket| (call.trace, call.parent, call.name, bucket);
        let found = [Some(bucket), bucket.checked_sub(1)]
            .into_iter()
            .flatten()
            .find_map(|bucket| {
                let places = self.buckets.get_mut(&key(bucket))?;
                let is_close = |place: &usize| {
                    let open = self.open.get(*place);
                    open.is_some_and(|open| are_close(&open.whole, call))
                };
                let first = places.iter().copied().filter(is_close).min()?;
                places.retain(|place| *place != first);
                Some(first)
            });
        let place = found.unwrap_or(self.open.len());
        match self.open.get_mut(place) {
            Some(open) => open.absorb(index, call),
            None => self.open.push(Open::new(index, call)),
        }
        if let Some(open) = self.open.get(place) {
            let bucket = open.whole.end() / BUCKET;
            self.buckets.entry(key(bucket)).or_default().push(place);
        }
    }
}

impl Open {
    fn new(index: usize, call: &Call) -> Self {
        Self {
            survivor: index,
            errors: call.errors,
            duration: call.duration,
            start: call.start,
            whole: *call,
            batch: None,
            absorbed: Vec::new(),
        }
    }

    /// The more significant of the two survives: by errors, then by duration,
    /// then by time.
    fn absorb(&mut self, index: usize, call: &Call) {
        let (own, other) = (
            (self.errors, self.duration, std::cmp::Reverse(self.start)),
            (call.errors, call.duration, std::cmp::Reverse(call.start)),
        );
        if other > own {
            self.absorbed.push(self.survivor);
            self.survivor = index;
            (self.errors, self.duration, self.start) = (call.errors, call.duration, call.start);
        } else {
            self.absorbed.push(index);
        }
        let before = self.batch.map_or(
            (self.whole.size.unwrap_or(1), self.whole.duration),
            |batch| (batch.size, batch.busy),
        );
        let start = self.whole.start.min(call.start);
        let end = self.whole.end().max(call.end());
        self.whole.start = start;
        self.whole.duration = end - start;
        self.whole.errors = self.whole.errors.saturating_add(call.errors);
        self.batch = Some(Batch {
            start,
            duration: self.whole.duration,
            errors: self.whole.errors,
            size: before.0.saturating_add(call.size.unwrap_or(1)),
            busy: before.1.saturating_add(call.duration),
        });
    }
}

/// True where the later one begins less than ten milliseconds behind the end of
/// the earlier one.
fn are_close(a: &Call, b: &Call) -> bool {
    let (earlier, later) = if a.start <= b.start { (a, b) } else { (b, a) };
    later.start < earlier.end().saturating_add(SHORT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(start: u64, duration: u64, errors: u64) -> Call {
        Call {
            trace: 1,
            parent: 2,
            name: "redis",
            start,
            duration,
            errors,
            size: None,
        }
    }

    fn survivor(start: u64, duration: u64, errors: u64, size: u64, busy: u64) -> Fate {
        Fate::Survivor(Batch {
            start,
            duration,
            errors,
            size,
            busy,
        })
    }

    #[test]
    fn calls_close_to_each_other_are_one() {
        let calls = [call(100, 2, 0), call(103, 5, 0), call(110, 1, 0)];
        let expected = [Fate::Absorbed, survivor(100, 11, 0, 3, 8), Fate::Absorbed];
        assert_eq!(batch(&calls), expected, "the longest survives");
    }

    #[test]
    fn errors_survive_and_are_added() {
        let calls = [call(100, 5, 0), call(105, 1, 1), call(106, 2, 1)];
        let expected = [Fate::Absorbed, Fate::Absorbed, survivor(100, 8, 2, 3, 8)];
        assert_eq!(batch(&calls), expected);
    }

    #[test]
    fn of_equals_the_earlier_survives() {
        let calls = [call(103, 2, 0), call(100, 2, 0)];
        assert_eq!(batch(&calls), [Fate::Absorbed, survivor(100, 5, 0, 2, 4)]);
    }

    #[test]
    fn pipelines_count_as_what_they_stand_for() {
        let mut pipeline = call(100, 3, 0);
        pipeline.size = Some(4);
        let calls = [pipeline, call(104, 1, 0)];
        assert_eq!(batch(&calls), [survivor(100, 5, 0, 5, 4), Fate::Absorbed]);
    }

    #[test]
    fn what_differs_or_is_long_or_far_stays_alone() {
        let first = call(100, 2, 0);
        for other in [
            Call { trace: 9, ..first },
            Call { parent: 9, ..first },
            Call { parent: 0, ..first },
            Call {
                name: "mysql",
                ..first
            },
            Call {
                name: "http",
                ..first
            },
            call(102, 10, 0),
            call(112, 1, 0),
        ] {
            assert_eq!(batch(&[first, other]), [Fate::Alone; 2], "{other:?}");
        }
        assert_ne!(batch(&[first, call(111, 1, 0)]), [Fate::Alone; 2]);
    }

    #[test]
    fn a_long_row_of_calls_is_one_batch() {
        let calls: Vec<Call> = (0..100).map(|n| call(1_000 + n * 7, 3, 0)).collect();
        let fates = batch(&calls);
        assert_eq!(fates[0], survivor(1_000, 99 * 7 + 3, 0, 100, 300));
        assert!(fates[1..].iter().all(|fate| *fate == Fate::Absorbed));
    }

    /// The rules as they are written down, without an index.
    fn model(calls: &[Call]) -> Vec<Fate> {
        let mut groups: Vec<(Vec<usize>, Call)> = Vec::new();
        for (index, call) in calls.iter().enumerate().filter(|(_, call)| call.is_short()) {
            let bucket = call.end() / BUCKET;
            let matches = |wanted: u64| {
                move |(_, whole): &(Vec<usize>, Call)| {
                    whole.end() / BUCKET == wanted
                        && (whole.trace, whole.parent, whole.name)
                            == (call.trace, call.parent, call.name)
                        && are_close(whole, call)
                }
            };
            let own = groups.iter().position(matches(bucket));
            let found = own.or_else(|| groups.iter().position(matches(bucket.checked_sub(1)?)));
            match found {
                None => groups.push((vec![index], *call)),
                Some(at) => {
                    let (members, whole) = &mut groups[at];
                    members.push(index);
                    let end = whole.end().max(call.end());
                    whole.start = whole.start.min(call.start);
                    whole.duration = end - whole.start;
                }
            }
        }
        let mut fates = vec![Fate::Alone; calls.len()];
        for (members, whole) in groups.iter().filter(|(members, _)| members.len() > 1) {
            let sum = |of: fn(&Call) -> u64| members.iter().map(|index| of(&calls[*index])).sum();
            let best = members.iter().max_by_key(|index| {
                let call = &calls[**index];
                let earlier = std::cmp::Reverse((call.start, **index));
                (call.errors, call.duration, earlier)
            });
            for index in members {
                fates[*index] = Fate::Absorbed;
            }
            fates[*best.unwrap()] = Fate::Survivor(Batch {
                start: whole.start,
                duration: whole.duration,
                errors: sum(|call| call.errors),
                size: sum(|call| call.size.unwrap_or(1)),
                busy: sum(|call| call.duration),
            });
        }
        fates
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_does_what_the_rules_say(
            calls in prop::collection::vec(
                (1_u64..3, 0_u64..3, 0_usize..3, 0_u64..120, 0_u64..12, 0_u64..2, prop::option::of(2_u64..5)),
                0..40,
            )
        ) {
            let calls: Vec<Call> = calls
                .into_iter()
                .map(|(trace, parent, name, start, duration, errors, size)| Call {
                    trace,
                    parent,
                    name: ["redis", "postgres", "http"][name],
                    start: 1_000 + start,
                    duration,
                    errors,
                    size,
                })
                .collect();
            prop_assert_eq!(batch(&calls), model(&calls));
        }
    }
}
