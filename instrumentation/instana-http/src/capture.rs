//! Headers that the user asked to see on spans.

use std::borrow::Cow;
use std::cell::RefCell;
use std::str;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use instana::Tracer;
use instana::span::http::Http;

thread_local! {
    /// The names to capture under the settings that were last in force here.
    static NAMES: RefCell<Names> = const {
        RefCell::new(Names { settings: 0, names: Vec::new(), lengths: 0 })
    };
}

struct Names {
    settings: u64,
    names: Vec<HeaderName>,
    /// A bit for the length of each name.
    lengths: u64,
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
        // One pass: a map is asked for a name by a hash of the name.
        for name in headers.keys() {
            if names.lengths & length_bit(name) != 0 && names.names.contains(name) {
                record(http, name, headers);
            }
        }
    });
}

/// Long names share one bit.
#[inline]
fn length_bit(name: &HeaderName) -> u64 {
    1 << name.as_str().len().min(63)
}

impl Names {
    #[cold]
    fn of(tracer: &Tracer) -> Self {
        let settings = tracer.settings();
        let names: Vec<HeaderName> = settings
            .iter()
            .flat_map(|settings| settings.extra_headers())
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .collect();
        Self {
            settings: settings.map_or(0, |settings| settings.id()),
            lengths: names.iter().map(length_bit).fold(0, |all, bit| all | bit),
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
    match str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(value.as_bytes()),
    }
}
