//! One request: its span, and the state that its hooks share.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, NextExecute, NextParseQuery, NextPrepareRequest, NextRequest,
    NextSubscribe,
};
use async_graphql::futures_util::stream::BoxStream;
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Request, Response, ServerError, ServerResult, Variables};
use instana::propagation::Incoming;
use instana::span::{Handle, Kind, Preset};
use instana::{Context, FutureExt, Span, Tracer};

use crate::published::Origin;
use crate::selection::{self, Asked};
use crate::subscription::{Update, Updates};
use crate::{CLIENT, Graphql, SERVER, error};

/// Spans of fields that one operation, or one event, may have.
pub(crate) const MOST_FIELD_SPANS: u32 = 200;

/// The tag with the operation of an SDK span, which has no section `graphql`.
const OPERATION: &str = "operation";

/// The extension of one request, without spans of fields.
pub(crate) struct Operation {
    tracer: Tracer,
    pub(crate) shared: Arc<Shared>,
}

/// What the hooks of a request share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Spans of fields so far, and those that were left out.
    fields: AtomicU32,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// The way to the span of the request; `None` where nothing is recorded. Code
    /// that runs in the meantime may be in other spans.
    span: Option<Handle>,
    /// That span is one below the entry.
    is_inner: bool,
    /// The name of the operation in the request.
    asked: Option<String>,
    /// The request is answered by a stream.
    is_stream: bool,
    /// What each event of a subscription records.
    update: Option<Preset>,
    /// Where events have their parent, unless they bring another.
    context: Context,
    /// What the next event brings.
    pub(crate) origin: Option<Context>,
    /// The next response of the stream belongs to an event.
    is_update: bool,
}

impl Operation {
    pub(crate) fn new(tracer: Tracer) -> Self {
        Self {
            tracer,
            shared: Arc::default(),
        }
    }

    /// Takes the active entry over. Where there is none, or it has an operation
    /// already, the request has the span that is returned.
    fn begin(&self) -> Span {
        if !self.tracer.in_context().is_on() {
            return Span::none();
        }
        let taken = instana::current(take_over).unwrap_or(Taken::Not);
        let mut own = match taken {
            Taken::Not => self.own(),
            Taken::Off | Taken::Over(_) => Span::none(),
        };
        let mut state = self.shared.lock();
        state.span = match taken {
            Taken::Over(handle) => Some(handle),
            Taken::Not if own.is_recording() => Some(own.handle()),
            Taken::Not | Taken::Off => None,
        };
        state.is_inner = own.kind() == Some(Kind::Intermediate);
        own
    }

    fn own(&self) -> Span {
        let context = Context::current();
        if context.is_suppressed() {
            return Span::none();
        }
        if context.is_active() {
            return instana::span("graphql");
        }
        let mut span = self.tracer.entry(&SERVER, &Incoming::none());
        span.decide();
        span
    }

    /// A new event of the subscription; `None` in other operations.
    fn update(&self) -> Option<Update> {
        let mut state = self.shared.lock();
        let origin = state
            .origin
            .take()
            .filter(|context| context.is_active() || context.is_suppressed());
        let update = state.update.as_ref()?;
        let mut span = Span::exit_of(origin.as_ref().unwrap_or(&state.context), &CLIENT);
        span.apply(update);
        span.decide();
        self.shared.fields.store(0, Ordering::Relaxed);
        Some(Update::new(span, origin))
    }
}

