//! A layer around a whole router sees no route, unless another is inside.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;

/// A layer of this process has seen the template of a route.
static IS_TEMPLATE_SEEN: AtomicBool = AtomicBool::new(false);

static IS_LOGGED: AtomicBool = AtomicBool::new(false);

/// Whether `S` is axum's router or has one inside. By its name: a router may be wrapped
/// in anything, and a wrong guess costs one line of log.
pub(crate) fn is_around_router<S>() -> bool {
    std::any::type_name::<S>().contains("axum::routing::Router")
}

#[inline]
pub(crate) fn template_seen() {
    if !IS_TEMPLATE_SEEN.load(Ordering::Relaxed) {
        IS_TEMPLATE_SEEN.store(true, Ordering::Relaxed);
    }
}

/// A router answered a recorded request below the layer: once, the log says that templates are missing.
pub(crate) fn answered(status: StatusCode) {
    let is_routed = status != StatusCode::NOT_FOUND && status != StatusCode::METHOD_NOT_ALLOWED;
    if is_routed && !IS_TEMPLATE_SEEN.load(Ordering::Relaxed) {
        log_once();
    }
}

#[cold]
fn log_once() {
    if !IS_LOGGED.swap(true, Ordering::Relaxed) {
        instana::__warn(format_args!(
            "instana-axum: InstanaLayer is around a whole router and does not see its routes, so that \
             entries have no template (data.http.path_tpl): add it by Router::layer, too, or instead"
        ));
    }
}
