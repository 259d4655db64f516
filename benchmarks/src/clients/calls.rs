//! Makes calls so that callgrind or the counting allocator can tell what they
//! take on the calling thread: `measured_poll` holds their polls and nothing of
//! the runtime, the client's own tasks and other threads.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Client;
use crate::allocator;
use crate::count::drained;
use crate::work::Library;

/// Calls between two drains.
const BURST: u64 = 100;

/// Bursts after which buffers and pools have their size.
const WARM_UP: u64 = 5;

/// A client whose calls are recorded by a library.
pub(super) struct Calls<'a, L, C> {
    runtime: &'a Runtime,
    library: L,
    client: C,
}

impl<'a, L: Library, C: Client> Calls<'a, L, C> {
    pub(super) fn new(runtime: &'a Runtime, library: L, client: C) -> Self {
        Self {
            runtime,
            library,
            client,
        }
    }

    /// So many bursts, and one before them for warming up.
    pub(super) fn count(&mut self, bursts: u64) -> Result<Value, String> {
        for _ in 0..=bursts {
            self.burst()?;
            drained(&self.library);
        }
        let exported = self.library.counts().exported;
        Ok(json!({ "iterations": bursts * BURST, "exported": exported }))
    }

    /// Allocations and bytes per call: hot and in the background.
    pub(super) fn allocations(&mut self, bursts: u64) -> Result<Value, String> {
        for _ in 0..WARM_UP {
            self.burst()?;
            self.library.drain();
        }
        let before = allocator::read();
        for _ in 0..bursts {
            self.burst()?;
            self.library.drain();
        }
        let after = allocator::read();
        let calls = (bursts * BURST) as f64;
        let per_call = |before: u64, after: u64| (after - before) as f64 / calls;
        Ok(json!([
            per_call(before.0.count, after.0.count),
            per_call(before.0.bytes, after.0.bytes),
            per_call(before.1.count, after.1.count),
            per_call(before.1.bytes, after.1.bytes),
        ]))
    }

    /// An entry with the calls of a burst, one after the other.
    fn burst(&mut self) -> Result<(), String> {
        let mut outcome = Ok(());
        let (client, result) = (&mut self.client, &mut outcome);
        let calls = async move {
            for _ in 0..BURST {
                *result = Measured(pin!(client.call())).await;
                if result.is_err() {
                    return;
                }
                client.ready().await;
            }
        };
        let open = self.library.open(&self.library.incoming(true));
        self.runtime.block_on(self.library.traced(open, calls));
        outcome?;
        self.client.settle()
    }
}

type Call<'a> = Pin<&'a mut (dyn Future<Output = Result<(), String>> + Send)>;

/// A call whose polls are measured.
struct Measured<'a>(Call<'a>);

impl Future for Measured<'_> {
    type Output = Result<(), String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let call = self.0.as_mut();
        allocator::measured(|| measured_poll(call, context))
    }
}

#[inline(never)]
fn measured_poll(call: Call<'_>, context: &mut Context<'_>) -> Poll<Result<(), String>> {
    call.poll(context)
}
