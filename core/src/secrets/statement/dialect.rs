//! The languages of databases.

/// The language of a database, as far as its literals and comments differ from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// Any other, such as `PartiQL`. Where servers would read a text in different ways, all
    /// from there on is hidden.
    #[default]
    Generic,
    /// MySQL and MariaDB: `"a"` is a literal, `#` begins a comment, `--` only before a blank.
    MySql,
    /// PostgreSQL: comments nest, `$$a$$` is a literal, `"a"` a name.
    Postgres,
    /// SQLite: `[a]` is a name, `"a"` a name or a literal.
    Sqlite,
}

/// Whether a backslash keeps the quote behind it from ending a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escapes {
    Always,
    Never,
    /// It depends on the server's settings.
    Unknown,
}

impl Dialect {
    /// Of a literal in such quotes, without a prefix.
    pub(super) fn escapes(self) -> Escapes {
        match self {
            Self::Sqlite => Escapes::Never,
            _ => Escapes::Unknown,
        }
    }

    /// Of a literal with this prefix.
    pub(super) fn escapes_behind(self, prefix: &str) -> Escapes {
        match (self, prefix) {
            (Self::Postgres, "e" | "E") => Escapes::Always,
            (Self::Postgres, "u&" | "U&" | "x" | "X" | "b" | "B") => Escapes::Never,
            _ => self.escapes(),
        }
    }

    /// Whether `$` is part of no name.
    pub(super) fn has_dollar_signs(self) -> bool {
        matches!(self, Self::Generic | Self::Postgres)
    }

    /// Whether `$a$` may quote a literal, or begin a name.
    pub(super) fn may_have_dollar_quotes(self) -> bool {
        matches!(self, Self::Generic | Self::MySql)
    }

    /// Whether what stands in double quotes is a name and nothing else.
    pub(super) fn has_quoted_names(self) -> bool {
        self == Self::Postgres
    }
}
