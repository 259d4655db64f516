//! HTTP spans: names and keys are those of Instana's Go tracer, the rules for errors
//! those of its Node.js tracer.

use super::{Family, Kind};

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
