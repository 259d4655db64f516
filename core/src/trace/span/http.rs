//! HTTP spans: names and keys are the same as in Instana's Go tracer, the rules for errors
//! the same as in its Node.js tracer.
//!
//! ```
//! use instana::Span;
//! use instana::propagation::Incoming;
//! use instana::span::http::{ENTRY, Http};
//!
//! let mut entry = Span::entry(&ENTRY, &Incoming::none());
//! Http::record(&mut entry, |http| {
//!     http.method("GET").path("/orders/7").path_tpl("/orders/{id}");
//! });
//! entry.decide();
//! let status = entry.enter(|| 200);
//! Http::record(&mut entry, |http| {
//!     http.status(status);
//! });
//! ```

use crate::record::fields::Attribute;
use crate::record::{Family, Kind};
use crate::trace::span::Span;

crate::section! {
    /// `data.http`: a request that came in or went out.
    pub struct Http = "http" {
        /// The request's method.
        method: text(32),
        /// Entries: the `Host` header, with its port.
        host: text(256),
        /// Exits: the URL. User info is replaced, the query removed.
        url: url(2_048),
        /// Entries: the path without the query.
        path: path(2_048),
        /// The route's template, such as `/orders/{id}`.
        path_tpl: text(512),
        /// The query without its `?`. Values of secret keys are replaced.
        params: query(2_048),
        /// A captured request or response header.
        header: headers(1_024),
        /// The status of the response.
        status: integer,
        /// What went wrong.
        error: error(200),
    }
}

/// A request that came in: `g.http`, the entry name that is not tied to a
/// framework of another language.
pub static ENTRY: Family = Family::new("g.http", Kind::Entry, Http::SECTION, "protocols");

/// A request that went out: `http`.
pub static EXIT: Family = Family::new("http", Kind::Exit, Http::SECTION, "protocols");

/// Whether an entry was recorded with this path.
#[cold]
pub fn has_path(span: &Span, path: &str) -> bool {
    let fields = Http::SECTION.fields().iter();
    let (Some(block), Some(field)) = (
        span.0.as_ref().filter(|block| block.is_recording()),
        fields.map(|field| field.key).position(|key| key == "path"),
    ) else {
        return false;
    };
    let mut rest = block.attributes.as_slice();
    while let Some((attribute, tail)) = Attribute::split(rest) {
        rest = tail;
        if attribute.section == Http::SECTION.index() && usize::from(attribute.field) == field {
            return attribute.value == path.as_bytes();
        }
    }
    false
}
