//! One call, from its first poll to its end: what is the same for all services.

use aws_smithy_runtime_api::client::interceptors::context::{Error, Input, Output};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use instana::Span;

use crate::error;
use crate::service::Service;

/// An open exit. If it is dropped with the future of its call, the call was cancelled.
#[derive(Debug)]
pub(crate) struct Call {
    span: Span,
    service: &'static dyn Service,
    /// The service may hold the answer back until it has something to return.
    waits: bool,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Finish<'a> {
    pub(crate) operation: &'a str,
    pub(crate) attempts: u32,
    pub(crate) endpoint: Option<&'a str>,
    /// Of the last response.
    pub(crate) status: Option<u16>,
    /// `None`: nothing was called, the request was signed for somebody else.
    pub(crate) result: Option<Result<&'a Output, &'a OrchestratorError<Error>>>,
}

impl Call {
    /// `None` for a call that is not recorded. What it sends may still say that the
    /// trace is suppressed.
    pub(crate) fn begin(
        service: &'static dyn Service,
        operation: &str,
        region: Option<&str>,
        input: &mut Input,
    ) -> Option<Self> {
        let mut span = Span::exit(service.family(input)?);
        if span.is_recording() {
            service.describe(&mut span, operation, region, input);
            span.decide();
        }
        let waits = service.waits(input);
        service.inject(&mut span, input);
        span.is_recording().then_some(Self {
            span,
            service,
            waits,
        })
    }

    pub(crate) fn finish(mut self, finish: &Finish<'_>) {
        let mut span = std::mem::replace(&mut self.span, Span::none());
        let Some(result) = finish.result else {
            return span.discard();
        };
        if finish.attempts > 1 {
            span.tag("retries", finish.attempts - 1);
        }
        if let Some(host) = finish.endpoint.and_then(foreign_host) {
            span.tag("endpoint", host);
        }
        match result {
            Ok(output) if !self.service.answered(&mut span, output) => span.discard(),
            Ok(_) if self.waits => {
                span.tag("wait_ms", span.elapsed_millis());
                span.restart();
            }
            Ok(_) => {}
            Err(_) if self.service.expects(finish.operation, finish.status) => {}
            Err(error) => error::record(&mut span, error, finish.status),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut span = std::mem::replace(&mut self.span, Span::none());
        if self.waits {
            // A receive that waited in vain is not recorded, like one with an empty
            // answer.
            span.discard();
        } else {
            span.cancelled_early();
        }
    }
}

/// The call in the SDK's bag of this execution.
#[derive(Debug)]
pub(crate) struct OpenCall(Option<Call>);

impl OpenCall {
    pub(crate) fn take(&mut self) -> Option<Call> {
        self.0.take()
    }
}

impl From<Call> for OpenCall {
    fn from(call: Call) -> Self {
        Self(Some(call))
    }
}

impl Storable for OpenCall {
    type Storer = StoreReplace<Self>;
}

/// The host and port of an endpoint that is not one of Amazon's own.
fn foreign_host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let is_own = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"]
        .iter()
        .any(|domain| host.ends_with(domain));
    (!is_own && !host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_others() {
        for (url, host) in [
            ("https://sqs.eu-west-1.amazonaws.com", None),
            ("https://sqs.cn-north-1.amazonaws.com.cn/", None),
            ("https://s3.dualstack.us-east-1.api.aws/bucket", None),
            ("http://127.0.0.1:5566", Some("127.0.0.1:5566")),
            ("http://minio:9000/bucket/key", Some("minio:9000")),
            ("https://me:secret@[::1]:9000/?x", Some("[::1]:9000")),
            (
                "http://amazonaws.com.evil:80",
                Some("amazonaws.com.evil:80"),
            ),
            ("http://", None),
            ("nonsense", None),
        ] {
            assert_eq!(foreign_host(url), host, "{url}");
        }
    }
}
