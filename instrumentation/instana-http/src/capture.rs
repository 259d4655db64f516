//! Captured headers: headers that the settings name are recorded on spans.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use instana::Tracer;
use instana::span::http::Http;

thread_local! {
    /// The names to capture under the settings that were last in force here.
    static NAMES: RefCell<Vec<HeaderName>> = const { RefCell::new(Vec::new()) };

    /// The id of those settings, and a bit for the length of each name: most
    /// headers are ruled out by their length.
    static LENGTHS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// Records the headers that the settings of `tracer` name. A header of a response
/// replaces the same header of its request.
#[inline]
pub(crate) fn capture(http: &mut Http<'_>, tracer: &Tracer, headers: &HeaderMap) {
    let (mut id, mut lengths) = LENGTHS.get();
    if id != tracer.settings_id() {
        (id, lengths) = learn(tracer);
        LENGTHS.set((id, lengths));
    }
    // One pass: a map is asked for a name by a hash of the name.
    for name in headers.keys() {
        if lengths & length_bit(name) != 0 {
            capture_known(http, name, headers);
        }
    }
}

/// Long names share one bit.
#[inline]
fn length_bit(name: &HeaderName) -> u64 {
    1 << name.as_str().len().min(63)
}

fn capture_known(http: &mut Http<'_>, name: &HeaderName, headers: &HeaderMap) {
    let known = |names: &RefCell<Vec<HeaderName>>| {
        names.try_borrow().is_ok_and(|names| names.contains(name))
    };
    if NAMES.try_with(known).unwrap_or(false) {
        record(http, name, headers);
    }
}

/// Takes the names from the settings in force.
#[cold]
fn learn(tracer: &Tracer) -> (u64, u64) {
    let (names, id) = tracer.captured_headers();
    let names: Vec<HeaderName> = names
        .iter()
        .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
        .collect();
    let lengths = names.iter().map(length_bit).fold(0, |all, bit| all | bit);
    let _ = NAMES.try_with(|known| {
        if let Ok(mut known) = known.try_borrow_mut() {
            *known = names;
        }
    });
    (id, lengths)
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
    match value.to_str() {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(value.as_bytes()),
    }
}
