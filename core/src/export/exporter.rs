//! Fills the bodies of requests from the backlog.

use std::sync::Arc;

use super::encoder::{Encoder, Surroundings};
use crate::agent::session::Origin;
use crate::agent::worker::SpanSource;
use crate::clock::Timeline;
use crate::json;
use crate::record::Record;
use crate::segment::{Backlog, Pool};
use crate::settings::{Live, Settings};
use crate::slow_polls;

/// Spans in a request (`reference`: "Constants to start from").
const MAX_SPANS: usize = 1_000;

/// Bytes of a request's body: the smallest limit of the siblings (Go).
const MAX_BODY: usize = 5 * 1024 * 1024;

/// Hands the spans of a pool to the agent thread.
#[derive(Debug)]
pub(crate) struct Exporter {
    backlog: Backlog,
    live: &'static Live,
    encoder: Encoder,
    /// Records in the last body that could not be written.
    invalid: usize,
}

impl Exporter {
    pub(crate) fn new(pool: &'static Pool, live: &'static Live) -> Self {
        Self {
            backlog: Backlog::new(pool),
            live,
            encoder: Encoder::default(),
            invalid: 0,
        }
    }

    fn fill(&mut self, settings: &Settings, from: &str, body: &mut Vec<u8>) -> usize {
        let surroundings = Surroundings {
            from,
            service: settings.service.as_deref(),
            secrets: &settings.secrets,
            timeline: Timeline::now(),
        };
        let portions = self.backlog.portions(MAX_SPANS);
        let mut spans = 0;
        for portion in &portions {
            let bytes = portion.bytes();
            let (mut rest, mut records) = (bytes, 0);
            while let Some((record, tail)) = Record::split(rest) {
                if spans >= MAX_SPANS || !self.append(&record, &surroundings, body, &mut spans) {
                    break;
                }
                records += 1;
                rest = tail;
            }
            if records > 0 {
                self.backlog
                    .take(portion, records, bytes.len() - rest.len());
            }
            if !rest.is_empty() {
                break;
            }
        }
        self.backlog.release_others(portions);
        spans
    }

    /// Appends a span to the array. False where the body would become too large.
    fn append(
        &mut self,
        record: &Record<'_>,
        surroundings: &Surroundings<'_>,
        body: &mut Vec<u8>,
        spans: &mut usize,
    ) -> bool {
        let before = body.len();
        body.push(if *spans == 0 { b'[' } else { b',' });
        let written = self.encoder.encode(record, surroundings, body);
        if written.is_err() {
            body.truncate(before);
            self.invalid += 1;
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

impl SpanSource for Exporter {
    fn encode(&mut self, origin: &Origin<'_>, body: &mut Vec<u8>) -> usize {
        body.clear();
        self.invalid = 0;
        let settings = self
            .live
            .get()
            .unwrap_or_else(|| Arc::new(Settings::default()));
        let spans = self.fill(&settings, &from(origin), body);
        if spans > 0 {
            body.push(b']');
        } else if self.invalid > 0 {
            // Nothing but records that cannot be written.
            self.backlog.acknowledge(self.invalid);
        }
        spans
    }

    fn acknowledge(&mut self) {
        self.backlog.acknowledge(self.invalid);
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
    }
}

/// `f`: filled in when spans are sent, so that spans recorded before the
/// announce are right (`reference`: the Go tracer).
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
