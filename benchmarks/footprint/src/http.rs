//! Headers that are read and written.

use http::{HeaderMap, HeaderValue};

pub(crate) fn run() {
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", HeaderValue::from_static("00-0-0-00"));
    #[cfg(feature = "http-traced")]
    {
        use instana::span::http::ENTRY;
        let incoming = instana_http::extract(&headers, &instana::Tracer::global());
        instana_http::inject(&instana::Span::entry(&ENTRY, &incoming), &mut headers);
    }
    println!("{headers:?}");
}
