//! What a thread keeps: the span it is in, spare blocks, its random numbers and
//! its segment. All of it is touched with `try_with`: while a thread ends, spans
//! still work, only slower.

use std::cell::{Cell, RefCell};

use crate::context::Context;
use crate::id::Generator;
use crate::segment::Writer;
use crate::span::block::Block;

/// Spare blocks a thread keeps. Further ones are freed.
const POOL: usize = 128;

pub(crate) struct Local {
    /// The block of the innermost span that was entered: moved in and out,
    /// never shared. It is empty while a closure of `current` has it.
    slot: Cell<Option<Box<Block>>>,
    #[expect(
        clippy::vec_box,
        reason = "a block is handed out as a box and stays where it is"
    )]
    pool: RefCell<Vec<Box<Block>>>,
    generator: Cell<Generator>,
    writer: RefCell<Writer>,
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            slot: Cell::new(None),
            pool: RefCell::new(Vec::new()),
            generator: Cell::new(Generator::unseeded()),
            writer: RefCell::new(Writer::new()),
        }
    };
}

/// Exchanges the slot's content and `block`: entering a span is one call,
/// leaving it another. False where the thread is about to end.
#[inline]
pub(crate) fn swap(block: &mut Option<Box<Block>>) -> bool {
    LOCAL
        .try_with(|local| *block = local.slot.replace(block.take()))
        .is_ok()
}

/// Calls `f` with the current context.
#[inline]
pub(crate) fn with_current<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    LOCAL
        .try_with(|local| {
            let block = local.slot.take()?;
            let result = f(&block.context);
            local.slot.set(Some(block));
            Some(result)
        })
        .ok()?
}

/// A random id, never 0.
#[inline]
pub(crate) fn next_id() -> u64 {
    LOCAL
        .try_with(|local| {
            let mut generator = local.generator.get();
            let id = generator.next();
            local.generator.set(generator);
            id
        })
        .unwrap_or_else(|_| Generator::unseeded().next())
}

/// Forgets this thread's random numbers: a forked child must not repeat its
/// parent's.
pub(crate) fn reseed() {
    let _ = LOCAL.try_with(|local| local.generator.set(Generator::unseeded()));
}

/// A spare block, or a new one.
#[inline]
pub(crate) fn take_block() -> Box<Block> {
    LOCAL
        .try_with(|local| local.pool.try_borrow_mut().ok()?.pop())
        .ok()
        .flatten()
        .unwrap_or_else(Block::boxed)
}

/// Keeps a block that was emptied for the next span.
#[inline]
pub(crate) fn return_block(block: Box<Block>) {
    let _ = LOCAL.try_with(|local| {
        if let Ok(mut pool) = local.pool.try_borrow_mut() {
            if pool.len() < POOL {
                pool.push(block);
            }
        }
    });
}

/// Calls `f` with this thread's writer; `None` where the thread is about to end.
#[inline]
pub(crate) fn with_writer<R>(f: impl FnOnce(&mut Writer) -> R) -> Option<R> {
    LOCAL
        .try_with(|local| Some(f(&mut *local.writer.try_borrow_mut().ok()?)))
        .ok()?
}
