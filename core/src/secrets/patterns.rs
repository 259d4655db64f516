//! Regular expressions that keys are compared with.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use regex_lite::{Regex, RegexBuilder};

use crate::secrets::key::MAX_KEY;
use crate::secrets::matcher::Skipped;
use crate::secrets::work_counter;

/// KiB that one compiled expression may take, the sizes that are told apart, and what all
/// may take together: the size bounds the time of a match.
/// `(?i).*(password|secret|token).*` takes 3 KiB.
const SIZES: [usize; 5] = [1, 2, 4, 8, 16];
const MAX_ALL: usize = 64;

/// What a thread may spend on expressions in a second, as bytes of keys times KiB of
/// expressions: about a tenth of its time. Keys beyond that are taken for secret, unseen.
const BUDGET: usize = 100_000;
const PERIOD: Duration = Duration::from_secs(1);

/// Keys whose answer is remembered.
const MAX_KNOWN: usize = 1_024;

/// Expressions that match whole keys.
#[derive(Clone, Debug)]
pub(super) struct Patterns {
    list: Arc<[Regex]>,
    /// KiB of all of them.
    size: usize,
    /// Differs from all others.
    id: u64,
}

impl Patterns {
    /// More expressions are ignored.
    pub(super) const MOST: usize = 64;

    /// `None` where not one of the terms can be used.
    pub(super) fn new(terms: &[String], skipped: &mut Vec<Skipped>) -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut list = Vec::new();
        let mut all = 0;
        for term in terms {
            let Some((pattern, size)) = compiled(term, skipped) else {
                continue;
            };
            if all + size > MAX_ALL {
                let accepted = "among expressions that take 64 KiB together when compiled";
                skipped.push(Skipped::new(term, accepted));
                continue;
            }
            all += size;
            list.push(pattern);
        }
        (!list.is_empty()).then(|| Self {
            list: list.into(),
            size: all,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
        })
    }

    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// True also for a key that is too long, or for which there is no time.
    pub(super) fn is_match(&self, key: &str) -> bool {
        if key.len() > MAX_KEY {
            return true;
        }
        let known = KNOWN.try_with(|known| {
            let mut known = known.try_borrow_mut().ok()?;
            known.answer(self, key)
        });
        known.ok().flatten().unwrap_or(true)
    }
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// What a thread knows of keys. Not shared, so that a fork finds no lock.
#[derive(Debug, Default)]
struct Known {
    /// The id of the expressions.
    of: u64,
    keys: HashMap<Box<str>, bool>,
    spent: usize,
    since: Option<Instant>,
}

impl Known {
    /// `None` where there is no time for one.
    fn answer(&mut self, patterns: &Patterns, key: &str) -> Option<bool> {
        if self.of != patterns.id {
            self.of = patterns.id;
            self.keys.clear();
        }
        if let Some(known) = self.keys.get(key) {
            return Some(*known);
        }
        self.spend((key.len() + 1) * patterns.size)?;
        let answer = patterns.list.iter().any(|pattern| pattern.is_match(key));
        if self.keys.len() >= MAX_KNOWN {
            self.keys.clear();
        }
        self.keys.insert(key.into(), answer);
        Some(answer)
    }

    fn spend(&mut self, cost: usize) -> Option<()> {
        if self.spent + cost > BUDGET {
            let now = Instant::now();
            let is_over = self.since.is_none_or(|since| now - since >= PERIOD);
            if !is_over {
                return None;
            }
            (self.spent, self.since) = (0, Some(now));
        }
        self.spent += cost;
        work_counter::count(cost);
        Some(())
    }
}

/// An expression that matches whole keys only (as in Go and Node.js), and its size in KiB. It
/// has to be valid on its own, or `a)|(b` would leave the anchors.
fn compiled(term: &str, skipped: &mut Vec<Skipped>) -> Option<(Regex, usize)> {
    let bare = without_anchors(term);
    let build = |pattern: &str, size: usize| {
        let pattern = RegexBuilder::new(pattern).size_limit(size * 1_024).build();
        pattern.ok().map(|pattern| (pattern, size))
    };
    let most = SIZES.into_iter().max().unwrap_or_default();
    let is_valid = build(bare, most).is_some();
    let whole = format!(r"\A(?:{bare})\z");
    let whole = SIZES.into_iter().find_map(|size| build(&whole, size));
    if !is_valid || whole.is_none() {
        skipped.push(Skipped::new(
            term,
            "a regular expression (no look-around, no Unicode classes)",
        ));
        return None;
    }
    whole
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
    use crate::secrets::matcher::Matcher;

    fn matcher(count: usize) -> Matcher {
        let terms: Vec<String> = (0..count).map(|n| format!("(a|b|c){n}.*x")).collect();
        let mut skipped = Vec::new();
        let matcher = Matcher::from_parts("regex", &terms, &mut skipped).unwrap();
        assert_eq!(skipped, []);
        matcher
    }

    #[test]
    fn long_keys_are_secret_unseen() {
        let matcher = matcher(64);
        work_counter::take();
        for _ in 0..1_000 {
            assert!(matcher.is_secret(&"k".repeat(4_096)));
        }
        assert_eq!(work_counter::take(), 0);
        assert!(!matcher.is_secret(&"k".repeat(MAX_KEY)));
    }

    #[test]
    fn the_work_of_a_second_is_bounded() {
        let matcher = matcher(64);
        let began = Instant::now();
        work_counter::take();
        let mut hidden = 0;
        for number in 0..5_000 {
            let key = format!("{number}{}", "k".repeat(200));
            hidden += usize::from(matcher.is_secret(&key));
        }
        let seconds = began.elapsed().as_secs() as usize;
        let work = work_counter::take();
        assert!(
            work > 0 && work <= BUDGET * (seconds + 2),
            "{work} in {seconds} s"
        );
        assert!(hidden > 0, "what is not looked at is hidden");
    }

    #[test]
    fn what_is_known_costs_nothing() {
        let matcher = matcher(3);
        assert!(matcher.is_secret("a1x") && !matcher.is_secret("page"));
        work_counter::take();
        for _ in 0..100_000 {
            assert!(matcher.is_secret("a1x") && !matcher.is_secret("page"));
        }
        assert_eq!(work_counter::take(), 0);
    }

    #[test]
    fn all_expressions_together_are_bounded() {
        let terms: Vec<String> = (0..64)
            .map(|n| format!("(?i).*(password|secret|t{n}).*"))
            .collect();
        let mut skipped = Vec::new();
        let matcher = Matcher::from_parts("regex", &terms, &mut skipped).unwrap();
        assert!(matcher.is_secret("my_secret"));
        assert!(!skipped.is_empty());
        assert!(
            skipped.iter().all(|s| s.accepted.contains("64 KiB")),
            "{skipped:?}"
        );
    }
}
