//! The parts of a statement.

/// A part of a statement, as its server reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    Comment,
    /// A comment for the optimizer: `/*+ … */`.
    Hint,
    /// A literal, with so many bytes of prefix and quote before its content, and so many
    /// of quote behind it: none where it does not end.
    Literal {
        before: usize,
        behind: usize,
    },
    /// A name in quotes of its own: `` `a` ``, `[a]`.
    Name,
    Number,
    /// What stands in double quotes where these are for names.
    QuotedName,
    /// An operator, a comma, a parenthesis, a parameter.
    Sign,
    /// The rest of a statement of which nobody but its server knows what it is.
    Unsure,
    Word,
}

impl<'a> Token<'a> {
    /// What stands between the quotes of a literal or a name.
    pub(super) fn content(&self) -> &'a str {
        let (before, behind) = match self.kind {
            Kind::Literal { before, behind } => (before, behind),
            Kind::Name | Kind::QuotedName => (1, 1),
            _ => (0, 0),
        };
        let end = self.text.len().saturating_sub(behind);
        self.text.get(before..end).unwrap_or_default()
    }
}
