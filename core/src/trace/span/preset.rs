//! Attributes that are encoded once, for many spans.

use crate::record::fields;
use crate::record::fields::{Fields, Recording};
use crate::record::tag::AsTag;
use crate::record::{Section, sdk};
use crate::trace::span::Span;

/// Attributes that all spans of a pool or client have, such as the server's
/// address: encoded once, copied into each.
///
/// ```
/// use instana::Span;
/// use instana::span::Preset;
/// use instana::span::http::{EXIT, Http};
///
/// let mut preset = Preset::new();
/// Http::record(&mut preset, |http| {
///     http.url("http://stock/items").method("GET");
/// });
/// let mut span = Span::exit(&EXIT);
/// span.apply(&preset);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Preset {
    attributes: Vec<u8>,
}

impl Preset {
    /// Without attributes.
    pub const fn new() -> Self {
        Self {
            attributes: Vec::new(),
        }
    }

    /// Adds a tag, as [`Span::tag`] does.
    pub fn tag(&mut self, name: &str, value: impl AsTag) {
        self.with_fields(&sdk::SECTION, |mut fields| fields.tag(name, value.as_tag()));
    }

    /// Names an SDK span.
    pub(crate) fn sdk_name(&mut self, name: &str) {
        self.with_fields(&sdk::SECTION, |mut fields| {
            fields.text(sdk::NAME, name, sdk::NAME_LIMIT);
        });
    }
}

impl Recording for Preset {
    fn with_fields(&mut self, section: &'static Section, set: impl FnOnce(Fields<'_>)) {
        set(Fields::new(&mut self.attributes, section));
    }
}

/// # For authors of instrumentation: presets
impl Span {
    /// Sets the attributes of `preset`; fields that are set already are replaced.
    #[inline]
    pub fn apply(&mut self, preset: &Preset) {
        if let Some((_, block)) = self.recording() {
            if block.attributes.is_empty() {
                block.attributes.extend_from_slice(&preset.attributes);
            } else {
                fields::append(&mut block.attributes, &preset.attributes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::record::Kind;
    use crate::testing::Recorder;
    use crate::trace::span::http::{EXIT, Http};

    #[test]
    fn attributes_are_those_of_each_span() {
        let mut preset = Preset::new();
        Http::record(&mut preset, |http| {
            http.method("GET").url("http://u:p@h/a");
        });
        preset.tag("n", 1);
        let recorder = Recorder::new();
        recorder.enter(|| {
            crate::entry_span("job").enter(|| {
                let mut first = Span::exit(&EXIT);
                first.apply(&preset);
                Http::record(&mut first, |http| {
                    http.method("PUT");
                });
                first.end();
                let mut second = Span::exit(&EXIT);
                second.tag("m", 2);
                second.apply(&preset);
            });
        });
        let data: Vec<_> = recorder
            .spans()
            .iter()
            .filter(|span| span.kind() == Kind::Exit)
            .map(|span| serde_json::from_str::<Value>(&span.json()).unwrap()["data"].clone())
            .collect();
        let url = "http://<redacted>:<redacted>@h/a";
        assert_eq!(
            data,
            [
                json!({"http": {"method": "PUT", "url": url}, "sdk": {"custom": {"tags": {"n": 1}}}}),
                json!({"http": {"method": "GET", "url": url}, "sdk": {"custom": {"tags": {"m": 2, "n": 1}}}}),
            ]
        );
        Span::none().apply(&preset);
    }

    #[test]
    fn a_full_span_keeps_its_bound() {
        let mut preset = Preset::new();
        for number in 0..4 {
            preset.tag(&format!("t{number}"), "x".repeat(4_000).as_str());
        }
        let recorder = Recorder::new();
        recorder.enter(|| {
            let mut entry = crate::entry_span("job");
            entry.apply(&preset);
            entry.apply(&preset);
        });
        let entry = recorder.span("sdk", Kind::Entry);
        assert_eq!(entry.text("data.sdk.custom.tags.t3").unwrap().len(), 4_000);
    }
}
