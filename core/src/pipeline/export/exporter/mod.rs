//! Fills the bodies of requests from the backlog.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::clock::Timeline;
use crate::config::Config;
use crate::pipeline::export::batching;
use crate::pipeline::export::batching::{Call, Fate};
use crate::pipeline::export::encoder::{BatchContext, Encoder};
use crate::pipeline::port::{Batch, Encoded, SpanSource};
use crate::pipeline::port::{Limits, Reason};
use crate::policy::rules::Rules;
use crate::policy::{LiveSettings, Settings};
use crate::record::head::Record;
use crate::record::registry::FAMILIES;
use crate::record::segment::{Backlog, Pool, Portion, Portions, Unsent};
use crate::record::{Family, fields};

/// Records that rules may leave out before others have a turn.
const MOST_LEFT_OUT: usize = 300_000;

/// Calls that span batching looks at for one request.
const MOST_BATCHED: usize = 8_000;

/// Others have a turn after this time, however little a request holds by then.
const MOST_TIME: Duration = Duration::from_millis(100);
/// The clock is looked at once in so many records.
const LOOK_EACH: usize = 64;

/// Room that there is in a body before a span is written, and by how much a body grows.
/// The JSON of a span seldom is longer.
const ROOM: usize = 128 * 1024;
const GROWTH: usize = 1024 * 1024;

/// Hands the spans of a pool to the agent thread.
#[derive(Debug)]
pub(crate) struct Exporter {
    backlog: Backlog,
    live: &'static LiveSettings,
    encoder: Encoder,
    /// Records that were taken and are not in the last body.
    unsent: Unsent,
    /// How long writing a request may take, and until when the present one may.
    pub(super) most_time: Duration,
    until: Instant,
}

impl Exporter {
    pub(crate) fn new(pool: &'static Pool, live: &'static LiveSettings) -> Self {
        Self {
            backlog: Backlog::new(pool),
            live,
            encoder: Encoder::default(),
            unsent: Unsent::default(),
            most_time: MOST_TIME,
            until: Instant::now(),
        }
    }

    fn fill(
        &mut self,
        settings: &Settings,
        from: &str,
        limits: &Limits,
        body: &mut Vec<u8>,
    ) -> Filled {
        let service = settings.config.service.as_deref();
        let timeline = Timeline::now();
        let surroundings = BatchContext::new(from, service, &settings.config.secrets, timeline)
            .with_stacks(&settings.stacks);
        // Records are shorter than their JSON.
        let Portions {
            list: portions,
            is_all,
            is_second,
            body: most_bytes,
            ..
        } = self.backlog.portions(limits.bytes);
        let limits = Limits {
            bytes: limits.bytes.min(most_bytes.saturating_sub(ROOM)),
            ..*limits
        };
        if body.capacity() > most_bytes {
            *body = Vec::new();
        }
        let mut most = usize::MAX;
        let mut filled = loop {
            let fates = if settings.config.span_batching {
                let calls = calls(&portions, most, &timeline, settings.rules.as_deref());
                batching::batch(&calls)
            } else {
                Vec::new()
            };
            let plan = Plan {
                most,
                limits,
                fates: &fates,
                rules: settings.rules.as_deref(),
            };
            let filled = self.write(&portions, &plan, &surroundings, body);
            if fates.len() <= filled.records {
                break filled;
            }
            // A batch in the body may stand for a span that found no room in it.
            most = filled.records;
            self.begin(body);
        };
        filled.is_last = filled.is_whole && is_all;
        filled.is_second = is_second;
        self.backlog.release_others(portions, body.capacity());
        filled
    }

    fn begin(&mut self, body: &mut Vec<u8>) {
        body.clear();
        self.unsent = Unsent::default();
        self.backlog.retake();
    }

    /// Writes what is planned, as far as there is room.
    fn write(
        &mut self,
        portions: &[Portion],
        plan: &Plan<'_>,
        surroundings: &BatchContext<'_>,
        body: &mut Vec<u8>,
    ) -> Filled {
        let mut filled = Filled::default();
        for portion in portions {
            let bytes = portion.bytes();
            let (mut rest, before) = (bytes, filled.records);
            while let Some((record, tail)) = Record::split(rest) {
                let has_room = filled.records < plan.most
                    && !self.is_late(&filled)
                    && (plan.ignores(&record, &mut self.unsent)
                        || self.append(&record, plan, surroundings, body, &mut filled));
                if !has_room {
                    break;
                }
                filled.records += 1;
                rest = tail;
            }
            let records = filled.records - before;
            if records > 0 {
                self.backlog
                    .take(portion, records, bytes.len() - rest.len());
            }
            if !rest.is_empty() {
                return filled;
            }
        }
        filled.is_whole = true;
        filled
    }

    /// Whether others should have a turn: there is something to send, and it took long.
    #[inline]
    fn is_late(&self, filled: &Filled) -> bool {
        filled.spans > 0 && filled.records % LOOK_EACH == 0 && Instant::now() >= self.until
    }

