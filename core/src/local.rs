//! What a thread keeps: the span it is in, spare blocks, its random numbers and
//! its segment. While a thread ends, spans still work, only slower.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use crate::context::Context;
use crate::id::Generator;
use crate::segment::Writer;
use crate::span::block::Block;

/// Spare blocks a thread keeps. Further ones are freed.
const POOL: u32 = 128;

/// The block of the innermost span that was entered: moved in and out, never
/// shared.
type Slot = Cell<ManuallyDrop<Option<Box<Block>>>>;

thread_local! {
    /// Without a destructor, which would have to be asked for at each use. What
    /// enters a span leaves it, so that there is nothing to drop at the end.
    static SLOT: Slot = const { Cell::new(ManuallyDrop::new(None)) };

    static LOCAL: Local = const {
        Local {
            spare: Cell::new(None),
            spares: Cell::new(0),
            generator: Cell::new(Generator::unseeded()),
            writer: RefCell::new(Writer::new()),
        }
    };
}

/// Puts `block` into the slot; what was there.
#[inline]
pub(crate) fn exchange(block: Option<Box<Block>>) -> Option<Box<Block>> {
    let block = ManuallyDrop::new(block);
    // Not `with`, which is not always inlined. It cannot fail.
    let before = SLOT.try_with(|slot| slot.replace(block));
    before.map_or(None, ManuallyDrop::into_inner)
}

/// Puts `block` back into the slot, from where it was taken. Nothing is there,
/// which costs less to forget than to drop.
#[inline]
pub(crate) fn put_back(block: Box<Block>) {
    std::mem::forget(exchange(Some(block)));
}

/// Calls `f` with the current context.
#[inline]
pub(crate) fn with_current<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    let block = exchange(None)?;
    let result = f(&block.context);
    put_back(block);
    Some(result)
}

/// What a thread keeps besides.
pub(crate) struct Local {
    /// Spare blocks, each with the next one.
    spare: Cell<Option<Box<Block>>>,
    spares: Cell<u32>,
    generator: Cell<Generator>,
    writer: RefCell<Writer>,
}

/// Calls `f` with what the thread keeps; `None` where the thread is about to
/// end. Starting or ending a span is one such call.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Local) -> R) -> Option<R> {
    LOCAL.try_with(f).ok()
}

impl Local {
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
        put(&self.spare, block.next.take());
        self.spares.set(self.spares.get() - 1);
        block
    }

    /// Keeps a block that was emptied for the next span.
    #[inline]
    pub(crate) fn return_block(&self, mut block: Box<Block>) {
        let spares = self.spares.get();
        if spares < POOL {
            std::mem::forget(std::mem::replace(&mut block.next, self.spare.take()));
            put(&self.spare, Some(block));
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

/// Fills a cell that is empty. Nothing is looked at, and nothing is there, to be
/// dropped: that would be one instruction in eight of starting a span.
#[inline]
fn put(empty: &Cell<Option<Box<Block>>>, block: Option<Box<Block>>) {
    std::mem::forget(empty.replace(block));
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
