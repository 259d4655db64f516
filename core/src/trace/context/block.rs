//! The memory of one open span.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::base::losses::Losses;
use crate::base::memory;
use crate::policy::LiveSettings;
use crate::record::head::{Head, Traits};
use crate::trace::context::Context;
use crate::trace::context::inbox::Inbox;
use crate::trace::context::local;
use crate::trace::context::local::Local;
use crate::trace::context::polls::Polls;
use crate::trace::context::tracer::GLOBAL;

/// Attribute bytes a block starts with: typical HTTP and SQL spans fit.
const CAPACITY: usize = 512;

/// A larger attribute buffer is not kept when its span has ended.
const KEPT: usize = 2 * 1024;

/// The process's number in its line of forks, from 1. Spans that were open at a
/// fork are recorded by the parent.
static GENERATION: AtomicU32 = AtomicU32::new(1);

#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// In a forked child: all open spans are the parent's.
pub(crate) fn disown() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// What a [`Span`](crate::trace::span::Span) points to. Blocks are pooled by thread, so that
/// a span costs no allocation.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) context: Context,
    /// The [`generation`] that records it. 0 for a block that only carries a
    /// context: nothing is recorded, and the next three mean nothing.
    pub(crate) recorded_by: u32,
    pub(crate) traits: Traits,
    /// 0: a root.
    pub(crate) parent: u64,
    /// Ticks.
    pub(crate) start: u64,
    pub(crate) attributes: Vec<u8>,
    pub(crate) rare: Option<Box<Rare>>,
    /// The next block of the thread's pool.
    pub(crate) next: Option<Box<Block>>,
}

/// What few spans have. It costs the others one look when they end.
#[derive(Debug, Default)]
pub(crate) struct Rare {
    /// Where other threads leave attributes, if they asked for it.
    pub(crate) inbox: Option<Arc<Inbox>>,
    /// How its polls go, if they are timed.
    pub(crate) polls: Option<Box<Polls>>,
}

impl Block {
    /// `None`, which is counted, where there is no memory.
    #[cold]
    pub(crate) fn boxed() -> Option<Box<Self>> {
        let block = memory::boxed(Self {
            context: Context::default(),
            recorded_by: 0,
            traits: Traits::default(),
            parent: 0,
            start: 0,
            attributes: memory::with_capacity(CAPACITY),
            rare: None,
            next: None,
        });
        if block.is_none() {
            Losses::unbegun();
        }
        block
    }

    /// A block that carries `context` into a future or a thread: nothing is
    /// recorded by it.
    pub(crate) fn carrier(context: Context) -> Option<Box<Self>> {
        let mut block = local::with(Local::take_block)?;
        block.context = context;
        block.recorded_by = 0;
        Some(block)
    }

    /// True while its span is open: attributes are kept.
    #[inline]
    pub(crate) fn is_recording(&self) -> bool {
        self.recorded_by != 0
    }

    /// The settings of the tracer it goes to.
    pub(crate) fn settings(&self) -> &LiveSettings {
        self.context
            .scope()
            .map_or(&GLOBAL, |scope| scope.settings())
    }

    /// True where its polls are timed.
    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.polls.is_some())
    }

    /// Times its polls from now on.
    #[cold]
    pub(crate) fn time_polls(&mut self) {
        self.meter_polls().describe();
    }

    /// Notes what is allocated in its polls from now on.
    #[cold]
    pub(crate) fn meter_polls(&mut self) -> &mut Polls {
        let rare = self.rare.get_or_insert_default();
        rare.polls.get_or_insert_default()
    }

    /// True where it is this process that records it.
    #[inline]
    pub(crate) fn is_ours(&self) -> bool {
        self.recorded_by == generation()
    }

    /// What is recorded of a span that ends at `end`.
    #[inline]
    pub(crate) fn head(&self, end: u64) -> Head {
        Head {
            trace: self.context.trace,
            span: self.context.span,
            parent: self.parent,
            start: self.start,
            end,
            traits: self.traits,
        }
    }

    /// Empties the block, which has nothing rare any more, for its
    /// next use.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.attributes.clear();
        if self.attributes.capacity() > KEPT {
            self.attributes = memory::with_capacity(CAPACITY);
        }
    }
}
