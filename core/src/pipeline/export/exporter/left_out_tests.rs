//! Spans that are left out, and what waits behind them.

use crate::config::{Code, Environment, Sources};
use crate::pipeline::export::exporter::*;
use crate::record::head::{Head, Traits};
use crate::record::{Kind, sdk};
use crate::trace::span::http;

static NOISE: Family = Family::new("redis", Kind::Exit, &sdk::SECTION, "databases");

const ORIGIN: &str = r#"{"e":"1"}"#;

/// Of one segment at most.
const LITTLE: Limits = Limits {
    bytes: 1,
    span: 1 << 20,
};

fn record(pool: &Pool, family: &'static Family, count: u64) {
    for span in 1..=count {
        let head = Head {
            trace: 1,
            span,
            traits: Traits::new(family.index(), 0),
            ..Head::default()
        };
        pool.record_shared(&head, &[]);
    }
}

#[test]
fn a_source_in_which_others_wait_behind_what_is_left_out_is_not_empty() {
    let pool: &'static Pool = Box::leak(Box::new(Pool::new()));
    pool.open(16 << 20, usize::MAX, || ());
    let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
    let variables = [("INSTANA_TRACING_DISABLE", "redis")];
    let (_, config, _) = Sources::read(&Environment::from_pairs(&variables), Code::default());
    live.replace(Settings::new(config));
    record(pool, &NOISE, 5_000);
    record(pool, &http::ENTRY, 1);
    let mut exporter = Exporter::new(pool, live);
    exporter.most_time = Duration::from_nanos(1);
    let mut body = Vec::new();
    let mut turns = 0;
    let batch = loop {
        match exporter.encode(ORIGIN, &LITTLE, &mut body) {
            Encoded::More => turns += 1,
            Encoded::Batch(batch) => break batch,
            other => panic!("{other:?} after {turns} turns: {:?}", pool.counts()),
        }
        assert!(exporter.pending());
    };
    assert!(turns > 2, "{turns}");
    assert_eq!(batch.spans, 1);
    exporter.acknowledge(false);
    let empty = exporter.encode(ORIGIN, &LITTLE, &mut body);
    assert_eq!(empty, Encoded::Nothing);
    let counts = pool.counts();
    assert_eq!((counts.sent, counts.ignored, counts.waiting), (1, 5_000, 0));
}

/// A span that was refused is the measure: others of its size are not sent.
#[test]
fn spans_as_large_as_one_that_was_refused_cost_no_request() {
    let pool: &'static Pool = Box::leak(Box::new(Pool::new()));
    pool.open(16 << 20, usize::MAX, || ());
    record(pool, &http::ENTRY, 10);
    let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
    let mut exporter = Exporter::new(pool, live);
    exporter.most_time = Duration::from_secs(600);
    let mut body = Vec::new();
    let first = exporter.encode(ORIGIN, &LITTLE, &mut body);
    assert!(matches!(first, Encoded::Batch(Batch { spans: 1, .. })));
    let refused = body.len();
    exporter.give_up(Reason::TooLarge);
    // Others are written as far as there is room, and none is as large.
    let larger = Limits {
        bytes: 1 << 20,
        span: refused + 1,
    };
    let encoded = exporter.encode(ORIGIN, &larger, &mut body);
    assert!(matches!(encoded, Encoded::Batch(Batch { spans: 9, .. })));
    exporter.retry();
    let as_large = Limits {
        span: refused,
        ..larger
    };
    let encoded = exporter.encode(ORIGIN, &as_large, &mut body);
    assert_eq!(encoded, Encoded::Nothing);
    assert_eq!(pool.counts().dropped_too_large, 10);
}
