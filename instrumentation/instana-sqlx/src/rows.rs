//! The results of a statement, inside its span.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use instana::Span;
use sqlx::{Either, Error};

use crate::backend::Described;
use crate::error::fail;
use crate::record::{FIRST_ROW, ROWS};

/// The results of a statement, one by one.
pub(crate) type Step<DB> =
    Result<Either<<DB as sqlx::Database>::QueryResult, <DB as sqlx::Database>::Row>, Error>;

/// A stream of results. Its span ends with it.
pub(crate) struct Rows<'e, DB: Described> {
    span: Span,
    inner: Option<BoxStream<'e, Step<DB>>>,
    state: State,
    count: Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    /// For good if the poll panicked.
    Polled,
    /// The database is to answer.
    Waiting,
    /// It did, and the application has not asked for more.
    Answered,
    Failed,
}

/// Rows, of all statements of a text.
#[derive(Clone, Copy, Debug)]
struct Count {
    all: u64,
    /// Rows fetched by the current statement.
    fetched: u64,
    tells_changes: bool,
}

impl Count {
    /// Whether it is the first.
    fn row(&mut self) -> bool {
        self.fetched += 1;
        self.all == 0 && self.fetched == 1
    }

    /// The statement has finished, and reports how many rows it changed.
    fn done(&mut self, changed: u64) {
        self.all += match self.fetched {
            0 if self.tells_changes => changed,
            fetched => fetched,
        };
        self.fetched = 0;
    }

    fn sum(self) -> u64 {
        self.all + self.fetched
    }
}

impl<'e, DB: Described> Rows<'e, DB> {
    pub(crate) fn boxed(
        span: Span,
        tells_changes: bool,
        inner: BoxStream<'e, Step<DB>>,
    ) -> BoxStream<'e, Step<DB>> {
        Box::pin(Self {
            span,
            inner: Some(inner),
            state: State::New,
            count: Count {
                all: 0,
                fetched: 0,
                tells_changes,
            },
        })
    }

    fn answered(&mut self, step: &Step<DB>) {
        self.state = State::Answered;
        match step {
            Ok(Either::Right(_)) => {
                if self.count.row() {
                    self.span.tag(FIRST_ROW, self.span.elapsed_millis());
                }
            }
            Ok(Either::Left(result)) => self.count.done(DB::changed(result)),
            Err(error) => {
                fail::<DB>(&mut self.span, error);
                self.state = State::Failed;
            }
        }
    }

    fn end(&mut self) {
        if self.inner.is_some() {
            self.span.enter(|| self.inner = None);
            if self.state != State::Failed {
                self.span.tag(ROWS, self.count.sum());
            }
        }
    }
}

impl<DB: Described> Stream for Rows<'_, DB> {
    type Item = Step<DB>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        if this.state == State::New {
            this.span.begin();
        }
        let failed = this.state == State::Failed;
        this.state = State::Polled;
        let polled = this.span.enter_poll(cx, |cx| inner.as_mut().poll_next(cx));
        match &polled {
            Poll::Pending => this.state = State::Waiting,
            Poll::Ready(Some(step)) => this.answered(step),
            Poll::Ready(None) => {
                this.end();
                std::mem::replace(&mut this.span, Span::none()).end();
            }
        }
        if failed {
            this.state = State::Failed;
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let inner = self.inner.as_ref();
        inner.map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<DB: Described> Drop for Rows<'_, DB> {
    fn drop(&mut self) {
        if self.inner.is_none() {
            return;
        }
        self.end();
        // An application that has got rows and drops the stream has not cancelled the
        // statement.
        if matches!(self.state, State::New | State::Waiting) {
            self.span.cancelled_early();
        }
    }
}
