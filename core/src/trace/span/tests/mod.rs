//! How spans start, are described and end.

mod attributes;
mod errors;
mod logs;
mod starts;

use std::time::Duration;

use crate::record::Kind;
use crate::testing::Recorder;
use crate::trace::propagation::Incoming;
use crate::trace::span::http;
use crate::trace::span::http::Http;
use crate::trace::span::*;

#[test]
fn a_span_is_eight_bytes_and_can_be_sent() {
    assert_eq!(size_of::<Span>(), 8);
    fn is_send<T: Send>() {}
    is_send::<Span>();
    is_send::<Handle>();
}
