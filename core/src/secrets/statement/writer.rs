//! Statements as they are shown.

use super::dialect::Dialect;
use super::reader::Reader;
use super::token::{Kind, Token};
use crate::secrets::REDACTED;
use crate::secrets::key::{is_password, is_secret_or_password};
use crate::secrets::matcher::Matcher;
use crate::secrets::redact::text;

/// What is shown of literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing: a secret may be in one of them.
    Hidden,
    /// That there is one: a question mark.
    Mark,
    /// What free text shows.
    Text,
}

pub(super) struct Writer<'m, 'o> {
    /// Names the secret words; `None` where nobody asks.
    matcher: Option<&'m Matcher>,
    shown: Shown,
    place: Place,
    out: &'o mut String,
}

impl<'m, 'o> Writer<'m, 'o> {
    pub(super) fn new(matcher: &'m Matcher, shown: Shown, out: &'o mut String) -> Self {
        Self {
            matcher: Some(matcher),
            shown,
            place: Place::default(),
            out,
        }
    }

    pub(super) fn masking(out: &'o mut String) -> Self {
        Self {
            matcher: None,
            shown: Shown::Mark,
            place: Place::default(),
            out,
        }
    }

    pub(super) fn write(mut self, dialect: Dialect, statement: &str) {
        let mut tokens = Reader::new(dialect, statement).peekable();
        while let Some(token) = tokens.next() {
            let is_qualifier = tokens.peek().is_some_and(|next| next.text == ".");
            self.token(token, is_qualifier);
            if !matches!(token.kind, Kind::Blank | Kind::Comment | Kind::Hint) {
                self.place.pass(&token, self.is_secret(&token));
            }
        }
    }

    fn is_secret(&self, token: &Token<'_>) -> bool {
        let is_one = |word| match self.matcher {
            Some(matcher) => is_secret_or_password(matcher, word),
            None => is_password(word),
        };
        token.kind == Kind::Word && is_one(token.text)
    }

    fn token(&mut self, token: Token<'_>, is_qualifier: bool) {
        let hides = self.shown != Shown::Text;
        match token.kind {
            Kind::Comment => self.out.push(' '),
            Kind::Hint if hides && has_literal(token.text) => self.out.push(' '),
            Kind::Literal { before, behind } => self.literal(token, before, behind, is_qualifier),
            Kind::Number if hides => self.hide("", ""),
            Kind::Unsure => self.hide("'", "'"),
            Kind::QuotedName if self.hides_name() && !is_qualifier => self.hide("\"", "\""),
            Kind::Word if hides && self.place.is_value_of_setting(token.text) => {
                self.hide("", "");
            }
            _ => self.out.push_str(token.text),
        }
    }

    /// Whether a name in double quotes may be a value that somebody put into the wrong ones.
    fn hides_name(&self) -> bool {
        self.shown != Shown::Text && self.place.may_be_value()
    }

    fn literal(&mut self, token: Token<'_>, before: usize, behind: usize, is_qualifier: bool) {
        let is_whole = behind > 0;
        let is_name = token.text.starts_with('"') && (is_qualifier || self.place.is_of_name());
        match (self.shown, self.matcher) {
            (Shown::Hidden | Shown::Mark, _) if is_name && is_whole => {
                self.out.push_str(token.text);
            }
            (Shown::Text, Some(matcher)) if is_whole => text(matcher, token.text, self.out),
            _ => {
                let end = token.text.len().saturating_sub(behind);
                let start = token.text.get(..before).unwrap_or_default();
                let end = token.text.get(end..).unwrap_or_default();
                self.hide(start, end);
            }
        }
    }

    /// Writes what stands in the place of a literal between `start` and `end`.
    fn hide(&mut self, start: &str, end: &str) {
        if self.shown == Shown::Mark {
            return self.out.push('?');
        }
        for part in [start, REDACTED, end] {
            self.out.push_str(part);
        }
    }
}

