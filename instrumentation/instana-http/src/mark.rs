//! How layers of one request know each other: by a mark in its extensions.

use std::sync::atomic::{AtomicBool, Ordering};

use http::{Extensions, Method, Request};
use instana::{Context, Span};

use crate::server::RequestHead;

/// The context of the entry that was begun for a request. It goes with the request
/// through queues and tasks, where the code is in no context or in another one.
///
/// Extensions are copied by [`Clone`], which a mark knows by that: what carries a copy
/// may be another request.
#[derive(Debug)]
pub(crate) struct Mark {
    entry: Context,
    /// A hash of the request's method and path.
    asked: u64,
    way: Way,
    is_inherited: bool,
}

/// How a mark came to where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// With its request.
    Moved,
    /// With a copy of the request, or of its extensions.
    Copied,
    /// With a call that goes out.
    Sent,
}

/// A request may meet a second layer.
static MAY_MEET_ANOTHER: AtomicBool = AtomicBool::new(false);

/// A router's layer was made.
static IS_IN_ROUTER: AtomicBool = AtomicBool::new(false);

/// A layer was made. From now on requests are marked.
pub(crate) fn expect() {
    MAY_MEET_ANOTHER.store(true, Ordering::Relaxed);
}

/// A router's layer was made. Most processes have only one, and then no request meets
/// two: a mark would cost an allocation for nothing, as the extensions of a request are
/// full when its route is found.
pub(crate) fn expect_in_router() {
    if IS_IN_ROUTER.swap(true, Ordering::Relaxed) {
        expect();
    }
}

/// As [`expect`]; true where nobody expected it.
pub(crate) fn is_first() -> bool {
    !MAY_MEET_ANOTHER.swap(true, Ordering::Relaxed)
}

/// Whether requests are marked.
#[inline]
pub(crate) fn are_made() -> bool {
    MAY_MEET_ANOTHER.load(Ordering::Relaxed)
}

impl Mark {
    /// The mark that an earlier layer has left with the request, or with another one
    /// whose extensions this has.
    #[inline]
    pub(crate) fn of<B>(request: &Request<B>) -> Option<&Self> {
        request.extensions().get()
    }

    /// The mark of a request that has [`asked`] for something: of `span`, or of a no-op
    /// where it is not recorded.
    pub(crate) fn new(span: &Span, asked: u64) -> Self {
        Self {
            entry: span.context(),
            asked,
            way: Way::Moved,
            is_inherited: false,
        }
    }

    /// For a request whose extensions [have more of another one](Self::is_inherited).
    pub(crate) fn inherited(self, is_inherited: bool) -> Self {
        Self {
            is_inherited,
            ..self
        }
    }

    /// The extensions came with another request, whose route and path they still have.
    pub(crate) fn is_inherited(&self) -> bool {
        self.is_inherited
    }

    /// The request goes out, and with it its extensions: the callee gets another one.
    #[inline]
    pub(crate) fn send(extensions: &mut Extensions) {
        if let Some(mark) = extensions.get_mut::<Self>() {
            mark.way = Way::Sent;
        }
    }

    /// The context of the request's entry; `None` where this is another request.
    /// `original` is the path before routers have taken the front off it, by what the
    /// extensions say.
    pub(crate) fn entry(&self, head: RequestHead<'_>, original: Option<&str>) -> Option<Context> {
        let is_same = match self.way {
            Way::Moved => true,
            Way::Copied => {
                let path = head.uri.path();
                let original = original.filter(|original| original.ends_with(path));
                [Some(path), original]
                    .into_iter()
                    .flatten()
                    .any(|path| self.asked == asked(head.method, path))
            }
            Way::Sent => false,
        };
        (is_same && !Context::current().is_exit()).then(|| self.entry.clone())
    }
}

impl Clone for Mark {
    fn clone(&self) -> Self {
        let way = match self.way {
            Way::Moved | Way::Copied => Way::Copied,
            Way::Sent => Way::Sent,
        };
        Self {
            entry: self.entry.clone(),
            asked: self.asked,
            way,
            is_inherited: self.is_inherited,
        }
    }
}

/// A hash of what a request asks for.
pub(crate) fn asked(method: &Method, path: &str) -> u64 {
    hash(hash(0, method.as_str().as_bytes()), path.as_bytes())
}

/// Eight bytes a step, as a multiplication takes them.
fn hash(seed: u64, mut bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(ODD);
    let mut hash = step(seed, bytes.len() as u64);
    while let Some((word, rest)) = bytes.split_first_chunk() {
        hash = step(hash, u64::from_le_bytes(*word));
        bytes = rest;
    }
    let last = bytes.iter();
    step(
        hash,
        last.fold(0, |word, &byte| word << 8 | u64::from(byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_told_apart() {
        let paths = [
            "",
            "/",
            "/orders/7",
            "/orders/8",
            "/orders/70",
            "/7/orders",
            "/orders/7/",
        ];
        let mut known = Vec::new();
        for method in [Method::GET, Method::POST] {
            known.extend(paths.map(|path| asked(&method, path)));
        }
        assert_eq!(known, {
            let again = [Method::GET, Method::POST];
            let again = again
                .iter()
                .flat_map(|method| paths.map(|path| asked(method, path)));
            again.collect::<Vec<_>>()
        });
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), 2 * paths.len());
    }
}
