//! Trace context in the headers of calls and messages.
//!
//! [`Incoming::extract`] reads the headers of a call that came in and decides what its
//! entry continues; [`Span::inject`](crate::Span::inject) writes the headers of a call
//! that goes out. A protocol implements [`Extract`] and [`Inject`] for its own headers;
//! [`MessageContext`] does the same for brokers, whose headers are looked at one by one.
//!
//! ```
//! use instana::propagation::{Extract, Header, Incoming};
//! use instana::span::http::ENTRY;
//! use instana::{Span, Tracer};
//!
//! struct Headers<'a>(&'a [(&'a str, &'a str)]);
//!
//! impl Extract for Headers<'_> {
//!     fn first(&self, header: Header) -> Option<&[u8]> {
//!         let mut found = self.0.iter();
//!         let (_, value) = found.find(|(name, _)| name.eq_ignore_ascii_case(header.name()))?;
//!         Some(value.as_bytes())
//!     }
//!
//!     fn each(&self, header: Header, value: &mut dyn FnMut(&[u8])) {
//!         for (name, found) in self.0 {
//!             if name.eq_ignore_ascii_case(header.name()) {
//!                 value(found.as_bytes());
//!             }
//!         }
//!     }
//! }
//!
//! let headers = Headers(&[("X-INSTANA-T", "4e37d1ff5b567f98"), ("X-INSTANA-S", "37cb2d6e9b1c078a")]);
//! let incoming = Incoming::extract(&headers, &Tracer::global());
//! Span::entry(&ENTRY, &incoming).enter(|| { /* the handler */ });
//! ```

mod header;
mod incoming;
mod level;
mod message;
mod outgoing;
mod server_timing;
#[cfg(test)]
mod tests;
mod w3c;

pub use self::header::Header;
pub use self::incoming::{Extract, Incoming};
pub(crate) use self::level::CORRELATION_LIMIT;
pub use self::message::{MessageContext, MessageHeader};
pub use self::outgoing::Inject;
pub(crate) use self::outgoing::inject;
pub use self::server_timing::ServerTiming;
