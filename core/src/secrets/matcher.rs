//! Which keys are secret.

use std::fmt;

use crate::secrets::filter::Filter;
use crate::secrets::ignore_case;
use crate::secrets::key::{MAX_KEY, PASSWORDS};
use crate::secrets::patterns::Patterns;
use crate::secrets::redact::is_credential;
use crate::secrets::signed;

/// More terms are ignored.
const MAX_TERMS: usize = 1_024;

/// Bytes; a longer term is ignored.
const MAX_TERM: usize = 256;

/// The modes as users write them.
pub(crate) const MODES: &str =
    "equals, equals-ignore-case, contains, contains-ignore-case, regex or none";

/// Tells by a key whether the value behind it is secret.
///
/// The default is `contains-ignore-case` with `key`, `pass` and `secret`
/// (docs/PROTOCOL.md, "Secrets"). A match allocates nothing, but for expressions.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    rule: Rule,
    filter: Filter,
    hides_signed_urls: bool,
}

#[derive(Clone, Debug)]
enum Rule {
    Contains(Vec<String>),
    ContainsIgnoreCase(Vec<String>),
    Equals(Vec<String>),
    EqualsIgnoreCase(Vec<String>),
    None,
    Regex(Patterns),
}

impl Matcher {
    fn new(rule: Rule) -> Self {
        let filter = match &rule {
            Rule::Contains(terms)
            | Rule::ContainsIgnoreCase(terms)
            | Rule::Equals(terms)
            | Rule::EqualsIgnoreCase(terms) => {
                Filter::of(always_looked_for().chain(terms.iter().map(String::as_str)))
            }
            Rule::None => Filter::of(always_looked_for()),
            Rule::Regex(_) => Filter::all(),
        };
        Self {
            rule,
            filter,
            hides_signed_urls: true,
        }
    }

    /// Whether what signs URLs is secret, too (the default).
    pub(crate) fn with_signed_urls(mut self, hides: bool) -> Self {
        self.hides_signed_urls = hides;
        self
    }

    pub(super) fn hides_signed_urls(&self) -> bool {
        self.hides_signed_urls
    }

    /// Reads the form of `INSTANA_SECRETS`, `mode:term,term`. Terms may hold
    /// colons, not commas. Terms that cannot be used are added to `skipped`.
    ///
    /// # Errors
    ///
    /// The mode is unknown, or no usable term is left for a mode that needs one.
    pub(crate) fn parse(value: &str, skipped: &mut Vec<Skipped>) -> Result<Self, MatcherError> {
        let (mode, terms) = value.split_once(':').unwrap_or((value, ""));
        let terms: Vec<&str> = terms.split(',').collect();
        Self::from_parts(mode, &terms, skipped)
    }

    /// The form of the agent (`secrets.matcher`, `secrets.list`) and of code.
    /// Blanks around the mode and the terms do not count, empty terms neither:
    /// they would match everything.
    ///
    /// # Errors
    ///
    /// As [`Matcher::parse`]: the caller keeps the matcher it has
    /// (as in Go), so that a mistake hides more rather than less.
    pub(crate) fn from_parts(
        mode: &str,
        terms: &[impl AsRef<str>],
        skipped: &mut Vec<Skipped>,
    ) -> Result<Self, MatcherError> {
        let mode = mode.trim().to_ascii_lowercase();
        if mode == "none" {
            return Ok(Self::new(Rule::None));
        }
        if mode == "regex" {
            let terms = usable(terms, Patterns::MOST, skipped);
            let patterns = Patterns::new(&terms, skipped).ok_or(MatcherError::NoTerms)?;
            return Ok(Self::new(Rule::Regex(patterns)));
        }
        let rule = match mode.as_str() {
            "contains" => Rule::Contains,
            "contains-ignore-case" => Rule::ContainsIgnoreCase,
            "equals" => Rule::Equals,
            "equals-ignore-case" => Rule::EqualsIgnoreCase,
            _ => return Err(MatcherError::UnknownMode),
        };
        let mut terms = usable(terms, MAX_TERMS, skipped);
        if terms.is_empty() {
            return Err(MatcherError::NoTerms);
        }
        if mode.ends_with("ignore-case") {
            for term in &mut terms {
                *term = ignore_case::fold(term);
            }
        }
        Ok(Self::new(rule(terms)))
    }

    /// False where no key in the ASCII `text` is secret, nor names a password:
    /// cheaper than to look at each of them.
    #[inline]
    pub(crate) fn may_match_in(&self, text: &[u8]) -> bool {
        self.filter.finds(text)
    }

    /// As [`may_match_in`](Self::may_match_in); true also where a byte of `text` is a sign.
    #[inline]
    pub(super) fn may_match_in_or(&self, text: &[u8], is_sign: impl Fn(u8) -> bool) -> bool {
        self.filter.finds_or(text, is_sign)
    }

