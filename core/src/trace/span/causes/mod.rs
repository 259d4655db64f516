//! What an error and its sources say, made to fit a limit.

use std::error::Error;
use std::fmt::{self, Write};

use crate::base::text::prefix;
use crate::secrets::{kept, names_database, unquoted, without_database_values};

/// Texts of sources that are written.
const MOST_TEXTS: usize = 8;

/// Sources that are looked through for the last of them: a chain may be a ring.
const DEEPEST: usize = 1_024;

/// Room for what redaction may add to a text: what it puts in the place of a value is
/// often longer than that.
const GROWTH: usize = 32;

/// Bytes of a text that may be the key of what stands behind it; a longer one is none.
const MOST_BEFORE: usize = 200;

/// What stands for something that is left out.
const GAP: &str = "…";

const BETWEEN: &str = ": ";

/// The texts of an error and of its sources, in their order, each once.
pub(crate) struct Causes {
    texts: Vec<String>,
    /// The text of the last source, which may be part of another.
    last: Option<String>,
    /// Sources between the last and those before were not looked at.
    has_gap: bool,
    limit: usize,
    kept: usize,
}

impl Causes {
    /// Of something that is merely displayed: in the form with `#`, in which errors
    /// that are no [`Error`], as anyhow's, write their sources.
    pub(crate) fn of_text(text: &dyn fmt::Display, limit: u16) -> Self {
        let mut causes = Self::new(limit);
        causes.add(&format_args!("{text:#}"));
        causes
    }

