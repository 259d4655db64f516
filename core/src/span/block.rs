//! The memory of one open span.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::handle::Inbox;
use crate::context::{Context, Flags};
use crate::local;
use crate::record::Head;

/// Attribute bytes a block starts with: typical HTTP and SQL spans fit.
const CAPACITY: usize = 512;

/// A larger attribute buffer is not kept when its span has ended.
const KEPT: usize = 2 * 1024;

/// Forks that led to this process. Spans that were open at one of them are
/// recorded by the parent.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The process's number in its line of forks.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// In a forked child: all open spans are the parent's.
pub(crate) fn disown() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// What a [`Span`](super::Span) points to. Blocks are pooled by thread, so that
/// a span costs no allocation.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) context: Context,
    /// What will be recorded; a block that only carries a context has none.
    pub(crate) head: Option<Head>,
    pub(crate) attributes: Vec<u8>,
    /// Where other threads leave attributes, if they asked for it.
    pub(crate) inbox: Option<Arc<Inbox>>,
    /// Where it was filled: elsewhere it is not recorded.
    generation: u32,
}

impl Block {
    pub(crate) fn boxed() -> Box<Self> {
        Box::new(Self {
            context: Context::default(),
            head: None,
            attributes: Vec::with_capacity(CAPACITY),
            inbox: None,
            generation: 0,
        })
    }

    /// Makes it a span that is open from now on.
    #[inline]
    pub(crate) fn open(&mut self, head: Head) {
        self.head = Some(head);
        self.generation = generation();
    }

    /// What is to be recorded at the end.
    #[inline]
    pub(crate) fn close(&mut self) -> Option<Head> {
        let head = self.head.take();
        if self.generation == generation() {
            head
        } else {
            None
        }
    }

    /// A block that carries `context` into a future or a thread: nothing is
    /// recorded by it.
    pub(crate) fn carrier(context: Context) -> Box<Self> {
        let mut block = local::take_block();
        block.context = context;
        block
    }

    /// Empties the block and gives it back to the thread's pool.
    #[inline]
    pub(crate) fn recycle(mut self: Box<Self>) {
        self.head = None;
        self.context.flags = Flags::default();
        self.context.extra = None;
        self.inbox = None;
        if self.attributes.capacity() > KEPT {
            self.attributes = Vec::with_capacity(CAPACITY);
        }
        self.attributes.clear();
        local::return_block(self);
    }
}
