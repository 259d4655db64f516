//! What users say about a span while it is open.

use crate::config::Switches;
use crate::record::error_text::{has_error, write_text};
use crate::record::fields;
use crate::record::fields::{Fields, Recording, envelope};
use crate::record::flags::Flags;
use crate::record::log_entry::LogEntry;
use crate::record::registry::FAMILIES;
use crate::record::sdk;
use crate::record::tag::AsTag;
use crate::trace::propagation::CORRELATION_LIMIT;
use crate::trace::span::Span;
use crate::trace::span::error::Failure;
use crate::trace::span::stack;

/// # For applications: describing a span
impl Span {
    /// Sets a tag. Tags stand in `data.sdk.custom.tags`, for spans of every
    /// family; setting one again replaces it.
    pub fn tag(&mut self, name: &str, value: impl AsTag) {
        self.with_fields(&sdk::SECTION, |mut fields| fields.tag(name, value.as_tag()));
    }

    /// As [`tag`](Self::tag), for a value that has to be worked out: `value` is
    /// not called where nothing is recorded.
    ///
    /// ```
    /// let basket = ["tea", "milk"];
    /// instana::span("price").tag_with("basket", || basket.join(", "));
    /// ```
    pub fn tag_with<V: AsTag>(&mut self, name: &str, value: impl FnOnce() -> V) {
        self.with_fields(&sdk::SECTION, |mut fields| {
            fields.tag(name, value().as_tag());
        });
    }

    /// Notes that something happened, with the time. Entries stand in
    /// `data.sdk.custom.logs`, for spans of every family; two of the same
    /// millisecond are written one millisecond apart. URLs and connection strings
    /// in `message` are redacted.
    pub fn log(&mut self, message: &str) {
        self.log_with(message, |_| ());
    }

    /// As [`log`](Self::log), with fields that `fields` adds. It is not called
    /// where nothing is recorded.
    ///
    /// ```
    /// instana::span("price").log_with("cache miss", |entry| {
    ///     entry.field("key", "tea").field("attempt", 2);
    /// });
    /// ```
    pub fn log_with(&mut self, message: &str, fields: impl FnOnce(&mut LogEntry<'_>)) {
        self.with_fields(&sdk::SECTION, |section| {
            LogEntry::write(section, message, fields);
        });
    }

    /// Replaces the configured service name for this span alone.
    pub fn service(&mut self, name: &str) {
        self.with_envelope(|mut fields| fields.text(envelope::SERVICE, name, sdk::NAME_LIMIT));
    }

    /// Marks the span as erroneous, with a text. URLs and connection strings in
    /// it are redacted. The last text counts.
    pub fn error(&mut self, text: &str) {
        let Some((family, block)) = self.recording() else {
            return;
        };
        if let Some(family) = FAMILIES.get(family) {
            write_text(family, &mut block.attributes, text);
        }
        self.mark_erroneous();
    }

    /// Marks the span as erroneous, with the text of an error and of its
    /// [sources](std::error::Error::source), redacted as in [`error`](Self::error).
    /// Where there is no room for all, URLs are shortened, and the first and the last
    /// stay; in between there are at most eight.
    ///
    /// A span has one error: the first text stays, and counts once. SDK spans
    /// also have the error's type in the tag `error.type`, unless it is hidden
    /// behind a `dyn Error`.
    ///
    /// ```
    /// let mut span = instana::span("read the price list");
    /// if let Err(error) = std::fs::read("prices") {
    ///     span.record_error(&error);
    /// }
    /// let error: Box<dyn std::error::Error> = "no price".into();
    /// span.record_error(&*error);
    /// ```
    pub fn record_error<'a>(&mut self, error: impl Into<Failure<'a>>) {
        let Some((family, block)) = self.recording() else {
            return;
        };
        let family = FAMILIES.get(family);
        if let Some(family) = family.filter(|family| !has_error(family, &block.attributes)) {
            error.into().write(family, &mut block.attributes);
        }
        self.mark_erroneous();
    }

    /// Marks the span as erroneous without saying why.
    pub fn mark_erroneous(&mut self) {
        self.error_count(1);
    }
}

/// # For authors of instrumentation: what few calls have
impl Span {
    /// Says which page view or the like began this trace: the type (`web`,
    /// `mobile`) and id of the monitoring of an end user's device. Only entries
    /// that begin a trace take it, and only with 1 to 256 bytes of each;
    /// elsewhere it is a no-op. The last call counts, also against
    /// `X-INSTANA-L` of the request.
    pub fn correlation(&mut self, kind: &str, id: &str) {
        let fits = |text: &str| (1..=CORRELATION_LIMIT).contains(&text.len());
        if self.is_root_entry() && fits(kind) && fits(id) {
            self.with_envelope(|mut fields| {
                fields.text(envelope::CORRELATION_TYPE, kind, u16::MAX);
                fields.text(envelope::CORRELATION_ID, id, u16::MAX);
            });
        }
    }

    /// Sets the number of errors, for a call that stands for several (a
    /// pipeline of commands). A number below the one so far is ignored.
    pub fn error_count(&mut self, errors: u16) {
        let Some((family, block)) = self.recording() else {
            return;
        };
        let is_first = errors > 0 && block.traits.errors() == 0;
        block.traits = block.traits.with_errors(errors);
        if is_first && block.context.switches().has(Switches::ERROR_STACKS) {
            if let Some(family) = FAMILIES.get(family) {
                stack::at_error(&block.context, family, &mut block.attributes);
            }
        }
    }

    /// Says for how many calls this span stands, as a pipeline of commands or a
    /// batch of messages does (`b.s`). Once a span, from two on; else it is
    /// ignored. More than [`u32::MAX`] count as that.
    pub fn batch_size(&mut self, calls: usize) {
        let Some((_, block)) = self.recording() else {
            return;
        };
        if calls > 1 && fields::size(&block.attributes).is_none() {
            let calls = u32::try_from(calls).unwrap_or(u32::MAX);
            Fields::envelope(&mut block.attributes)
                .bytes(envelope::SIZE, &u64::from(calls).to_ne_bytes());
        }
    }

    /// Work inside an entry is below it, and has a parent.
    fn is_root_entry(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|block| block.parent == 0 && block.context.flags.has(Flags::ENTRY))
    }

    /// Writes fields that stand beside `data`.
    fn with_envelope(&mut self, set: impl FnOnce(Fields<'_>)) {
        if let Some(block) = self.0.as_mut().filter(|block| block.is_recording()) {
            set(Fields::envelope(&mut block.attributes));
        }
    }
}