    pub(crate) fn of_error(error: &(dyn Error + '_), limit: u16) -> Self {
        let mut causes = Self::new(limit);
        causes.add(error);
        let mut source = error.source();
        let mut last = None;
        let mut is_far = false;
        for depth in 0..DEEPEST {
            let Some(error) = source else { break };
            if depth < MOST_TEXTS {
                causes.add(error);
            } else {
                last = Some(error);
                is_far = depth > MOST_TEXTS;
            }
            source = error.source();
        }
        if let Some(error) = last {
            let known = causes.texts.len();
            causes.add(error);
            causes.has_gap = is_far && causes.texts.len() > known;
        }
        causes
    }

    fn new(limit: u16) -> Self {
        Self {
            texts: Vec::new(),
            last: None,
            has_gap: false,
            limit: limit.into(),
            kept: usize::from(kept(limit)) + 4,
        }
    }

    /// Many errors repeat what their source says.
    fn add(&mut self, text: &(impl fmt::Display + ?Sized)) {
        let text = Bounded::of(text, self.kept);
        let is_new = !text.is_empty() && self.texts.iter().all(|known| !known.contains(&text));
        if !text.is_empty() && !self.texts.is_empty() {
            self.last = Some(text.clone());
        }
        if is_new {
            self.texts.push(text);
        }
    }

    /// Leaves out what a database quotes: in the text that names it, and in those behind
    /// it, which are its own.
    pub(crate) fn without_database_values(mut self) -> Self {
        let is_last = |text: &String| Some(text) == self.last.as_ref();
        let place_of_last = self.texts.iter().position(is_last);
        let mut is_source = false;
        let mut hide = |text: &mut String| {
            *text = if is_source {
                unquoted(text, &|_, _| false)
            } else {
                is_source = names_database(text);
                without_database_values(text).into_owned()
            };
        };
        self.texts.iter_mut().for_each(&mut hide);
        match place_of_last.and_then(|place| self.texts.get(place)) {
            Some(text) => self.last = Some(text.clone()),
            None => self.last.iter_mut().for_each(hide),
        }
        self
    }

    /// All of them where there is room. Else URLs are shortened, then what stands
    /// between the first and the last is left out, then the end of the first. One
    /// text alone is cut when it is sent. `true`: something is missing.
    ///
    /// The last cause stays only where it is shown beside the others, too: the key that it
    /// is the value of may be left out. `redacted` is what is shown of a text.
    pub(crate) fn into_text(mut self, redacted: &dyn Fn(&str) -> String) -> (String, bool) {
        let whole = self.joined();
        if self.has_room_for(&whole) {
            return (whole, false);
        }
        for text in self.texts.iter_mut().chain(&mut self.last) {
            *text = with_short_urls(text);
        }
        let short = self.joined();
        match &self.last {
            Some(last) if !self.has_room_for(&short) => {
                let is_shown = !self.is_value(last) && self.shows(last, redacted);
                (self.ends(last, is_shown), true)
            }
            _ => {
                let is_cut = short.len() < whole.len() && short.len() <= self.limit;
                (short, is_cut)
            }
        }
    }

    fn joined(&self) -> String {
        let mut texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        if self.has_gap {
            texts.insert(texts.len().saturating_sub(1), GAP);
        }
        texts.join(BETWEEN)
    }

    fn has_room_for(&self, text: &str) -> bool {
        text.len() + growth(text) <= self.limit
    }

    /// Whether another text has it behind the sign of a pair, whatever the key.
    fn is_value(&self, last: &str) -> bool {
        let is_around = |c: char| matches!(c, '"' | '\'' | '`' | '\\' | '(' | '[' | '{');
        self.texts.iter().any(|text| {
            let before = text.find(last).and_then(|at| text.get(..at));
            before.is_some_and(|before| before.trim_end_matches(is_around).ends_with(['=', ':']))
        })
    }

    /// Whether it is shown in each text that it is part of, and behind the one before.
    fn shows(&self, last: &str, redacted: &dyn Fn(&str) -> String) -> bool {
        let alone = redacted(last);
        let mut texts = self.texts.iter().filter(|text| *text != last);
        let is_shown = |text: &String| !text.contains(last) || redacted(text).contains(&alone);
        let before = texts
            .clone()
            .next_back()
            .map_or("", |text| tail(text, MOST_BEFORE));
        texts.all(is_shown) && redacted(&[before, BETWEEN, last].concat()).contains(&alone)
    }

    /// The first text and as many behind it as there is room for, and the last, if that
    /// is shown.
    fn ends(&self, last: &str, is_shown: bool) -> String {
        let texts = self.texts.iter().map(String::as_str);
        let texts = texts.take_while(|text| *text != last);
        let last = if is_shown { last } else { "" };
        let most = texts.clone().chain([last]).map(growth).max();
        let room = self.limit.saturating_sub(most.unwrap_or_default());
        let last = head(last, room / 2);
        let end = [BETWEEN, last].concat();
        let mut room = room.saturating_sub(end.len() + GAP.len());
        let mut out = String::new();
        for text in texts {
            let between = if out.is_empty() { "" } else { BETWEEN };
            let len = between.len() + text.len() + BETWEEN.len();
            if len > room {
                break;
            }
            room -= len - BETWEEN.len();
            out.push_str(between);
            out.push_str(text);
        }
        if out.is_empty() {
            let first = self.texts.first().map(String::as_str).unwrap_or_default();
            out.push_str(head(first, room));
        } else {
            out.push_str(BETWEEN);
        }
        out.push_str(GAP);
        if !out.contains(last) {
            out.push_str(&end);
        }
        out
    }
}

/// The end of `text`, up to so many bytes.
fn tail(text: &str, most: usize) -> &str {
    let start = text.len().saturating_sub(most);
    let start = (start..=text.len()).find(|start| text.is_char_boundary(*start));
    start
        .and_then(|start| text.get(start..))
        .unwrap_or_default()
}

/// Bytes that redaction may add to a text.
fn growth(text: &str) -> usize {
    if text.contains(['=', '@']) { GROWTH } else { 0 }
}

/// `text` up to `room` bytes. The text is not redacted yet, so that nothing may
/// remain of which only what follows shows that it is secret: the end of a word with
/// `user:password@` in it, and a value with blanks before a `;`.
fn head(text: &str, room: usize) -> &str {
    let start = prefix(text, room);
    let rest = text.get(start.len()..).unwrap_or_default();
    if rest.is_empty() {
        return text;
    }
    let word = start.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let whole = text.get(word..start.len() + end).unwrap_or_default();
    let is_value = |word: &str| word.contains([':', '=', '@', '"', '\'', '`']);
    let mut kept = if is_value(whole) {
        start.get(..word).unwrap_or_default()
    } else {
        start
    };
    if rest.contains(';') || rest.contains('@') {
        let words = kept.split_inclusive(char::is_whitespace);
        let plain: usize = words.take_while(|word| !is_value(word)).map(str::len).sum();
        kept = kept.get(..plain).unwrap_or_default();
    }
    kept.trim_end()
}

/// `text` with scheme, host and port of each URL: `http://shop:8080/…`. A URL that may
/// be read in several ways stays.
fn with_short_urls(text: &str) -> String {
    const SCHEME: &str = "://";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(SCHEME) {
        let (before, url) = rest.split_at(at + SCHEME.len());
        out.push_str(before);
        let end = url.find(|c: char| c.is_whitespace() || "\"'`<>()".contains(c));
        let (url, behind) = url.split_at(end.unwrap_or(url.len()));
        let url_end = url.trim_end_matches([':', ',', '.', ';', '…']).len();
        let (url, signs) = url.split_at(url_end);
        let word_end = behind.find(char::is_whitespace).unwrap_or(behind.len());
        let is_plain = !behind
            .get(..word_end)
            .is_some_and(|word| word.contains('@'));
        match short(url).filter(|_| is_plain) {
            Some(host) => {
                out.push_str(host);
                out.push_str("/…");
            }
            None => out.push_str(url),
        }
        out.push_str(signs);
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Host and port of `host/path`, without user information; `None` where that is
/// all, or where it is not clear.
fn short(url: &str) -> Option<&str> {
    let (authority, path) = url.split_at(url.find(['/', '?', '#'])?);
    let host = match authority.rsplit_once('@') {
        Some((_, host)) => host,
        // As in `user:pass/word@host`.
        None if path.contains('@') && authority.contains(':') => return None,
        None => authority,
    };
    (path.len() > "/…".len()).then_some(host)
}

/// Text that takes no more than so many bytes, whatever is written to it.
struct Bounded {
    text: String,
    most: usize,
}

impl Bounded {
    fn of(text: &(impl fmt::Display + ?Sized), most: usize) -> String {
        let mut bounded = Self {
            text: String::new(),
            most,
        };
        // An error here means that the text is full, or that the `Display` failed.
        let _ = write!(bounded, "{text}");
        bounded.text
    }
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let fits = prefix(more, self.most.saturating_sub(self.text.len()));
        self.text.push_str(fits);
        if fits.len() < more.len() {
            // Nothing is written behind a gap.
            self.most = self.text.len();
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
