//! The layer for routers.

use instana::Tracer;
use instana_tower::{InstanaServerLayer, Options, RequestHead};
use tower_layer::Layer;

use crate::{MatchedRoute, Server};

/// Records each request of a router as an entry, which ends with the body of
/// its response.
///
/// Add it by `Router::layer`, after the routes and as the last layer: what is
/// added before runs inside of the entry. Around the whole router it does not see the
/// templates of routes; a second one inside does.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a router"]
pub struct InstanaLayer {
    inner: InstanaServerLayer<MatchedRoute>,
}

impl InstanaLayer {
    /// A layer for the process's tracer.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tracer for requests that come in outside of any context; the
    /// process's unless set.
    pub fn tracer(self, tracer: Tracer) -> Self {
        Self {
            inner: self.inner.tracer(tracer),
        }
    }

    /// Requests to leave out: neither they nor the calls they make are recorded, and the
    /// suppression is propagated to callees.
    ///
    /// ```
    /// let layer = instana_axum::InstanaLayer::new()
    ///     .ignore(|request| request.uri.path() == "/health");
    /// # let _ = layer;
    /// ```
    pub fn ignore(self, ignore: impl Fn(RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self {
            inner: self.inner.ignore(ignore),
        }
    }

    /// Whether responses say their trace id in `Server-Timing`, so that a
    /// browser's monitoring finds it. Default: yes.
    pub fn server_timing(self, on: bool) -> Self {
        Self {
            inner: self.inner.server_timing(on),
        }
    }
}

impl Default for InstanaLayer {
    fn default() -> Self {
        Self {
            inner: Options::in_router(MatchedRoute).into(),
        }
    }
}

impl<S> Layer<S> for InstanaLayer {
    type Service = Server<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Server::new(self.inner.layer(inner))
    }
}
