//! What the setters of a builder are given.

/// What a setter is given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<'a, T> {
    /// In the form of the variable.
    Text(&'a str),
    Value(T),
}