#[async_trait]
impl Extension for Operation {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let span = self.begin();
        let unanswered = Unanswered(span.is_recording());
        let response = async move {
            let response = next.run(ctx).await;
            unanswered.settle();
            self.shared.answered(&response.errors);
            response
        }
        .in_span(span)
        .await;
        self.shared.fail_entry(&response.errors);
        response
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let stream = next.run(ctx, stream);
        let entry = self.begin();
        let context = match entry.is_recording() {
            true => entry.context(),
            false => Context::current(),
        };
        {
            let mut state = self.shared.lock();
            state.is_stream = true;
            state.context = context.clone();
        }
        Box::pin(Updates::new(stream, entry, context, self.shared.clone()))
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        self.shared.asks(&request);
        if self.shared.lock().is_stream {
            request.data.insert(Origin::new(self.shared.clone()));
        }
        let request = next.run(ctx, request).await?;
        // Persisted queries may have names.
        self.shared.asks(&request);
        Ok(request)
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(ctx, query, variables).await?;
        self.shared.describe(&document);
        Ok(document)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let Some(mut update) = self.update() else {
            return next.run(ctx, operation_name).await;
        };
        // Not inside of the exit, below which no calls would be recorded.
        let run = next.run(ctx, operation_name);
        let response = match update.origin() {
            Some(origin) => run.in_context(origin).await,
            None => run.await,
        };
        update.sent(&response.errors, self.shared.fields_left_out());
        self.shared.lock().is_update = true;
        response
    }
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a span of a field; false where there were enough.
    pub(crate) fn takes_field_span(&self) -> bool {
        self.fields.fetch_add(1, Ordering::Relaxed) < MOST_FIELD_SPANS
    }

    /// The number of spans of fields that were left out since the last call.
    pub(crate) fn fields_left_out(&self) -> u32 {
        let fields = self.fields.swap(0, Ordering::Relaxed);
        fields.saturating_sub(MOST_FIELD_SPANS)
    }

    /// Records the name of the operation that the request asks for. A request that cannot
    /// be parsed has nothing else.
    fn asks(&self, request: &Request) {
        let mut state = self.lock();
        let State {
            span,
            is_inner,
            asked,
            ..
        } = &mut *state;
        if let (Some(span), Some(name)) = (span, &request.operation_name) {
            if *is_inner {
                span.tag(OPERATION, name.as_str());
            } else {
                Graphql::record(span, |graphql| {
                    graphql.operation_name(name);
                });
            }
            *asked = Some(name.clone());
        }
    }

    /// Records what the document asks for.
    fn describe(&self, document: &ExecutableDocument) {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(span) = &mut state.span else { return };
        let Some((name, operation)) = selection::find(document, state.asked.as_deref()) else {
            return;
        };
        let asked = Asked::of(document, operation);
        let kind = selection::word(operation.ty);
        if state.is_inner {
            let name = name.unwrap_or_default();
            span.tag(OPERATION, format!("{kind} {name}").trim_end());
        } else {
            Graphql::record(span, |graphql| record(graphql, name, kind, &asked));
        }
        if state.is_stream && operation.ty == OperationType::Subscription {
            let mut update = Preset::new();
            Graphql::record(&mut update, |graphql| {
                record(graphql, name, "subscription-update", &asked);
            });
            state.update = Some(update);
        }
    }

    /// Records the errors of the response, while its span is open.
    fn answered(&self, errors: &[ServerError]) {
        let fields_left_out = self.fields_left_out();
        if let Some(span) = &mut self.lock().span {
            error::record(span, errors);
            if fields_left_out > 0 {
                span.tag("fields_left_out", fields_left_out);
            }
        }
    }

    /// An operation of a batch failed: so did the call that it came in by.
    fn fail_entry(&self, errors: &[ServerError]) {
        if error::is_failure(errors) && self.lock().is_inner {
            instana::current(|span| {
                let family = span.family();
                if family.is_some_and(|family| std::ptr::eq(family, &SERVER)) {
                    span.mark_erroneous();
                }
            });
        }
    }

    /// True once the subscription is known: then it waits for events.
    pub(crate) fn is_waiting(&self) -> bool {
        self.lock().update.is_some()
    }

    /// Records a response of the stream. True where no other is expected.
    pub(crate) fn sent(&self, errors: &[ServerError], is_over: bool) -> bool {
        let mut state = self.lock();
        let is_update = std::mem::take(&mut state.is_update);
        let is_subscription = state.update.is_some();
        if is_update {
            return false;
        }
        if is_over && error::is_failure(errors) {
            // The subscription failed when its entry had ended.
            let mut span = Span::exit_of(&state.context, &CLIENT);
            if let Some(update) = &state.update {
                span.apply(update);
            }
            drop(state);
            Update::new(span, None).sent(errors, 0);
        } else {
            drop(state);
            self.answered(errors);
        }
        !is_subscription
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").finish_non_exhaustive()
    }
}

/// The result of taking over the active entry.
enum Taken {
    /// An operation cannot take this entry.
    Not,
    /// Rules switch GraphQL off.
    Off,
    Over(Handle),
}

/// Turns an entry into the operation's entry. An entry that users named themselves keeps
/// its name, and an entry that has an operation keeps that operation.
fn take_over(span: &mut Span) -> Taken {
    let is_free = span.family().is_some_and(|family| {
        let is_operation = std::ptr::eq(family, &SERVER);
        family.kind() == Kind::Entry && family.section().key() != "sdk" && !is_operation
    });
    if !is_free {
        Taken::Not
    } else if span.rename(&SERVER) {
        Taken::Over(span.handle())
    } else {
        Taken::Off
    }
}

fn record(graphql: &mut Graphql<'_>, name: Option<&str>, kind: &str, asked: &Asked<'_>) {
    if let Some(name) = name {
        graphql.operation_name(name);
    }
    graphql.operation_type(kind);
    asked.record(graphql);
}

/// Held inside of a span of our own while the request is under way.
struct Unanswered(bool);

impl Unanswered {
    fn settle(mut self) {
        self.0 = false;
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if self.0 && !std::thread::panicking() {
            instana::current(|span| {
                if span.kind() == Some(Kind::Entry) {
                    span.cancel();
                }
            });
        }
    }
}
