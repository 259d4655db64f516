//! Calls of which only failures are recorded.

use std::future::Future;
use std::mem;

use instana::Span;
use sqlx::Error;

use crate::outcome::fail;

/// Such a call. Its span is not entered: were it discarded, what is below it would have no
/// parent.
pub(crate) struct Attempt {
    span: Span,
    is_begun: bool,
}

impl Attempt {
    pub(crate) fn new(span: Span) -> Self {
        Self {
            span,
            is_begun: false,
        }
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.span.is_recording()
    }

    /// Awaits the call.
    pub(crate) async fn watch<T>(
        self,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.measure(call).await.map(|(output, _)| output)
    }

    /// Awaits the call; how many milliseconds it took, where that can be recorded.
    pub(crate) async fn measure<T>(
        mut self,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<(T, Option<u64>), Error> {
        self.span.begin();
        self.is_begun = true;
        let result = call.await;
        let mut span = mem::replace(&mut self.span, Span::none());
        match result {
            Ok(output) => {
                let millis = span.is_recording().then(|| span.elapsed_millis());
                span.discard();
                Ok((output, millis))
            }
            Err(error) => {
                fail(&mut span, &error);
                Err(error)
            }
        }
    }
}

/// Of a call that was given up.
impl Drop for Attempt {
    fn drop(&mut self) {
        let mut span = mem::replace(&mut self.span, Span::none());
        if self.is_begun {
            span.given_up();
        } else {
            span.discard();
        }
    }
}
