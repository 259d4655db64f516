//! What a thread keeps: the span it is in, spare blocks, its random numbers and
//! its segment.
//!
//! A thread-local value with a destructor asks at each use whether it was
//! registered. So what is used with every span has none: a second value, which
//! is touched when the thread takes something for the first time, empties the
//! first at the thread's end. Spans that end still later work, only slower.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use crate::base::id::Generator;
use crate::record::head::Head;
use crate::record::segment::{POOL, Writer};
use crate::trace::context::Context;
use crate::trace::context::block::Block;

/// Spare blocks a thread keeps. Further ones are freed.
const SPARES: u32 = 128;

/// In place of the number of spare blocks: nothing was kept yet, or nothing is
/// kept any more.
const NONE_YET: u32 = u32::MAX;
const NO_MORE: u32 = u32::MAX - 1;

/// A place for a block that is not dropped with it.
type BlockCell = Cell<ManuallyDrop<Option<Box<Block>>>>;

/// What a thread keeps.
pub(crate) struct Local {
    /// The block of the innermost span that was entered: moved in and out, never
    /// shared. What enters a span leaves it: at the end it is empty.
    slot: BlockCell,
    /// Spare blocks, each with the next one.
    spare: BlockCell,
    spares: Cell<u32>,
    generator: Cell<Generator>,
    writer: RefCell<ManuallyDrop<Writer>>,
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            slot: Cell::new(ManuallyDrop::new(None)),
            spare: Cell::new(ManuallyDrop::new(None)),
            spares: Cell::new(NONE_YET),
            generator: Cell::new(Generator::unseeded()),
            writer: RefCell::new(ManuallyDrop::new(Writer::new())),
        }
    };

    static END: End = const { End };
}

const _: () = assert!(
    !std::mem::needs_drop::<Local>(),
    "nothing is asked at each use"
);

/// Calls `f` with what the thread keeps. Starting or ending a span is one such
/// call.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Local) -> R) -> R {
    // `LocalKey::with` is not inlined into other crates.
    match LOCAL.try_with(f) {
        Ok(result) => result,
        Err(_) => unreachable!("a value without a destructor is there as long as its thread"),
    }
}

/// Puts `block` into the slot; what was there.
#[inline]
pub(crate) fn exchange(block: Option<Box<Block>>) -> Option<Box<Block>> {
    with(|local| exchange_in(&local.slot, block))
}

/// Calls `f` with the current context.
#[inline]
pub(crate) fn with_current<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    let block = exchange(None)?;
    let result = f(&block.context);
    with(|local| local.enter(block));
    Some(result)
}

/// A random id, never 0.
#[inline]
pub(crate) fn next_id() -> u64 {
    with(Local::next_id)
}

/// Forgets this thread's random numbers: a forked child must not repeat its
/// parent's.
pub(crate) fn reseed() {
    with(|local| local.generator.set(Generator::unseeded()));
}

impl Local {
    /// Takes the block of the current span, which [`enter`](Self::enter) puts back.
    #[inline]
    pub(crate) fn leave(&self) -> Option<Box<Block>> {
        exchange_in(&self.slot, None)
    }

    /// Makes this the block of the current span, where there is none.
    #[inline]
    pub(crate) fn enter(&self, block: Box<Block>) {
        self.slot.set(ManuallyDrop::new(Some(block)));
    }

    /// A random id, never 0.
    #[inline]
    pub(crate) fn next_id(&self) -> u64 {
        let mut generator = self.generator.get();
        let id = generator.next();
        self.generator.set(generator);
        id
    }

    /// A spare block, or a new one; `None` where there is no memory.
    #[inline]
    pub(crate) fn take_block(&self) -> Option<Box<Block>> {
        let Some(mut block) = exchange_in(&self.spare, None) else {
            return Block::boxed();
        };
        self.spare.set(ManuallyDrop::new(block.next.take()));
        self.spares.set(self.spares.get() - 1);
        Some(block)
    }

    /// Keeps a block that was emptied for the next span.
    #[inline]
    pub(crate) fn return_block(&self, block: Box<Block>) {
        if self.spares.get() < SPARES {
            self.keep(block);
        } else {
            self.return_other(block);
        }
    }

    #[inline(always)]
    fn keep(&self, mut block: Box<Block>) {
        block.next = exchange_in(&self.spare, None);
        self.spare.set(ManuallyDrop::new(Some(block)));
        self.spares.set(self.spares.get() + 1);
    }

    /// The first block of a thread, or one too many.
    #[cold]
    fn return_other(&self, block: Box<Block>) {
        if self.spares.get() == NONE_YET && is_alive() {
            self.spares.set(0);
            self.keep(block);
        }
    }

    /// Records a finished span in this thread's segment. Where that is not
    /// possible, because the thread ends or this span ended inside of the
    /// tracer's own work, it goes to the shared one.
    #[inline]
    pub(crate) fn record(&self, head: &Head, attributes: &[u8]) {
        let Ok(mut writer) = self.writer.try_borrow_mut() else {
            return POOL.record_shared(head, attributes);
        };
        if !writer.record(&POOL, head, attributes) {
            if is_alive() {
                writer.record_in_next(&POOL, head, attributes);
            } else {
                POOL.record_shared(head, attributes);
            }
        }
    }

    #[cold]
    fn empty(&self) {
        // One by one: a list that drops itself would recurse.
        let mut next = exchange_in(&self.spare, None);
        while let Some(mut block) = next {
            next = block.next.take();
        }
        self.spares.set(NO_MORE);
        if let Ok(mut writer) = self.writer.try_borrow_mut() {
            writer.retire();
        }
    }
}

#[inline]
fn exchange_in(place: &BlockCell, block: Option<Box<Block>>) -> Option<Box<Block>> {
    ManuallyDrop::into_inner(place.replace(ManuallyDrop::new(block)))
}

/// The end of a thread.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        with(Local::empty);
    }
}

/// True where the end of the thread will be noticed; false when it has been.
#[cold]
#[inline(never)]
fn is_alive() -> bool {
    END.try_with(|_| ()).is_ok()
}
