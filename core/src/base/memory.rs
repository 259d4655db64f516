//! Memory that may not be there: what is missing costs a span, not the process.
#![expect(
    unsafe_code,
    reason = "`Box::new` ends the process where there is no memory, and `Box::try_new` is not stable"
)]

use std::alloc::{Layout, alloc};
use std::ptr::NonNull;

/// As `Box::new`; `None` where there is no memory.
pub(crate) fn boxed<T>(value: T) -> Option<Box<T>> {
    const { assert!(size_of::<T>() > 0, "nothing needs no memory") };
    // SAFETY: the layout has a size.
    let memory = unsafe { alloc(Layout::new::<T>()) };
    let memory = NonNull::new(memory.cast::<T>())?;
    // SAFETY: the memory is new and as `T` needs it, and `Box` frees it as it was taken.
    unsafe {
        memory.write(value);
        Some(Box::from_raw(memory.as_ptr()))
    }
}

/// A vector with room; without where there is no memory.
pub(crate) fn with_capacity<T>(capacity: usize) -> Vec<T> {
    let mut vector = Vec::new();
    let _ = vector.try_reserve_exact(capacity);
    vector
}
