//! What a thread keeps: the span it is in, spare blocks, its random numbers and
//! its segment. All of it is touched with `try_with`: while a thread ends, spans
//! still work, only slower.

use std::cell::{Cell, RefCell};

use crate::context::Context;
use crate::id::Generator;
use crate::segment::Writer;
use crate::span::block::Block;

/// Spare blocks a thread keeps. Further ones are freed.
const POOL: u32 = 128;

pub(crate) struct Local {
    /// The block of the innermost span that was entered: moved in and out,
    /// never shared. It is empty while a closure of `current` has it.
    slot: Cell<Option<Box<Block>>>,
    /// Spare blocks, each with the next one.
    spare: Cell<Option<Box<Block>>>,
    spares: Cell<u32>,
    generator: Cell<Generator>,
    writer: RefCell<Writer>,
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            slot: Cell::new(None),
            spare: Cell::new(None),
            spares: Cell::new(0),
            generator: Cell::new(Generator::unseeded()),
            writer: RefCell::new(Writer::new()),
        }
    };
}

/// Calls `f` with what the thread keeps; `None` where the thread is about to
/// end. Starting or ending a span is one such call.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Local) -> R) -> Option<R> {
    LOCAL.try_with(f).ok()
}

impl Local {
    /// Takes the block of the current span, which [`enter`](Self::enter) puts back.
    #[inline]
    pub(crate) fn leave(&self) -> Option<Box<Block>> {
        self.slot.take()
    }

    /// Makes this the block of the current span.
    #[inline]
    pub(crate) fn enter(&self, block: Box<Block>) {
        self.slot.set(Some(block));
    }

    /// Calls `f` with the current context.
    #[inline]
    pub(crate) fn with_current<R>(&self, f: impl FnOnce(&Context) -> R) -> Option<R> {
        let block = self.leave()?;
        let result = f(&block.context);
        self.enter(block);
        Some(result)
    }

    /// A random id, never 0.
    #[inline]
    pub(crate) fn next_id(&self) -> u64 {
        let mut generator = self.generator.get();
        let id = generator.next();
        self.generator.set(generator);
        id
    }

    /// A spare block, or a new one.
    #[inline]
    pub(crate) fn take_block(&self) -> Box<Block> {
        let Some(mut block) = self.spare.take() else {
            return Block::boxed();
        };
        self.spare.set(block.next.take());
        self.spares.set(self.spares.get() - 1);
        block
    }

    /// Keeps a block that was emptied for the next span.
    #[inline]
    pub(crate) fn return_block(&self, mut block: Box<Block>) {
        let spares = self.spares.get();
        if spares < POOL {
            block.next = self.spare.take();
            self.spare.set(Some(block));
            self.spares.set(spares + 1);
        }
    }

    /// Calls `f` with this thread's writer, unless that is in use already: by a
    /// span that ends inside of the tracer's own work.
    #[inline]
    pub(crate) fn with_writer<R>(&self, f: impl FnOnce(&mut Writer) -> R) -> Option<R> {
        Some(f(&mut *self.writer.try_borrow_mut().ok()?))
    }
}

impl Drop for Local {
    /// One by one: a list that drops itself would recurse.
    fn drop(&mut self) {
        let mut next = self.spare.take();
        while let Some(mut block) = next {
            next = block.next.take();
        }
    }
}

/// Exchanges the slot's content and `block`: entering a span is one call,
/// leaving it another. False where the thread is about to end.
#[inline]
pub(crate) fn swap(block: &mut Option<Box<Block>>) -> bool {
    with(|local| *block = local.slot.replace(block.take())).is_some()
}

/// Calls `f` with the current context.
#[inline]
pub(crate) fn with_current<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    with(|local| local.with_current(f)).flatten()
}

/// A random id, never 0.
pub(crate) fn next_id() -> u64 {
    with(Local::next_id).unwrap_or_else(|| Generator::unseeded().next())
}

/// Forgets this thread's random numbers: a forked child must not repeat its
/// parent's.
pub(crate) fn reseed() {
    with(|local| local.generator.set(Generator::unseeded()));
}
