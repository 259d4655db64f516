//! Statements, part by part, as their server reads them.

use crate::secrets::search::run;
use crate::secrets::statement::dialect::{Dialect, Escapes};
use crate::secrets::statement::lengths::{
    End, begin_of_code, end_of_quoted, nested_comment, number,
};
use crate::secrets::statement::token::{Kind, Token};
use crate::secrets::work_counter;

/// Digits of the longest number of a parameter: `$1`, `?12`.
const MAX_PARAMETER: usize = 5;

/// Bytes of the longest name in quotes whose language is not known.
const MAX_NAME: usize = 128;

/// Cuts a statement into tokens that are all of it together, in time that grows as the
/// statement does.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    dialect: Dialect,
    text: &'a str,
    /// Where the next token begins.
    at: usize,
    /// What stands before that.
    before: Option<char>,
    /// No quote stands between `at` and here.
    no_quote_until: usize,
    /// The place of the first closing bracket that was not passed yet, if there is one.
    bracket: Option<Option<usize>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(dialect: Dialect, text: &'a str) -> Self {
        Self {
            dialect,
            text,
            at: 0,
            before: None,
            no_quote_until: 0,
            bracket: None,
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn behind(&self, len: usize) -> &'a str {
        self.text.get(self.at + len..).unwrap_or_default()
    }

    fn next_kind(&mut self, first: char) -> (Kind, usize) {
        let rest = self.rest();
        let is = |start: &str| rest.starts_with(start);
        match first {
            _ if is_blank(first) => (Kind::Blank, run(rest, is_blank)),
            '\'' => self.literal(0, '\'', self.dialect.escapes()),
            '"' if self.dialect.has_quoted_names() => self.name('"', Kind::QuotedName),
            '"' => self.literal(0, '"', self.dialect.escapes()),
            '`' => self.backticks(),
            '[' => self.brackets(),
            '-' if is("--") => self.dashes(),
            '$' | '@' | ':' | '#' if self.tcl_name() > 0 => self.tcl_variable(),
            '#' => self.hash(),
            '/' if is("/*") => self.comment(),
            '$' => self.dollar(),
            '?' => (Kind::Sign, 1 + self.parameter(1)),
            ':' if self.may_be_parameter() => (Kind::Sign, 1 + self.parameter(1)),
            '0'..='9' => (Kind::Number, number(rest)),
            _ if begins_word(first) => self.word(),
            _ => (Kind::Sign, first.len_utf8()),
        }
    }

    fn unsure(&self) -> (Kind, usize) {
        (Kind::Unsure, self.rest().len())
    }

    /// A literal behind `prefix` bytes.
    fn literal(&mut self, prefix: usize, quote: char, escapes: Escapes) -> (Kind, usize) {
        let before = prefix + quote.len_utf8();
        match end_of_quoted(self.behind(before), quote, escapes) {
            End::At(len) => (Kind::Literal { before, behind: 1 }, before + len),
            End::Open => (Kind::Literal { before, behind: 0 }, self.rest().len()),
            End::Unsure => self.unsure(),
        }
    }

    fn name(&self, quote: char, kind: Kind) -> (Kind, usize) {
        match end_of_quoted(self.behind(1), quote, Escapes::Never) {
            End::At(len) => (kind, 1 + len),
            End::Open | End::Unsure => self.unsure(),
        }
    }

    fn backticks(&mut self) -> (Kind, usize) {
        match self.dialect {
            // An operator.
            Dialect::Postgres => (Kind::Sign, 1),
            Dialect::MySql | Dialect::Sqlite => self.name('`', Kind::Name),
            Dialect::Generic => {
                let (kind, len) = self.name('`', Kind::Name);
                let content = self.behind(1).get(..len.saturating_sub(2));
                let is_plain = content.is_some_and(|content| {
                    content.len() <= MAX_NAME && !content.contains(['\'', '"', '`', '\n', ';'])
                });
                if is_plain { (kind, len) } else { self.unsure() }
            }
        }
    }

    /// A name, or the index of an array.
    fn brackets(&mut self) -> (Kind, usize) {
        match self.dialect {
            Dialect::MySql | Dialect::Postgres => return (Kind::Sign, 1),
            Dialect::Generic | Dialect::Sqlite => {}
        }
        let Some(end) = self.closing_bracket() else {
            return match self.dialect {
                Dialect::Sqlite => self.unsure(),
                _ => (Kind::Sign, 1),
            };
        };
        if self.dialect == Dialect::Sqlite {
            (Kind::Name, end + 1 - self.at)
        } else if self.has_quote_before(end) {
            self.unsure()
        } else {
            (Kind::Sign, 1)
        }
    }

    /// Looked for once.
    fn closing_bracket(&mut self) -> Option<usize> {
        let is_passed = |known: Option<usize>| known.is_some_and(|place| place < self.at);
        if self.bracket.is_none_or(is_passed) {
            let found = self.rest().find(']');
            work_counter::count(found.unwrap_or(self.rest().len()));
            self.bracket = Some(found.map(|at| self.at + at));
        }
        self.bracket.flatten()
    }

    /// Whether a quote stands before `end`. What was looked at is not looked at again.
    fn has_quote_before(&mut self, end: usize) -> bool {
        let start = self.no_quote_until.max(self.at);
        if start >= end {
            return false;
        }
        let part = self.text.get(start..end).unwrap_or_default();
        work_counter::count(part.len());
        if part.contains(['\'', '"', '`', '$']) {
            return true;
        }
        self.no_quote_until = end;
        false
    }

    /// The place of the line's end.
    fn end_of_line(&self) -> usize {
        let rest = self.rest();
        let len = match self.dialect {
            Dialect::Postgres => rest.find(['\n', '\r']),
            _ => rest.find('\n'),
        };
        let len = len.unwrap_or(rest.len());
        work_counter::count(len);
        self.at + len
    }

    fn line_comment(&self) -> (Kind, usize) {
        let end = (self.end_of_line() + 1).min(self.text.len());
        (Kind::Comment, end - self.at)
    }

    fn dashes(&mut self) -> (Kind, usize) {
        let next = self.behind(2).chars().next();
        let is_apart = next.is_none_or(|next| is_blank(next) || next.is_control());
        match self.dialect {
            Dialect::MySql if !is_apart => return (Kind::Sign, 1),
            Dialect::Generic => {
                let end = self.end_of_line();
                let line = self.text.get(self.at..end).unwrap_or_default();
                let is_one_line = !line.contains('\r') || line.ends_with('\r');
                if !(is_apart && is_one_line) && self.has_quote_before(end) {
                    return self.unsure();
                }
            }
            _ => {}
        }
        self.line_comment()
    }

    /// A comment, or an operator.
    fn hash(&mut self) -> (Kind, usize) {
        match self.dialect {
            Dialect::MySql => self.line_comment(),
            Dialect::Postgres | Dialect::Sqlite => (Kind::Sign, 1),
            Dialect::Generic => {
                if self.at >= self.no_quote_until {
                    let end = self.end_of_line();
                    if self.has_quote_before(end) {
                        return self.unsure();
                    }
                }
                (Kind::Sign, 1)
            }
        }
    }

    fn comment(&mut self) -> (Kind, usize) {
        let rest = self.rest();
        let is_code = rest.starts_with("/*!") || rest.starts_with("/*M!");
        if is_code && self.dialect == Dialect::MySql {
            return (Kind::Sign, begin_of_code(rest));
        }
        let end = self.behind(2).find("*/").map(|at| at + 4);
        let len = end.unwrap_or(rest.len());
        work_counter::count(len);
        let comment = rest.get(..len).unwrap_or_default();
        let nests = comment.get(2..).unwrap_or_default().contains("/*");
        if self.dialect == Dialect::Generic {
            let is_unsure = nests || (is_code && self.has_quote_before(self.at + len));
            return match (is_unsure, is_code) {
                (true, _) => self.unsure(),
                (false, true) => (Kind::Sign, begin_of_code(rest)),
                (false, false) => (comment_or_hint(comment), len),
            };
        }
        if nests && self.dialect == Dialect::Postgres {
            return (Kind::Comment, nested_comment(rest));
        }
        (comment_or_hint(comment), len)
    }

    /// A literal in dollar quotes, a parameter, or a part of a name.
    fn dollar(&mut self) -> (Kind, usize) {
        let name = run(self.behind(1), |c| is_in_word(c) && c != '$');
        let is_tag = !self.behind(1).starts_with(|c: char| c.is_ascii_digit())
            && self.behind(1 + name).starts_with('$');
        if is_tag && self.dialect != Dialect::Sqlite {
            return self.dollars(name + 2);
        }
        match self.parameter(1) {
            0 if self.dialect.has_dollar_signs() => (Kind::Sign, 1),
            0 => (Kind::Word, 1 + run(self.behind(1), is_in_word)),
            digits => (Kind::Sign, 1 + digits),
        }
    }

    fn dollars(&self, mark: usize) -> (Kind, usize) {
        let tag = self.rest().get(..mark).unwrap_or_default();
        let behind = self.behind(mark);
        let end = behind.find(tag);
        work_counter::count(end.unwrap_or(behind.len()));
        let content = behind.get(..end.unwrap_or(behind.len()));
        let has_signs = content.is_some_and(|content| {
            content.contains(['\'', '"', '`', '#'])
                || content.contains("--")
                || content.contains("/*")
        });
        match end {
            // Where `$` is part of names, the quotes and comments in it count.
            Some(_) if has_signs && self.dialect.may_have_dollar_quotes() => self.unsure(),
            // Before MySQL 9, it is never more than a name.
            None if self.dialect == Dialect::MySql => (Kind::Word, run(self.rest(), is_in_word)),
            Some(end) => (
                Kind::Literal {
                    before: mark,
                    behind: mark,
                },
                end + 2 * mark,
            ),
            None => (
                Kind::Literal {
                    before: mark,
                    behind: 0,
                },
                self.rest().len(),
            ),
        }
    }

    /// The length of SQLite's `$name(` of Tcl, behind whichever sign; 0 where there is none.
    fn tcl_name(&self) -> usize {
        let name = match self.dialect {
            Dialect::Sqlite => run(self.behind(1), is_in_word),
            Dialect::Generic if self.rest().starts_with(['$', '@']) => {
                run(self.behind(1), |c| is_in_word(c) && c != '$')
            }
            _ => return 0,
        };
        let is_one = name > 0 && self.behind(1 + name).starts_with('(');
        if is_one { name + 2 } else { 0 }
    }

    /// A variable of an array: anything goes up to the bracket, but for blanks.
    fn tcl_variable(&mut self) -> (Kind, usize) {
        let name = self.tcl_name();
        let index = run(self.behind(name), |c| !(is_blank(c) || c == ')'));
        if self.dialect == Dialect::Generic {
            let index = self.behind(name).get(..index).unwrap_or_default();
            let has_quote = index.contains(['\'', '"', '`', '$']);
            return match self.rest().starts_with('$') {
                _ if has_quote => self.unsure(),
                true => self.dollar(),
                false => (Kind::Sign, 1),
            };
        }
        if self.behind(name + index).starts_with(')') {
            (Kind::Word, name + index + 1)
        } else {
            self.unsure()
        }
    }

    /// The number of digits that make a parameter of the sign before them.
    fn parameter(&self, sign: usize) -> usize {
        let behind = self.behind(sign);
        let digits = run(behind, |c| c.is_ascii_digit());
        let next = behind.get(digits..).and_then(|rest| rest.chars().next());
        let is_one = digits <= MAX_PARAMETER && !next.is_some_and(|c| is_in_word(c) || c == '.');
        if is_one { digits } else { 0 }
    }

    /// Not where a colon cuts arrays: `a[1:2]`.
    fn may_be_parameter(&self) -> bool {
        let stands_apart = self
            .before
            .is_none_or(|c| !(is_in_word(c) || matches!(c, ')' | ']' | ':')));
        self.dialect != Dialect::Postgres && stands_apart
    }

    fn word(&mut self) -> (Kind, usize) {
        let rest = self.rest();
        let len = run(rest, is_in_word);
        let word = rest.get(..len).unwrap_or_default();
        let behind = self.behind(len);
        let is_prefix = matches!(word, "b" | "B" | "e" | "E" | "n" | "N" | "x" | "X");
        if is_prefix && behind.starts_with('\'') {
            return self.literal(len, '\'', self.dialect.escapes_behind(word));
        }
        if matches!(word, "u" | "U") && behind.starts_with("&'") {
            return self.literal(2, '\'', self.dialect.escapes_behind("U&"));
        }
        if matches!(word, "u" | "U") && behind.starts_with("&\"") {
            return (Kind::Word, 2);
        }
        // Oracle's own quotes: `q'[it's]'`.
        let has_own_quotes = matches!(word, "q" | "Q" | "nq" | "nQ" | "Nq" | "NQ");
        if has_own_quotes && behind.starts_with('\'') && self.dialect == Dialect::Generic {
            return self.unsure();
        }
        (Kind::Word, len)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        let (kind, len) = self.next_kind(first);
        let len = len.max(first.len_utf8());
        work_counter::count(len);
        let text = rest.get(..len).unwrap_or(rest);
        self.at += text.len();
        self.before = text.chars().next_back();
        Some(Token { kind, text })
    }
}

fn comment_or_hint(comment: &str) -> Kind {
    let is_closed = comment.len() >= 5 && comment.ends_with("*/");
    if comment.starts_with("/*+") && is_closed {
        Kind::Hint
    } else {
        Kind::Comment
    }
}

/// Others are parts of names to the servers.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

fn begins_word(c: char) -> bool {
    c == '_' || c.is_alphabetic() || !c.is_ascii()
}

pub(super) fn is_in_word(c: char) -> bool {
    begins_word(c) || c.is_ascii_digit() || c == '$'
}
