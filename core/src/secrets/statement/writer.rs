//! Statements as they are shown.

use crate::secrets::REDACTED;
use crate::secrets::key::{is_password, is_secret_or_password};
use crate::secrets::matcher::Matcher;
use crate::secrets::redact::text;
use crate::secrets::statement::dialect::Dialect;
use crate::secrets::statement::reader::Reader;
use crate::secrets::statement::token::{Kind, Token};

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
            match token.kind {
                Kind::Blank | Kind::Comment | Kind::Hint => self.place.is_in_credential = false,
                // Before a name in quotes, of which it says how these are read.
                Kind::Word if token.text.ends_with('&') => {}
                _ => self.place.pass(&token, self.is_secret(&token)),
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
            Kind::Word if hides && self.place.is_value(token.text) => self.hide("", ""),
            Kind::Name if hides && !is_qualifier && self.place.is_value(token.content()) => {
                let (open, close) = if token.text.starts_with('[') {
                    ("[", "]")
                } else {
                    ("`", "`")
                };
                self.hide(open, close);
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
        let is_name = token.text.starts_with('"')
            && (is_qualifier || self.place.is_of_name())
            && may_be_name(token.content());
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

/// Whether it is no statement, nor a part of one.
fn may_be_name(content: &str) -> bool {
    !content.contains(['\'', '"', '`', '=', ';', '(', '\n'])
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
    /// Whether a text is made a statement: `PREPARE a FROM "b"`.
    is_preparing: bool,
    setting: Setting,
    /// Whether the pragma is one of a key.
    is_of_key: bool,
    /// Whether `IDENTIFIED` stands before.
    is_identified: bool,
    /// Whether a password without quotes was begun.
    is_in_credential: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    /// `BY`, as in `IDENTIFIED BY a`.
    Credential,
    /// `DISTINCT`, as in `a IS DISTINCT FROM b`.
    Distinct,
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
    Attaching,
    Creating,
    Elsewhere,
    Name,
    Pragma,
    Value,
}

/// Words that a value may stand behind, though not often in double quotes.
const VALUING: [&str; 12] = [
    "between", "else", "escape", "glob", "ilike", "like", "match", "regexp", "rlike", "then", "to",
    "using",
];

/// Words before a statement that is explained.
const EXPLAINING: [&str; 6] = ["explain", "query", "plan", "analyze", "analyse", "verbose"];

impl Place {
    /// Whether what stands in double quotes may be a value, by mistake.
    fn may_be_value(&self) -> bool {
        matches!(self.last, Last::Credential | Last::Operator | Last::Valuing)
            || self.values.is_some()
            || self.setting == Setting::Value
    }

    /// Whether what stands here cannot be a value.
    fn is_of_name(&self) -> bool {
        matches!(self.last, Last::Dot | Last::Naming) && self.values.is_none()
    }

    fn is_value_behind_from(&self) -> bool {
        self.last == Last::Distinct || self.is_preparing
    }

    /// Whether the word is the value of a setting or a password, without quotes of these.
    fn is_value(&self, word: &str) -> bool {
        let is_one_of = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
        let is_setting = self.setting == Setting::Value && !is_one_of(&["default", "redacted"]);
        let is_password =
            self.last == Last::Credential && !is_one_of(&["password", "random", "values"]);
        is_setting || is_password || self.is_in_credential
    }

    fn pass(&mut self, token: &Token<'_>, is_secret: bool) {
        let is = |words: &[&str]| {
            words
                .iter()
                .any(|word| token.text.eq_ignore_ascii_case(word))
        };
        self.is_in_credential |= self.last == Last::Credential && self.is_value(token.text);
        self.set(token, is_secret, &is);
        self.is_identified |= token.kind == Kind::Word && is(&["identified"]);
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
            Kind::Word if self.is_identified && is(&["by", "as", "replace"]) => Last::Credential,
            Kind::Word if is(&["distinct"]) => Last::Distinct,
            Kind::Word if is(&["from"]) && self.is_value_behind_from() => Last::Valuing,
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
        self.is_identified = false;
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

    fn set(&mut self, token: &Token<'_>, is_secret: bool, is: &impl Fn(&[&str]) -> bool) {
        let is_word = token.kind == Kind::Word;
        let is_key = is_secret || token.text.to_ascii_lowercase().contains("key");
        self.is_preparing |= self.setting == Setting::Begin && is_word && is(&["prepare"]);
        self.setting = match self.setting {
            Setting::Begin if is_word && is(&EXPLAINING) => Setting::Begin,
            Setting::Begin | Setting::Altering if is_word && is(&["set"]) => Setting::Name,
            Setting::Begin if is_word && is(&["pragma"]) => Setting::Pragma,
            Setting::Begin if is_word && is(&["alter"]) => Setting::Altering,
            Setting::Begin if is_word && is(&["attach"]) => Setting::Attaching,
            Setting::Begin if is_word && is(&["create"]) => Setting::Creating,
            Setting::Begin if is_word => Setting::Elsewhere,
            Setting::Creating if is_word && is(&["function", "procedure"]) => Setting::Altering,
            Setting::Attaching if is_word && is(&["key"]) => Setting::Value,
            Setting::Name if token.text == "=" || (is_word && is(&["to"])) => Setting::Value,
            Setting::Pragma if token.text == "=" => Setting::Value,
            Setting::Pragma if token.text == "(" && self.is_of_key => Setting::Value,
            setting => setting,
        };
        self.is_of_key = self.setting == Setting::Pragma && is_word && is_key;
    }
}
