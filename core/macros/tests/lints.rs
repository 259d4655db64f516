//! What the attribute writes is no finding of rustc's or clippy's lints, of those that
//! are off by default either, and what the user wrote still is one. The first is what
//! `cargo clippy --tests` says of this file; the second are its `expect`s.
#![deny(
    warnings,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    if_let_rescope,
    let_underscore_drop,
    missing_debug_implementations,
    missing_docs,
    redundant_lifetimes,
    rust_2018_idioms,
    single_use_lifetimes,
    tail_expr_drop_order,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unreachable_pub,
    unsafe_code,
    unused,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(
    clippy::absolute_paths,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::clone_on_ref_ptr,
    clippy::default_numeric_fallback,
    clippy::else_if_without_else,
    clippy::exhaustive_enums,
    clippy::expect_used,
    clippy::implicit_return,
    clippy::indexing_slicing,
    clippy::infinite_loop,
    clippy::let_underscore_must_use,
    clippy::let_underscore_untyped,
    clippy::min_ident_chars,
    clippy::missing_docs_in_private_items,
    clippy::panic,
    clippy::pattern_type_mismatch,
    clippy::question_mark_used,
    clippy::redundant_type_annotations,
    clippy::same_name_method,
    clippy::semicolon_outside_block,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unused_result_ok,
    clippy::unwrap_used
)]

/// Bodies of one line: rustc takes the braces of some for ones that are not needed.
#[rustfmt::skip]
#[expect(dead_code, clippy::redundant_pub_crate, reason = "most are only compiled")]
mod one_line {
    use core::fmt::Display;
    use core::future::Future;
    use core::pin::Pin;
    use std::io::{Error, Result};
    use std::process::abort;

    /// What is borrowed.
    pub(crate) struct Basket<'items> {
        /// All of it.
        pub(crate) items: &'items [u8],
    }

    impl Basket<'_> {
        #[instana::trace] pub(crate) async fn len(&self) -> usize { self.items.len() }
        #[instana::trace(tags(len = self.items.len()))] pub(crate) fn first(&self) -> Option<&u8> { self.items.first() }
        #[instana::trace] pub(crate) async fn last(&mut self) -> Option<&u8> { self.items = &[2]; self.items.last() }
    }

    #[instana::trace] pub(crate) async fn number() -> u8 { 3 }
    #[instana::trace] pub(crate) async fn nothing() {}
    #[instana::trace] pub(crate) async fn awaiting() { nothing().await }
    #[instana::trace] pub(crate) async fn unit() -> () { nothing().await }
    #[instana::trace(tags(number))] pub(crate) async fn argument(number: u8) -> u8 { number }
    #[instana::trace(errors = false)] pub(crate) async fn unlooked() -> Result<()> { Ok(()) }
    #[instana::trace(kind = exit)] pub(crate) async fn failing() -> Result<u8> { Err(Error::other("no")) }
    #[instana::trace] pub(crate) async fn boxed() -> Box<dyn Fn() -> u8 + Send> { Box::new(u8::default) }
    #[instana::trace] pub(crate) async fn displayed() -> impl Display { number().await }
    #[instana::trace] pub(crate) async fn future() -> impl Future<Output = u8> { nothing().await; number() }
    #[instana::trace] pub(crate) async fn boxed_future() -> Pin<Box<dyn Future<Output = u8> + Send>> { nothing().await; Box::pin(number()) }
    #[instana::trace] pub(crate) async fn never() -> ! { loop { nothing().await } }
    #[instana::trace] pub(crate) async fn generic<T: Clone + Send + Sync>(item: &T) -> T { nothing().await; item.clone() }
    #[instana::trace] pub(crate) fn sync() -> u8 { 3 }
    #[instana::trace] pub(crate) fn sync_nothing() {}
    #[expect(clippy::unused_unit, reason = "the user's")]
    #[instana::trace] pub(crate) fn sync_unit() -> () { sync_nothing() }
    #[instana::trace(tags(number, twice = number.saturating_mul(2)))] pub(crate) fn sync_argument(number: u8) -> u8 { number }
    #[instana::trace] pub(crate) fn sync_failing() -> Result<u8> { Err(Error::other("no")) }
    #[instana::trace] pub(crate) fn sync_displayed() -> impl Display { sync() }
    #[instana::trace] pub(crate) fn sync_future() -> impl Future<Output = u8> { number() }
    #[instana::trace] pub(crate) fn sync_boxed_future() -> Pin<Box<dyn Future<Output = u8> + Send>> { Box::pin(number()) }
    #[instana::trace] pub(crate) fn sync_never() -> ! { abort() }
}

/// The body stays the user's.
#[expect(
    dead_code,
    clippy::redundant_pub_crate,
    reason = "they are only compiled"
)]
mod findings {
    #[expect(unused_variables, unused_mut, reason = "the body has that finding")]
    #[instana::trace]
    pub(crate) async fn unused() -> u8 {
        let mut unused = 3_u8;
        4
    }

    #[expect(unreachable_code, reason = "the body has that finding")]
    #[instana::trace]
    pub(crate) fn unreachable() -> u8 {
        return 3;
        4
    }

    #[instana::trace]
    pub(crate) async fn inside(text: &str) -> u8 {
        #[expect(unused_must_use, reason = "the body has that finding")]
        text.parse::<u8>();
        #[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "as above")]
        let number = [3_u8, 4][text.len()].checked_add(1).unwrap();
        number
    }
}

/// Nobody calls it.
#[expect(dead_code, reason = "a function without a use stays one")]
#[instana::trace]
fn dead() -> u8 {
    3
}

#[test]
fn functions_without_findings_are_called() {
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    let mut basket = one_line::Basket { items: &[1, 2] };
    assert_eq!(basket.first(), Some(&1));
    let waker = Waker::noop();
    let mut context = Context::from_waker(waker);
    let len = pin!(basket.len()).poll(&mut context);
    assert_eq!(len, Poll::Ready(2));
    let last = pin!(basket.last()).poll(&mut context);
    assert_eq!(last, Poll::Ready(Some(&2)));
    assert_eq!(one_line::sync(), 3);
}