fn has_literal(hint: &str) -> bool {
    hint.contains(|c: char| c.is_ascii_digit() || matches!(c, '\'' | '"' | '`'))
}

/// What stands before a token, as far as it says what that may be.
#[derive(Debug, Default)]
struct Place {
    last: Last,
    depth: u32,
    /// The depth of a list of values: `VALUES (…)`, `IN (…)`.
    values: Option<u32>,
    /// Whether an `AND` is that of a `BETWEEN`.
    is_between: bool,
    setting: Setting,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    Dot,
    /// A word that tables and their like stand behind.
    Naming,
    /// A sign that a value may stand behind.
    Operator,
    #[default]
    Other,
    /// A word that a value may stand behind.
    Valuing,
}

/// Where in a statement that sets something: `SET a TO b`, `PRAGMA a = b`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Setting {
    #[default]
    Begin,
    Altering,
    Elsewhere,
    Name,
    Value,
}

/// Words that a value may stand behind, though not often in double quotes.
const VALUING: [&str; 12] = [
    "between", "else", "escape", "glob", "ilike", "like", "match", "regexp", "rlike", "then", "to",
    "using",
];

impl Place {
    /// Whether what stands in double quotes may be a value, by mistake.
    fn may_be_value(&self) -> bool {
        matches!(self.last, Last::Operator | Last::Valuing)
            || self.values.is_some()
            || self.setting == Setting::Value
    }

    /// Whether what stands here cannot be a value.
    fn is_of_name(&self) -> bool {
        matches!(self.last, Last::Dot | Last::Naming) && self.values.is_none()
    }

    /// Whether the word is the value of a setting, without quotes.
    fn is_value_of_setting(&self, word: &str) -> bool {
        let is_known = ["default", "redacted"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known));
        self.setting == Setting::Value && !is_known
    }

    fn pass(&mut self, token: &Token<'_>, is_secret: bool) {
        let is = |words: &[&str]| {
            words
                .iter()
                .any(|word| token.text.eq_ignore_ascii_case(word))
        };
        self.set(token, &is);
        if token.kind != Kind::Sign {
            self.values = self.values.filter(|depth| self.depth > *depth);
        }
        self.last = match token.kind {
            Kind::Word if is(&["values", "value", "in"]) => {
                self.values = Some(self.depth);
                Last::Other
            }
            // As in `BETWEEN 1 AND 2`.
            Kind::Word if is(&["and"]) && std::mem::take(&mut self.is_between) => Last::Valuing,
            Kind::Word if is(&["into", "join", "table", "update"]) => Last::Naming,
            Kind::Word if is(&["from"]) && self.depth == 0 => Last::Naming,
            Kind::Word if is(&VALUING) || is_secret => {
                self.is_between |= is(&["between"]);
                Last::Valuing
            }
            Kind::Sign => self.sign(token.text),
            _ => Last::Other,
        };
    }

    fn sign(&mut self, sign: &str) -> Last {
        match sign {
            "(" => {
                self.depth = self.depth.saturating_add(1);
                Last::Other
            }
            ")" => {
                self.depth = self.depth.saturating_sub(1);
                Last::Other
            }
            "." => Last::Dot,
            ";" => {
                *self = Self::default();
                Last::Other
            }
            // A colon stands before types: `$1::"Mood"`.
            "," | ":" => Last::Other,
            _ => Last::Operator,
        }
    }

    fn set(&mut self, token: &Token<'_>, is: &impl Fn(&[&str]) -> bool) {
        let is_word = token.kind == Kind::Word;
        self.setting = match self.setting {
            Setting::Begin if is_word && is(&["set", "pragma"]) => Setting::Name,
            Setting::Begin if is_word && is(&["alter"]) => Setting::Altering,
            Setting::Begin if is_word => Setting::Elsewhere,
            Setting::Altering if is_word && is(&["set"]) => Setting::Name,
            Setting::Name if token.text == "=" || (is_word && is(&["to"])) => Setting::Value,
            setting => setting,
        };
    }
}
