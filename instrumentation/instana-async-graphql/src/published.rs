//! Events that bring the context in which they were published.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use async_graphql::futures_util::Stream;
use instana::Context;
use pin_project_lite::pin_project;

use crate::operation::Shared;

/// An event with the context of the code that made it. It carries the context of the mutation that published
/// it through any channel in the process.
///
/// ```
/// use async_graphql::futures_util::Stream;
/// use async_graphql::{Context, Object, Subscription};
/// use instana_async_graphql::{Published, PublishedExt};
/// use tokio::sync::mpsc;
/// # use std::sync::Mutex;
/// # type Receiver = Mutex<Option<mpsc::UnboundedReceiver<Published<i32>>>>;
/// # fn stream(receiver: mpsc::UnboundedReceiver<Published<i32>>) -> impl Stream<Item = Published<i32>> {
/// #     futures_util::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)))
/// # }
///
/// struct Mutation;
///
/// #[Object]
/// impl Mutation {
///     async fn order(&self, ctx: &Context<'_>, id: i32) -> async_graphql::Result<i32> {
///         let orders: &mpsc::UnboundedSender<_> = ctx.data()?;
///         orders.send(Published::new(id))?;
///         Ok(id)
///     }
/// }
///
/// struct Subscription;
///
/// #[Subscription]
/// impl Subscription {
///     async fn orders(&self, ctx: &Context<'_>) -> impl Stream<Item = i32> {
///         let receiver = /* a receiver of them */
/// #           ctx.data_unchecked::<Receiver>().lock().unwrap().take().unwrap();
///         stream(receiver).published(ctx)
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Published<T> {
    event: T,
    context: Context,
}

impl<T> Published<T> {
    /// The event, published where this is called.
    pub fn new(event: T) -> Self {
        Self {
            event,
            context: Context::current(),
        }
    }

    /// The event.
    pub fn event(&self) -> &T {
        &self.event
    }

    /// Takes the event out.
    pub fn into_event(self) -> T {
        self.event
    }
}

/// Takes events out of their [`Published`] wrappers.
pub trait PublishedExt<T>: Stream<Item = Published<T>> + Sized {
    /// Takes the events out. The exit of each event is below the span that published it, not below the
    /// subscription's span. Call this last, on the stream that the resolver returns.
    fn published(self, ctx: &async_graphql::Context<'_>) -> Unpublished<Self> {
        let origin = ctx.data_opt::<Origin>();
        Unpublished {
            inner: self,
            shared: origin.map(|origin| origin.0.clone()),
        }
    }
}

impl<T, S: Stream<Item = Published<T>>> PublishedExt<T> for S {}

pin_project! {
    /// The stream of [`PublishedExt::published`].
    #[must_use = "streams do nothing unless polled"]
    pub struct Unpublished<S> {
        #[pin]
        inner: S,
        // None without the extension.
        shared: Option<Arc<Shared>>,
    }
}

impl<T, S: Stream<Item = Published<T>>> Stream for Unpublished<S> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<T>> {
        let this = self.project();
        let polled = this.inner.poll_next(cx);
        polled.map(|published| {
            let Published { event, context } = published?;
            // async-graphql resolves the event in this very poll.
            if let Some(shared) = this.shared {
                shared.lock().origin = Some(context);
            }
            Some(event)
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<S> fmt::Debug for Unpublished<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpublished").finish_non_exhaustive()
    }
}

/// How the streams of a request find what they share with its hooks.
pub(crate) struct Origin(Arc<Shared>);

impl Origin {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}
