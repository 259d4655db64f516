//! How layers of one request know each other: by a mark in its extensions.

use std::sync::atomic::{AtomicBool, Ordering};

use http::{Extensions, Request};
use instana::{Context, Span};

/// The context of the entry that was begun for a request. It goes with the request
/// through queues and tasks, where the code is in no context or in another one.
#[derive(Clone, Debug)]
pub(super) struct Mark(Context);

/// A request may meet a second layer.
static MAY_MEET_ANOTHER: AtomicBool = AtomicBool::new(false);

/// A router's layer was made.
static IS_IN_ROUTER: AtomicBool = AtomicBool::new(false);

/// A layer was made. From now on requests are marked.
pub(super) fn expect() {
    MAY_MEET_ANOTHER.store(true, Ordering::Relaxed);
}

/// A router's layer was made. Most processes have only one, and then no request meets
/// two: a mark would cost an allocation for nothing, as the extensions of a request are
/// full when its route is found.
pub(super) fn expect_in_router() {
    if IS_IN_ROUTER.swap(true, Ordering::Relaxed) {
        expect();
    }
}

/// As [`expect`]; true where nobody expected it.
pub(super) fn is_first() -> bool {
    !MAY_MEET_ANOTHER.swap(true, Ordering::Relaxed)
}

/// Whether requests are marked.
#[inline]
pub(super) fn are_made() -> bool {
    MAY_MEET_ANOTHER.load(Ordering::Relaxed)
}

impl Mark {
    /// That of a request which another layer has seen.
    #[inline]
    pub(super) fn of<B>(request: &Request<B>) -> Option<&Self> {
        request.extensions().get()
    }

    /// Marks a request as the one of `span`: of a no-op, where it is not recorded.
    pub(super) fn put(span: &Span, extensions: &mut Extensions) {
        extensions.insert(Self(span.context()));
    }

    /// Whether `span` is the entry of the request.
    pub(super) fn is_of(&self, span: &Span) -> bool {
        let ids = self.0.ids();
        !ids.is_none() && ids == span.context().ids()
    }

    /// The context of the request, where the code is in none.
    pub(super) fn carrier(self) -> Span {
        let current = Context::current();
        if current.is_active() || current.is_suppressed() {
            Span::none()
        } else {
            Span::carrier(self.0)
        }
    }
}
