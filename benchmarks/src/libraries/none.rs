//! No tracing: what the scenarios cost by themselves.

use std::future::Future;
use std::hint::black_box;

use axum::Router;
use http::HeaderMap;

use crate::values;
use crate::work::Library;

/// Records nothing.
#[derive(Debug)]
pub(crate) struct Untraced;

impl Library for Untraced {
    type Incoming = ();
    type Open = ();

    fn incoming(&self, _sampled: bool) {}

    fn entry(&self, _incoming: &()) {
        black_box((values::METHOD, values::TEMPLATE, values::STATUS));
        black_box((values::PATH, values::HOST, values::PARAMS));
    }

    fn request(&self, incoming: &()) {
        self.entry(incoming);
        for _ in 0..3 {
            black_box((values::STATEMENT, values::CONNECTION));
            black_box((values::USER, values::DATABASE));
        }
    }

    fn tree(&self) {
        for child in 0..100 {
            black_box(child);
        }
    }

    fn open(&self, _incoming: &()) {}

    fn inject(&self, _open: &(), _headers: &mut HeaderMap) {}

    fn extract(&self, _headers: &HeaderMap) {}

    fn traced<F: Future<Output = ()> + Send>(
        &self,
        _open: (),
        future: F,
    ) -> impl Future<Output = ()> {
        future
    }

    fn layer(&self, router: Router) -> Option<Router> {
        Some(router)
    }

    fn drain(&self) {}
}
