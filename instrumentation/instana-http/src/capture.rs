//! Headers that the user asked to see on spans.

use std::borrow::Cow;
use std::cell::RefCell;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use instana::Tracer;
use instana::span::http::Http;

thread_local! {
    /// The names to capture under the settings that were last in force here.
    static NAMES: RefCell<Names> = const {
        RefCell::new(Names { settings: 0, names: Vec::new() })
    };
}

struct Names {
    settings: u64,
    names: Vec<HeaderName>,
}

/// Records the headers that the settings of `tracer` name. A header of a
/// response replaces that of its request.
#[inline]
pub(crate) fn capture(http: &mut Http<'_>, tracer: &Tracer, headers: &HeaderMap) {
    let id = tracer.settings_id();
    let _ = NAMES.try_with(|names| {
        let Ok(mut names) = names.try_borrow_mut() else {
            return;
        };
        if names.settings != id {
            *names = Names::of(tracer);
        }
        for name in &names.names {
            record(http, name, headers);
        }
    });
}

impl Names {
    #[cold]
    fn of(tracer: &Tracer) -> Self {
        let Some(settings) = tracer.settings() else {
            return Self {
                settings: 0,
                names: Vec::new(),
            };
        };
        let names = settings
            .extra_headers()
            .iter()
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .collect();
        Self {
            settings: settings.id(),
            names,
        }
    }
}

fn record(http: &mut Http<'_>, name: &HeaderName, headers: &HeaderMap) {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return };
    let mut text = utf8(first);
    for value in values {
        let joined = text.to_mut();
        joined.push_str(", ");
        joined.push_str(&utf8(value));
    }
    http.header(name.as_str(), &text);
}

fn utf8(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}
