//! Spans of resolvers, which are off by default.

use std::time::{Duration, Instant};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, NextExecute, NextParseQuery, NextPrepareRequest, NextRequest,
    NextResolve, NextSubscribe, ResolveInfo,
};
use async_graphql::futures_util::stream::BoxStream;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{QueryPathSegment, Request, Response, ServerResult, Value, Variables};
use instana::span::Failure;
use instana::{Context, FutureExt, Span};

use crate::error;
use crate::operation::{Operation, Shared};

/// Which resolvers have spans of their own, with names such as `Query.orders`. One
/// operation has at most 200; the tag `fields_left_out` has the number of spans that were
/// left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldSpans {
    /// Spans of all fields that have fields of their own. Their calls are below them.
    All,
    /// None.
    #[default]
    Never,
    /// Spans of fields that took at least this long, with the fields below them. Their
    /// calls stay below the operation.
    Slow(Duration),
}

/// The extension of one request, with spans of fields. It is a separate type, so that
/// nothing is checked for each field if such spans are off.
pub(crate) struct OperationWithFields {
    operation: Operation,
    fields: FieldSpans,
}

impl OperationWithFields {
    pub(crate) fn new(operation: Operation, fields: FieldSpans) -> Self {
        Self { operation, fields }
    }

    fn shared(&self) -> &Shared {
        &self.operation.shared
    }

    /// The span of a resolver. The items of a list are no fields, and async-graphql
    /// resolves introspection itself.
    fn span(&self, info: &ResolveInfo<'_>) -> Option<Span> {
        let is_field = matches!(info.path_node.segment, QueryPathSegment::Name(_))
            && !info.is_for_introspection
            && !info.name.starts_with("__");
        let is_leaf = info.field.selection_set.node.items.is_empty();
        let is_wanted = is_field && (self.fields != FieldSpans::All || !is_leaf);
        if !is_wanted || !Context::current().is_active() {
            return None;
        }
        if self.fields == FieldSpans::All && !self.shared().takes_field_span() {
            return None;
        }
        let span = instana::span(&format!("{}.{}", info.parent_type, info.name));
        span.is_recording().then_some(span)
    }
}

#[async_trait]
impl Extension for OperationWithFields {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let Some(span) = self.span(&info) else {
            return next.run(ctx, info).await;
        };
        let FieldSpans::Slow(least) = self.fields else {
            return next.run(ctx, info).in_span_with(span, failed).await;
        };
        let mut slow = Slow {
            span,
            began: Instant::now(),
            least,
            shared: self.shared(),
        };
        let result = next.run(ctx, info).await;
        failed(&mut slow.span, &result);
        result
    }

    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        self.operation.request(ctx, next).await
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        self.operation.subscribe(ctx, stream, next)
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        self.operation.prepare_request(ctx, request, next).await
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        self.operation
            .parse_query(ctx, query, variables, next)
            .await
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        self.operation.execute(ctx, operation_name, next).await
    }
}

fn failed(span: &mut Span, result: &ServerResult<Option<Value>>) {
    if let Err(error) = result {
        span.record_error(Failure::display(&error::shown(&error.message)));
    }
}

/// A resolver that may turn out to be slow. Its span is not entered, so that it
/// can be discarded.
struct Slow<'a> {
    span: Span,
    began: Instant,
    least: Duration,
    shared: &'a Shared,
}

impl Drop for Slow<'_> {
    fn drop(&mut self) {
        let span = std::mem::replace(&mut self.span, Span::none());
        if self.began.elapsed() < self.least || !self.shared.takes_field_span() {
            span.discard();
        }
    }
}
