//! Fills the bodies of requests from the backlog.

use std::sync::Arc;

use super::batching::{self, Call, Fate};
use super::encoder::{Encoder, Surroundings};
use crate::agent::session::Origin;
use crate::agent::worker::SpanSource;
use crate::clock::Timeline;
use crate::config::Config;
use crate::json;
use crate::record::{FAMILIES, Record};
use crate::rules::Rules;
use crate::segment::{Backlog, Pool, Portion, Unsent};
use crate::settings::{Live, Settings};
use crate::slow_polls;
use crate::span::{Family, fields};

/// Spans in a request (docs/PROTOCOL.md, "Span requests").
const MAX_SPANS: usize = 1_000;

/// Requests' worth of spans that rules may leave out before others have a turn.
const MOST_ROUNDS: usize = 300;

/// Bytes of a request's body: the smallest limit of the siblings (Go).
const MAX_BODY: usize = 5 * 1024 * 1024;

/// Hands the spans of a pool to the agent thread.
#[derive(Debug)]
pub(crate) struct Exporter {
    backlog: Backlog,
    live: &'static Live,
    encoder: Encoder,
    /// Records that were taken and are not in the last body.
    unsent: Unsent,
}

impl Exporter {
    pub(crate) fn new(pool: &'static Pool, live: &'static Live) -> Self {
        Self {
            backlog: Backlog::new(pool),
            live,
            encoder: Encoder::default(),
            unsent: Unsent::default(),
        }
    }

    fn fill(&mut self, settings: &Settings, from: &str, body: &mut Vec<u8>) -> Filled {
        let service = settings.config.service.as_deref();
        let timeline = Timeline::now();
        let surroundings = Surroundings::new(from, service, &settings.config.secrets, timeline)
            .with_stacks(&settings.stacks);
        let portions = self.backlog.portions(MAX_SPANS);
        let mut most = MAX_SPANS;
        let filled = loop {
            let fates = if settings.config.span_batching {
                fates(&portions, most, &timeline, settings.rules.as_deref())
            } else {
                Vec::new()
            };
            let plan = Plan {
                most,
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
        self.backlog.release_others(portions);
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
        surroundings: &Surroundings<'_>,
        body: &mut Vec<u8>,
    ) -> Filled {
        let mut filled = Filled::default();
        for portion in portions {
            let bytes = portion.bytes();
            let (mut rest, before) = (bytes, filled.records);
            while let Some((record, tail)) = Record::split(rest) {
                let has_room = filled.records < plan.most
                    && (plan.ignores(&record, &mut self.unsent)
                        || self.append(
                            &record,
                            plan.fate(filled.records),
                            surroundings,
                            body,
                            &mut filled.spans,
                        ));
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
                break;
            }
        }
        filled
    }

    /// Appends a span to the array. False where the body would become too large.
    #[inline]
    fn append(
        &mut self,
        record: &Record<'_>,
        fate: &Fate,
        surroundings: &Surroundings<'_>,
        body: &mut Vec<u8>,
        spans: &mut usize,
    ) -> bool {
        let batch = match fate {
            Fate::Alone => None,
            Fate::Survivor(batch) => Some(batch),
            Fate::Absorbed => return true,
        };
        let before = body.len();
        body.push(if *spans == 0 { b'[' } else { b',' });
        let written = self.encoder.encode(record, batch, surroundings, body);
        if written.is_err() {
            body.truncate(before);
            self.unsent.invalid += 1;
            return true;
        }
        if body.len() >= MAX_BODY {
            body.truncate(before);
            return false;
        }
        *spans += 1;
        true
    }
}

/// What is to be done with the records of a request.
#[derive(Clone, Copy, Debug)]
struct Plan<'a> {
    /// No more records than these.
    most: usize,
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
}

/// What span batching does to the first `most` records.
fn fates(
    portions: &[Portion],
    most: usize,
    timeline: &Timeline,
    rules: Option<&Rules>,
) -> Vec<Fate> {
    let mut calls = Vec::new();
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
    batching::batch(&calls)
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
    fn encode(&mut self, origin: &Origin<'_>, body: &mut Vec<u8>) -> usize {
        self.begin(body);
        let settings = self
            .live
            .get()
            .unwrap_or_else(|| Arc::new(Settings::new(Config::default())));
        let from = from(origin);
        for _ in 0..MOST_ROUNDS {
            let filled = self.fill(&settings, &from, body);
            if filled.spans > 0 {
                body.push(b']');
                return filled.records;
            }
            if filled.records == 0 {
                return 0;
            }
            // Nothing but records that are not sent: there may be others.
            self.backlog.acknowledge(self.unsent);
            self.begin(body);
        }
        0
    }

    fn acknowledge(&mut self) {
        self.backlog.acknowledge(self.unsent);
    }

    fn retry(&mut self) {
        self.backlog.retry();
    }

    fn reject(&mut self) {
        self.backlog.reject();
    }

    fn pending(&self) -> bool {
        self.backlog.pending()
    }

    fn tick(&mut self) {
        self.backlog.tick();
        slow_polls::tell();
        self.encoder.tick();
    }
}

/// `f`: filled in when spans are sent, so that spans recorded before the
/// announce are right (as in Go).
fn from(origin: &Origin<'_>) -> String {
    let mut out = b"{\"e\":".to_vec();
    json::string(&mut out, origin.pid);
    if let Some(host) = origin.host {
        out.extend_from_slice(b",\"h\":");
        json::string(&mut out, host);
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}
