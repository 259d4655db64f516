//! Which keys are secret.

use std::fmt;

use regex_lite::{Regex, RegexBuilder};

use super::filter::Filter;
use super::fold;
use super::key::PASSWORDS;

/// More terms are ignored.
const MAX_TERMS: usize = 1_024;

/// More expressions are ignored: each is tried for each key.
const MAX_PATTERNS: usize = 64;

/// Bytes; a longer term is ignored.
const MAX_TERM: usize = 256;

/// Bytes that one compiled expression may take: its size bounds the time of a
/// match. `(?i).*(password|secret|token).*` takes 3 KiB.
const MAX_REGEX: usize = 16 * 1024;

/// The modes as users write them.
pub(crate) const MODES: &str =
    "equals, equals-ignore-case, contains, contains-ignore-case, regex or none";

/// Tells by a key whether the value behind it is secret.
///
/// The default is `contains-ignore-case` with `key`, `pass` and `secret`
/// (docs/PROTOCOL.md, "Secrets"). A match allocates nothing; `regex` takes
/// its scratch space from a pool that the expression owns.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    rule: Rule,
    filter: Filter,
}

#[derive(Clone, Debug)]
enum Rule {
    Contains(Vec<String>),
    ContainsIgnoreCase(Vec<String>),
    Equals(Vec<String>),
    EqualsIgnoreCase(Vec<String>),
    None,
    Regex(Vec<Regex>),
}

impl Matcher {
    fn new(rule: Rule) -> Self {
        let filter = match &rule {
            Rule::Contains(terms)
            | Rule::ContainsIgnoreCase(terms)
            | Rule::Equals(terms)
            | Rule::EqualsIgnoreCase(terms) => Filter::of(
                PASSWORDS
                    .into_iter()
                    .chain(terms.iter().map(String::as_str)),
            ),
            Rule::None => Filter::of(PASSWORDS),
            Rule::Regex(_) => Filter::all(),
        };
        Self { rule, filter }
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
            let patterns: Vec<Regex> = usable(terms, MAX_PATTERNS, skipped)
                .iter()
                .filter_map(|term| compiled(term, skipped))
                .collect();
            if patterns.is_empty() {
                return Err(MatcherError::NoTerms);
            }
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
                *term = fold::fold(term);
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

    /// Whether the value of `key` must not leave the process. The key is taken
    /// as it is; encoded keys are the matter of the functions that redact.
    pub(crate) fn is_secret(&self, key: &str) -> bool {
        match &self.rule {
            Rule::Contains(terms) => terms.iter().any(|term| key.contains(term.as_str())),
            Rule::ContainsIgnoreCase(terms) => terms.iter().any(|term| fold::contains(key, term)),
            Rule::Equals(terms) => terms.iter().any(|term| key == term),
            Rule::EqualsIgnoreCase(terms) => terms.iter().any(|term| fold::equals(key, term)),
            Rule::None => false,
            Rule::Regex(patterns) => patterns.iter().any(|pattern| pattern.is_match(key)),
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
                return write!(f, "regex with {} expressions", patterns.len());
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
    fn new(term: &str, accepted: &'static str) -> Self {
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

/// An expression that matches whole keys only (as in Go and Node.js). It has
/// to be valid on its own, or `a)|(b` would leave the anchors.
fn compiled(term: &str, skipped: &mut Vec<Skipped>) -> Option<Regex> {
    let bare = without_anchors(term);
    let build = |pattern: &str| RegexBuilder::new(pattern).size_limit(MAX_REGEX).build();
    let whole = build(bare).and_then(|_| build(&format!(r"\A(?:{bare})\z")));
    if whole.is_err() {
        skipped.push(Skipped::new(
            term,
            "a regular expression (no look-around, no Unicode classes)",
        ));
    }
    whole.ok()
}

fn without_anchors(term: &str) -> &str {
    let mut bare = term;
    while let Some(rest) = bare.strip_prefix('^').or_else(|| bare.strip_prefix(r"\A")) {
        bare = rest;
    }
    loop {
        let rest = if let Some(rest) = bare.strip_suffix('$') {
            rest
        } else if let Some(rest) = bare.strip_suffix('z').and_then(|r| r.strip_suffix('\\')) {
            rest
        } else {
            return bare;
        };
        let backslashes = rest.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 1 {
            return bare;
        }
        bare = rest;
    }
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
