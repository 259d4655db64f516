//! What `#[instana::trace]` expands to needs these. They are no part of the API.

use std::error::Error;
use std::fmt::Display;
use std::ops::Deref;

use crate::trace::span::{Failure, Span};

/// What a function returned. `record` is the method of the first type in the
/// chain of derefs below that knows this output: each knows less of it than the
/// one before.
#[derive(Debug)]
pub struct Outcome<'a, T>(Lending<'a, T>);

impl<'a, T> Outcome<'a, T> {
    #[inline]
    pub fn new(output: &'a T) -> Self {
        Self(Lending(LendingLocal(Displayed(Opaque(Other(output))))))
    }
}

impl<T, E: Error> Outcome<'_, Result<T, E>> {
    #[inline]
    pub fn record(&self, span: &mut Span) {
        if let Err(error) = self.output() {
            span.record_error(error);
        }
    }
}

/// `Box<dyn Error>`, `anyhow::Error` and `eyre::Report` do not implement `Error`, but lend
/// a `&dyn Error`.
#[derive(Debug)]
pub struct Lending<'a, T>(LendingLocal<'a, T>);

impl<T, E: AsRef<dyn Error + Send + Sync>> Lending<'_, Result<T, E>> {
    #[inline]
    pub fn record(&self, span: &mut Span) {
        if let Err(error) = self.output() {
            span.record_error(error.as_ref());
        }
    }
}

/// As [`Lending`], of errors that stay on their thread.
#[derive(Debug)]
pub struct LendingLocal<'a, T>(Displayed<'a, T>);

impl<T, E: AsRef<dyn Error>> LendingLocal<'_, Result<T, E>> {
    #[inline]
    pub fn record(&self, span: &mut Span) {
        if let Err(error) = self.output() {
            span.record_error(error.as_ref());
        }
    }
}

/// Errors that are text only.
#[derive(Debug)]
pub struct Displayed<'a, T>(Opaque<'a, T>);

impl<T, E: Display> Displayed<'_, Result<T, E>> {
    #[inline]
    pub fn record(&self, span: &mut Span) {
        if let Err(error) = self.output() {
            span.record_error(Failure::display(error));
        }
    }
}

/// Errors of which nothing is known.
#[derive(Debug)]
pub struct Opaque<'a, T>(Other<'a, T>);

impl<T, E> Opaque<'_, Result<T, E>> {
    #[inline]
    pub fn record(&self, span: &mut Span) {
        if self.output().is_err() {
            span.mark_erroneous();
        }
    }
}

/// What is no `Result`.
#[derive(Debug)]
pub struct Other<'a, T>(&'a T);

impl<T> Other<'_, T> {
    #[inline]
    pub fn record(&self, _: &mut Span) {}

    #[inline]
    fn output(&self) -> &T {
        self.0
    }
}

macro_rules! less {
    ($($known:ident -> $less:ident,)+) => {
        $(impl<'a, T> Deref for $known<'a, T> {
            type Target = $less<'a, T>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        })+
    };
}

less! {
    Outcome -> Lending,
    Lending -> LendingLocal,
    LendingLocal -> Displayed,
    Displayed -> Opaque,
    Opaque -> Other,
}

/// A value of any type, which is never made.
pub fn never<T>() -> T {
    loop {
        std::hint::spin_loop();
    }
}
