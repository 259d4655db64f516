//! A stream that is read to its end.

use futures_util::{FutureExt as _, StreamExt as _};

pub(crate) fn run() {
    let rows = futures_util::stream::iter([1, 2, 3]);
    #[cfg(feature = "futures-traced")]
    let rows = instana_futures::StreamExt::in_span(rows, instana::exit_span("read"));
    let sum = rows.fold(0, async |sum, row| sum + row);
    println!("{:?}", Box::pin(sum).now_or_never());
}