    /// Whether a word that is secret, or names a password, a credential or what signs a URL,
    /// stands anywhere in `text`.
    pub(super) fn is_secret_word_in(&self, text: &str) -> bool {
        if PASSWORDS
            .iter()
            .any(|term| ignore_case::contains(text, term))
            || (self.hides_signed_urls && signed::is_word_in(text))
            || words_of_letters(text).any(|word| is_credential(word.as_bytes()))
        {
            return true;
        }
        match &self.rule {
            Rule::Contains(terms) => terms.iter().any(|term| text.contains(term.as_str())),
            Rule::ContainsIgnoreCase(terms) => {
                terms.iter().any(|term| ignore_case::contains(text, term))
            }
            Rule::None => false,
            Rule::Equals(_) | Rule::EqualsIgnoreCase(_) => {
                words(text).any(|word| word.len() <= MAX_KEY && self.is_secret(word))
            }
            Rule::Regex(_) => words(text).any(|word| self.is_secret(word)),
        }
    }

    /// Whether the value of `key` must not leave the process. The key is taken
    /// as it is; encoded keys are the matter of the functions that redact.
    pub(crate) fn is_secret(&self, key: &str) -> bool {
        match &self.rule {
            Rule::Contains(terms) => terms.iter().any(|term| key.contains(term.as_str())),
            Rule::ContainsIgnoreCase(terms) => {
                terms.iter().any(|term| ignore_case::contains(key, term))
            }
            Rule::Equals(terms) => terms.iter().any(|term| key == term),
            Rule::EqualsIgnoreCase(terms) => {
                terms.iter().any(|term| ignore_case::equals(key, term))
            }
            Rule::None => false,
            Rule::Regex(patterns) => patterns.is_match(key),
        }
    }
}

impl Default for Matcher {
    fn default() -> Self {
        let terms = ["key", "pass", "secret"].map(str::to_owned);
        Self::new(Rule::ContainsIgnoreCase(terms.into()))
    }
}

impl fmt::Display for Matcher {
    /// The form of `INSTANA_SECRETS`, for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mode, terms) = match &self.rule {
            Rule::Contains(terms) => ("contains", terms),
            Rule::ContainsIgnoreCase(terms) => ("contains-ignore-case", terms),
            Rule::Equals(terms) => ("equals", terms),
            Rule::EqualsIgnoreCase(terms) => ("equals-ignore-case", terms),
            Rule::None => return f.write_str("none"),
            Rule::Regex(patterns) => {
                return write!(f, "regex with {} expressions", patterns.count());
            }
        };
        write!(f, "{mode}:{}", terms.join(","))
    }
}

/// Why there is no matcher.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MatcherError {
    /// The configuration names none of the six modes.
    UnknownMode,
    /// The mode needs terms, and none was given that can be used.
    NoTerms,
}

impl fmt::Display for MatcherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMode => write!(f, "unknown mode: expected {MODES}"),
            Self::NoTerms => f.write_str("no usable term"),
        }
    }
}

impl std::error::Error for MatcherError {}

/// A term that was left out of a matcher.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Skipped {
    /// The term as it was given, at most 256 bytes of it.
    pub(crate) term: String,
    /// What it should have been.
    pub(crate) accepted: &'static str,
}

impl Skipped {
    pub(super) fn new(term: &str, accepted: &'static str) -> Self {
        let mut end = term.len().min(MAX_TERM);
        while !term.is_char_boundary(end) {
            end -= 1;
        }
        Self {
            term: term.get(..end).unwrap_or_default().to_owned(),
            accepted,
        }
    }
}

fn usable(terms: &[impl AsRef<str>], most: usize, skipped: &mut Vec<Skipped>) -> Vec<String> {
    let mut kept = Vec::new();
    for term in terms {
        let term = term.as_ref().trim();
        if term.is_empty() {
            continue;
        }
        if term.len() > MAX_TERM {
            skipped.push(Skipped::new(term, "a term of at most 256 bytes"));
        } else if kept.len() == most {
            skipped.push(Skipped::new(
                term,
                "among the first 64 expressions or 1,024 other terms",
            ));
            break;
        } else {
            kept.push(term.to_owned());
        }
    }
    kept
}

/// What is looked for whatever the rule says.
fn always_looked_for<'a>() -> impl Iterator<Item = &'a str> {
    // Three letters of a term are looked for: few words have these of `authorization`.
    let others = ["identified", "rization"];
    let names = PASSWORDS.into_iter().chain(others);
    names.chain(signed::names().map(|name| name as &str))
}

fn is_plain_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Words without signs in them.
pub(super) fn words_of_letters(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_plain_in_word(c))
}

