use std::error::Error;
use std::fmt;

use instana::span::Family;
use log::Level;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::builder::{Builder, builder};
use crate::capture::{self, Said};

/// A layer of `tracing-subscriber` that makes spans of important events.
///
/// Give it a filter of its own, as in the example: without one `tracing` makes each
/// event of every level for it.
///
/// ```
/// use tracing_subscriber::filter::LevelFilter;
/// use tracing_subscriber::prelude::*;
///
/// let layer = instana_log::InstanaLayer::new().with_filter(LevelFilter::WARN);
/// tracing_subscriber::registry().with(layer).init();
/// ```
#[derive(Debug)]
pub struct InstanaLayer {
    family: &'static Family,
}

impl InstanaLayer {
    /// The layer. [`builder`](crate::builder) has options.
    pub fn new() -> Self {
        Self::build(&builder())
    }

    pub(crate) fn build(options: &Builder) -> Self {
        Self {
            family: options.family,
        }
    }
}

impl Default for InstanaLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Subscriber> Layer<S> for InstanaLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let level = level(*metadata.level());
        if !capture::wants(level, metadata.target()) {
            return;
        }
        let mut bridged = Bridged(None);
        if metadata.target() == Bridged::TARGET {
            event.record(&mut bridged);
        }
        let target = bridged.0.as_deref().unwrap_or(metadata.target());
        if capture::wants(level, target) {
            capture::record(self.family, level, target, |said| {
                event.record(&mut Visitor(said));
            });
        }
    }
}

fn level(level: tracing::Level) -> Level {
    match level {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::TRACE => Level::Trace,
    }
}

/// The message, and the other fields as values.
struct Visitor<'a>(&'a mut Said);

impl Visitor<'_> {
    fn field(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        match field.name() {
            "message" => capture::write_to(&mut self.0.message, value),
            name if name.starts_with(Bridged::FIELDS) => {}
            name => self.0.value(name, value),
        }
    }
}

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, format_args!("{value}"));
    }

    fn record_error(&mut self, _: &Field, error: &(dyn Error + 'static)) {
        self.0.error(error);
    }
}

/// The target of a record that tracing-log has turned into an event.
struct Bridged(Option<String>);

impl Bridged {
    /// The target of all these events, and how the names of its fields begin.
    const TARGET: &str = "log";
    const FIELDS: &str = "log.";
}

impl Visit for Bridged {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.target" {
            self.0 = Some(value.to_owned());
        }
    }
}
