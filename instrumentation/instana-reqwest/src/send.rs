//! One request as one exit.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use instana::span::called_from;
use instana::span::http::EXIT;
use instana::{FutureExt, Span};
use instana_http::client::PathTemplate;
use instana_http::{inject, record_exit, record_response};
use reqwest::{Client, Error, Request, Response};

/// Starts the exit of a request, describes it and writes its headers.
#[track_caller]
pub(crate) fn exit(request: &mut Request, template: Option<&PathTemplate>) -> Span {
    let mut span = called_from(Location::caller(), || Span::exit(&EXIT));
    if span.is_recording() {
        let url = request.url();
        record_exit(
            &mut span,
            request.method(),
            url.as_str(),
            url.query(),
            request.headers(),
        );
        if let Some(template) = template {
            template.record(&mut span);
        }
        span.decide();
    }
    inject(&span, request.headers_mut());
    span
}

pub(crate) fn answered(span: &mut Span, result: &Result<Response, Error>) {
    match result {
        Ok(response) => record_response(span, response.status(), response.headers()),
        Err(error) => span.record_error(error),
    }
}

/// Sends the request inside an exit.
#[track_caller]
pub(crate) fn execute(
    client: &Client,
    mut request: Request,
    template: Option<&PathTemplate>,
) -> impl Future<Output = Result<Response, Error>> + Unpin + use<> {
    let mut span = exit(&mut request, template);
    let future = span.enter(|| client.execute(request));
    future.in_span_with(span, answered)
}

/// As [`execute`], for a request that may not have come about: then nothing is
/// sent, and nothing recorded.
#[track_caller]
pub(crate) fn send(
    client: &Client,
    request: Result<Request, Error>,
    template: Option<&PathTemplate>,
) -> impl Future<Output = Result<Response, Error>> + Unpin + use<> {
    match request {
        Ok(request) => Sending::Sent(execute(client, request, template)),
        Err(error) => Sending::Failed(Some(error)),
    }
}

enum Sending<F> {
    Sent(F),
    Failed(Option<Error>),
}

impl<F: Future<Output = Result<Response, Error>> + Unpin> Future for Sending<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Sent(future) => Pin::new(future).poll(cx),
            Self::Failed(error) => match error.take() {
                Some(error) => Poll::Ready(Err(error)),
                None => Poll::Pending,
            },
        }
    }
}
