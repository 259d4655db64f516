//! An allocator.

#[global_allocator]
static MIMALLOC: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub(crate) fn run() {
    #[cfg(feature = "alloc-traced")]
    instana_alloc::Mimalloc.register();
    println!("{}", Box::new(1));
}