/// What may be a key in a text: words, words with dots and other signs in them as a whole
/// and in parts, and what stands between quotes.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_plain = is_plain_in_word;
    let is_joined =
        move |c: char| is_plain(c) || matches!(c, '-' | '.' | '$' | '@' | '#' | ':' | '/');
    let is_quote = |c: char| matches!(c, '"' | '\'' | '`' | '[' | ']');
    text.split(move |c| !is_plain(c))
        .chain(text.split(move |c| !(is_plain(c) || matches!(c, '-' | '$'))))
        .chain(text.split(move |c| !(is_plain(c) || c == '.')))
        .chain(text.split(move |c| !is_joined(c)))
        .chain(text.split(is_quote).map(str::trim))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(value: &str) -> Matcher {
        let mut skipped = Vec::new();
        let matcher = Matcher::parse(value, &mut skipped).unwrap();
        assert_eq!(skipped, []);
        matcher
    }

    #[test]
    fn each_mode_matches_what_it_says() {
        for (value, secret, open) in [
            ("equals:Key,id", vec!["Key", "id"], vec!["key", "Keys", ""]),
            ("equals-ignore-case:Key", vec!["key", "KEY"], vec!["keys"]),
            ("contains:Key", vec!["Key", "aKeyb"], vec!["key", ""]),
            ("contains-ignore-case:Key", vec!["monKEY"], vec!["ke", ""]),
            ("regex:k.y,[0-9]+", vec!["key", "12"], vec!["keys", "a1"]),
            ("none", vec![], vec!["key", "password", ""]),
            ("none:", vec![], vec!["key"]),
            (" Equals : a , b ", vec!["a", "b"], vec!["", " a"]),
            ("equals:a:b", vec!["a:b"], vec!["a", "b"]),
        ] {
            let matcher = matcher(value);
            for key in secret {
                assert!(matcher.is_secret(key), "{value} {key}");
            }
            for key in open {
                assert!(!matcher.is_secret(key), "{value} {key}");
            }
        }
    }

    #[test]
    fn the_default_is_that_of_all_tracers() {
        let matcher = Matcher::default();
        assert_eq!(matcher.to_string(), "contains-ignore-case:key,pass,secret");
        for key in ["API_KEY", "password", "client_secret"] {
            assert!(matcher.is_secret(key));
        }
        assert!(!matcher.is_secret("token"));
    }

    #[test]
    fn anchors_of_an_expression_are_taken_off() {
        for value in ["regex:^key$", r"regex:\Akey\z", r"regex:^\Akey\z$"] {
            assert!(matcher(value).is_secret("key"), "{value}");
            assert!(!matcher(value).is_secret("keys"), "{value}");
        }
        assert!(matcher(r"regex:key\$").is_secret("key$"));
        assert!(matcher(r"regex:key\\$").is_secret(r"key\"));
        assert!(matcher("regex:^a|b$").is_secret("b"));
        assert!(!matcher("regex:^a|b$").is_secret("ab"));
    }

    #[test]
    fn bad_expressions_are_skipped_and_named() {
        let mut skipped = Vec::new();
        let matcher = Matcher::parse("regex:a(,b)|(c,key", &mut skipped).unwrap();
        assert!(matcher.is_secret("key"));
        assert!(!matcher.is_secret("bx"));
        let terms: Vec<_> = skipped.iter().map(|s| s.term.as_str()).collect();
        assert_eq!(terms, ["a(", "b)|(c"]);
        let huge = Matcher::parse("regex:((a{99}){99}){99}", &mut skipped);
        assert_eq!(huge.unwrap_err(), MatcherError::NoTerms);
    }

    #[test]
    fn what_cannot_be_used_is_an_error() {
        for (mode, error) in [
            ("regexp", MatcherError::UnknownMode),
            ("", MatcherError::UnknownMode),
            ("equals", MatcherError::NoTerms),
        ] {
            let terms: [&str; 2] = ["", " "];
            let result = Matcher::from_parts(mode, &terms, &mut Vec::new());
            assert_eq!(result.unwrap_err(), error, "{mode}");
        }
    }

    #[test]
    fn terms_are_bounded() {
        let mut skipped = Vec::new();
        let mut terms: Vec<String> = (0..1_100).map(|n| format!("t{n}")).collect();
        terms.insert(0, "ü".repeat(200));
        let matcher = Matcher::from_parts("equals", &terms, &mut skipped).unwrap();
        assert!(matcher.is_secret("t1023"));
        assert!(!matcher.is_secret("t1024"));
        assert_eq!(skipped.len(), 2);
        assert!(skipped.iter().all(|s| s.term.len() <= MAX_TERM));
    }

    #[test]
    fn expressions_are_bounded_in_number_and_size() {
        let mut skipped = Vec::new();
        let mut terms: Vec<String> = (0..100).map(|n| format!("t{n}")).collect();
        terms.insert(0, "(?:(?:a|b|c|.){1,30}){1,12}x".to_owned());
        terms.insert(1, "(?i).*(password|secret|token).*".to_owned());
        let matcher = Matcher::from_parts("regex", &terms, &mut skipped).unwrap();
        assert!(matcher.is_secret("MyPasswordHash") && matcher.is_secret("t61"));
        assert!(!matcher.is_secret("t62") && !matcher.is_secret("abcx"));
        assert_eq!(skipped.len(), 2, "{skipped:?}");
    }
}