    /// Appends a span to the array. False where the body would become too large.
    #[inline]
    fn append(
        &mut self,
        record: &Record<'_>,
        plan: &Plan<'_>,
        surroundings: &BatchContext<'_>,
        body: &mut Vec<u8>,
        filled: &mut Filled,
    ) -> bool {
        let batch = match plan.fate(filled.records) {
            Fate::Alone => None,
            Fate::Survivor(batch) => Some(batch),
            Fate::Absorbed => return true,
        };
        if body.capacity() - body.len() < ROOM && !grow(body, plan.limits.bytes) {
            return false;
        }
        let before = body.len();
        body.push(if filled.spans == 0 { b'[' } else { b',' });
        let written = self.encoder.encode(record, batch, surroundings, body);
        // With the brackets: as large as the whole request, and as one of its own.
        let (whole, own) = (body.len() + 1, body.len() - before + 1);
        if written.is_ok()
            && own < plan.limits.span
            && (whole <= plan.limits.bytes || filled.spans == 0)
        {
            filled.spans += 1;
            return true;
        }
        body.truncate(before);
        self.unsent.invalid += usize::from(written.is_err());
        let is_too_large = written.is_ok() && own >= plan.limits.span;
        self.unsent.too_large += usize::from(is_too_large);
        written.is_err() || is_too_large
    }
}

/// Makes room for the next spans, if there is memory.
#[cold]
fn grow(body: &mut Vec<u8>, limit: usize) -> bool {
    let wanted = match body.len() {
        0 => ROOM,
        written => (written + GROWTH).min(limit.max(written + ROOM)),
    };
    body.try_reserve_exact(wanted - body.len()).is_ok()
}

/// What is to be done with the records of a request.
#[derive(Clone, Copy, Debug)]
struct Plan<'a> {
    /// No more records than these.
    most: usize,
    limits: Limits,
    /// Of the first ones; the others are sent as they are.
    fates: &'a [Fate],
    rules: Option<&'a Rules>,
}

impl Plan<'_> {
    fn fate(&self, record: usize) -> &Fate {
        self.fates.get(record).unwrap_or(&Fate::Alone)
    }

    /// Whether a rule leaves the record out, which is counted then.
    #[inline]
    fn ignores(&self, record: &Record<'_>, unsent: &mut Unsent) -> bool {
        let ignored = self.rules.is_some_and(|rules| rules.ignore(record));
        unsent.ignored += usize::from(ignored);
        ignored
    }
}

/// What a body was filled with.
#[derive(Clone, Copy, Debug, Default)]
struct Filled {
    records: usize,
    spans: usize,
    /// All records of the portions are in it.
    is_whole: bool,
    is_last: bool,
    is_second: bool,
}

/// The first `most` records as span batching sees them, as far as there is memory.
fn calls(
    portions: &[Portion],
    most: usize,
    timeline: &Timeline,
    rules: Option<&Rules>,
) -> Vec<Call> {
    let most = most.min(MOST_BATCHED);
    let mut calls = Vec::new();
    if calls.try_reserve(most).is_err() {
        return calls;
    }
    for portion in portions {
        let mut rest = portion.bytes();
        while let Some((record, tail)) = Record::split(rest).filter(|_| calls.len() < most) {
            let mut call = call(&record, timeline);
            if rules.is_some_and(|rules| rules.ignore(&record)) {
                call.name = "";
            }
            calls.push(call);
            rest = tail;
        }
    }
    calls
}

fn call(record: &Record<'_>, timeline: &Timeline) -> Call {
    let head = &record.head;
    Call {
        trace: head.trace,
        parent: head.parent,
        name: FAMILIES.get(head.traits.family()).map_or("", Family::name),
        start: timeline.unix_millis(head.start),
        duration: timeline.millis(head.start, head.end),
        errors: u64::from(head.traits.errors()),
        size: fields::size(record.attributes),
    }
}

impl SpanSource for Exporter {
    fn encode(&mut self, origin: &str, limits: &Limits, body: &mut Vec<u8>) -> Encoded {
        self.begin(body);
        self.until = Instant::now() + self.most_time;
        let settings = self
            .live
            .get()
            .unwrap_or_else(|| Arc::new(Settings::new(Config::default())));
        let mut left_out = 0;
        loop {
            let filled = self.fill(&settings, origin, limits, body);
            if filled.spans > 0 {
                body.push(b']');
                return Encoded::Batch(Batch {
                    spans: filled.spans,
                    is_last: filled.is_last,
                    is_second: filled.is_second,
                });
            }
            if filled.records == 0 {
                return if filled.is_last {
                    Encoded::Nothing
                } else {
                    Encoded::NoMemory
                };
            }
            // Nothing but records that are not sent: there may be others.
            left_out += filled.records;
            self.backlog.acknowledge(self.unsent, false);
            self.begin(body);
            if left_out >= MOST_LEFT_OUT || Instant::now() >= self.until {
                return Encoded::More;
            }
        }
    }

    fn acknowledge(&mut self, maybe_twice: bool) {
        self.backlog.acknowledge(self.unsent, maybe_twice);
    }

    fn retry(&mut self) {
        self.backlog.retry();
    }

    fn doubt(&mut self) {
        self.backlog.doubt();
    }

    fn give_up(&mut self, reason: Reason) {
        self.backlog.give_up(match reason {
            Reason::Refused => |counts| &mut counts.dropped_rejected,
            Reason::TooLarge => |counts| &mut counts.dropped_too_large,
            Reason::Unanswered => |counts| &mut counts.dropped_unanswered,
        });
    }

    fn pending(&self) -> bool {
        self.backlog.pending()
    }

    fn tick(&mut self) {
        self.backlog.tick();
        self.encoder.tick();
    }
}

#[cfg(test)]
mod left_out_tests;
#[cfg(test)]
mod tests;
