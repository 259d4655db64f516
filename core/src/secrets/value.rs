//! Values of pairs: where they begin and end.

use crate::secrets::scan::{Form, between, from, is_key_char, is_quote};
use crate::secrets::search;
use crate::secrets::search::{first, run};
use crate::secrets::{REDACTED, work_counter};

/// What may stand between the name of a constructor and what it holds: `Some(`, `a::B {`.
const OPENERS: [char; 3] = ['(', '[', '{'];

/// Skips blanks and the rest of signs such as `=>`, `:=` and `==`.
pub(super) fn start_of_value(text: &str) -> usize {
    let on_line = run(text, |c| matches!(c, ' ' | '\t' | '=' | '>' | ':'));
    let behind = from(text, on_line);
    let line = run(behind, |c| matches!(c, '\n' | '\r'));
    let indent = run(from(behind, line), |c| matches!(c, ' ' | '\t'));
    // As in YAML.
    if line > 0 && indent > 0 && on_line + line + indent < text.len() {
        on_line + line + indent
    } else {
        on_line
    }
}

/// The length of a value that goes on to the end of its line, or of its quotes.
pub(super) fn extent_of_line(value: &str) -> (usize, usize) {
    let backslashes = run(value, |c| c == '\\');
    if from(value, backslashes).starts_with(is_quote) {
        return extent(value, Form::Text);
    }
    (0, run(value, |c| !matches!(c, '\n' | '\r')))
}

/// How many bytes of `value` to keep (an opening quote), and how many behind
/// them are the value.
pub(super) fn extent(value: &str, form: Form) -> (usize, usize) {
    if is_replaced(value) {
        return (0, REDACTED.len());
    }
    if form == Form::Text {
        if let Some(length) = typographic(value).or_else(|| bracketed(value)) {
            return (0, length);
        }
    }
    let prefix = if form == Form::Text {
        prefix_of_quotes(value)
    } else {
        0
    };
    let backslashes = run(from(value, prefix), |c| c == '\\');
    match from(value, prefix + backslashes).chars().next() {
        Some(quote) if is_quote(quote) && form != Form::Query => {
            let skip = prefix + backslashes + 1;
            let length = quoted(from(value, skip), quote, backslashes);
            let more = if form == Form::Text {
                further_items(from(value, skip + length), quote, backslashes)
            } else {
                0
            };
            if prefix == 0 {
                (skip, length + more)
            } else {
                // It may be a value of one letter, too.
                (0, (skip + length + more + backslashes + 1).min(value.len()))
            }
        }
        Some('{') if form == Form::Semicolons => (1, quoted(from(value, 1), '}', 0)),
        _ => (0, unquoted(value, form)),
    }
}

/// Whether a value stood there that was replaced.
fn is_replaced(value: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || is_closer(c) || matches!(c, ';' | '&' | '\\');
    value
        .strip_prefix(REDACTED)
        .is_some_and(|behind| behind.is_empty() || behind.starts_with(ends))
}

/// The length of a value in the quotes of a typesetter; to the end where they stay open.
fn typographic(value: &str) -> Option<usize> {
    let opening = value.chars().next()?;
    let closing = match opening {
        '“' | '„' | '”' => ['”', '“'],
        '‘' | '‚' | '’' => ['’', '‘'],
        '«' | '»' => ['»', '«'],
        '‹' | '›' => ['›', '‹'],
        _ => return None,
    };
    let content = from(value, opening.len_utf8());
    let end = first(content, |c| closing.contains(&c));
    let end = end.map_or(content.len(), |at| at + opening.len_utf8());
    Some(opening.len_utf8() + end)
}

/// Where a block of lines begins behind the colon of its key, and its length: a list, a text
/// or pairs of YAML.
pub(super) fn block(text: &str) -> Option<(usize, usize)> {
    let is_blank = |c| matches!(c, ' ' | '\t' | '\r');
    let before = run(text, is_blank);
    let signs = run(from(text, before), |c| matches!(c, '|' | '>' | '-' | '+'));
    let is_text = match between(text, before, before + signs) {
        "" => false,
        "|" | ">" | "|-" | ">-" | "|+" | ">+" => true,
        _ => return None,
    };
    let head = before + signs + run(from(text, before + signs), is_blank);
    let blanks = run(from(text, head), char::is_whitespace);
    let line = between(text, 0, head + blanks).rfind('\n')? + 1;
    let start = head + blanks;
    let (indent, lines) = (start - line, from(text, start));
    let first = between(lines, 0, run(lines, |c| c != '\n')).trim_end();
    let is_item = |line: &str| line == "-" || line.starts_with("- ");
    let is_pair = first.contains(": ") || first.ends_with(':');
    let is_block = is_item(first) || (indent > 0 && (is_text || is_pair));
    if !is_block || first.is_empty() {
        return None;
    }
    let (mut length, mut at) = (first.len(), 0);
    loop {
        let line = run(from(lines, at), |c| c != '\n');
        let content = between(lines, at, at + line).trim_end();
        let inner = content.trim_start();
        let is_deeper = content.len() - inner.len() >= indent.max(1);
        if at > 0 && !(content.is_empty() || is_deeper || (indent == 0 && is_item(inner))) {
            break;
        }
        if !content.is_empty() {
            length = at + content.len();
        }
        at += line + 1;
        if at >= lines.len() {
            break;
        }
    }
    Some((start, length))
}

/// The length of `b`, `r` and the like before a quote.
fn prefix_of_quotes(value: &str) -> usize {
    let is_letter = |byte: &u8| b"bBcCfFrRuU".contains(byte);
    let letters = value.bytes().take(3).take_while(is_letter).count();
    let is_prefix = letters <= 2 && from(value, letters).starts_with(['"', '\'']);
    if is_prefix { letters } else { 0 }
}

/// The length of a value with brackets around it, in the forms of JSON and of Rust's debug
/// output: `Some("a")`, `["a", "b"]`, `Login { name: "a" }`. Brackets that are not closed go
/// on to the end.
fn bracketed(value: &str) -> Option<usize> {
    let name = run(value, |c| c.is_alphanumeric() || matches!(c, '_' | ':'));
    let name = name
        + if name > 0 {
            generics(from(value, name))
        } else {
            0
        };
    let behind = from(value, name);
    let blank = usize::from(name > 0 && behind.starts_with(" {"));
    if !from(behind, blank).starts_with(OPENERS) {
        return None;
    }
    Some(name + blank + closed(from(behind, blank)))
}

/// The length of `<a::B, C<D>>` behind the name of a type.
fn generics(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        work_counter::count(1);
        match c {
            '<' => depth += 1,
            '>' if depth == 1 => return at + 1,
            '>' if depth > 1 => depth -= 1,
            // A single one stands behind a key.
            ':' if chars.next_if(|(_, next)| *next == ':').is_some() => {}
            _ if depth > 0 && (c.is_alphanumeric() || matches!(c, '_' | ',' | ' ' | '&')) => {}
            _ => return 0,
        }
    }
    0
}

/// The length up to the bracket that closes the first one.
fn closed(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    let mut backslashes = 0;
    let mut before = ' ';
    while let Some(c) = from(text, at).chars().next() {
        work_counter::count(1);
        at += c.len_utf8();
        match c {
            '\\' => {
                backslashes += 1;
                continue;
            }
            '"' => at = behind_quote(text, at, c, backslashes),
            '\'' if !before.is_alphanumeric() => at = behind_quote(text, at, c, backslashes),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
        backslashes = 0;
        before = c;
    }
    text.len()
}

/// The place behind what is quoted from `at` on.
fn behind_quote(text: &str, at: usize, quote: char, backslashes: usize) -> usize {
    let length = quoted(from(text, at), quote, backslashes);
    (at + length + backslashes + 1).min(text.len())
}

/// The length of further texts in quotes behind the first, `", "b`: not where one is a key.
fn further_items(behind: &str, quote: char, backslashes: usize) -> usize {
    let mut length = 0;
    loop {
        let rest = from(behind, length);
        let closing = (backslashes + 1).min(rest.len());
        let comma = from(rest, closing);
        let blank = run(comma, |c| c.is_whitespace() || c == ',');
        let item = from(comma, blank);
        let opening = from(item, run(item, |c| c == '\\'));
        let is_item = between(comma, 0, blank).contains(',') && opening.starts_with(quote);
        if !is_item {
            return length;
        }
        let skip = closing + blank + (item.len() - opening.len()) + 1;
        let content = quoted(from(rest, skip), quote, backslashes);
        let next = from(rest, skip + content + backslashes + 1).trim_start();
        if next.starts_with([':', '=']) {
            return length;
        }
        length += skip + content;
    }
}

/// The length of a value whose opening quote, with `backslashes` before it,
/// has been skipped. A quote that is doubled or escaped once more is part of
/// the value; without a closing quote all the rest is.
fn quoted(value: &str, quote: char, backslashes: usize) -> usize {
    let length = up_to_quote(value, quote, backslashes);
    work_counter::count(length);
    length
}

fn up_to_quote(value: &str, quote: char, backslashes: usize) -> usize {
    let mut before = 0;
    let mut chars = value.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            before += 1;
            continue;
        }
        let escaped = before;
        before = 0;
        if c != quote {
            continue;
        }
        let closes = if backslashes == 0 {
            escaped % 2 == 0
        } else {
            escaped <= backslashes
        };
        if !closes {
            continue;
        }
        if backslashes == 0 && chars.next_if(|(_, next)| *next == quote).is_some() {
            continue;
        }
        return if backslashes == 0 { at } else { at - escaped };
    }
    value.len()
}

/// The length of a value that stands in no quotes. Its end shows in what
/// follows it only, so that a text without secrets is cut in the same places.
fn unquoted(value: &str, form: Form) -> usize {
    let mut at = 0;
    let mut previous = ' ';
    // Before it, no closing sign closes the value.
    let mut open = 0;
    while let Some(c) = from(value, at).chars().next() {
        work_counter::count(1);
        let next = at + c.len_utf8();
        let behind = from(value, next);
        let ends = match form {
            Form::Semicolons => c == ';',
            Form::Spaces => c.is_whitespace(),
            Form::Query | Form::Text => match c {
                '\n' | '\r' => true,
                // As in `password: key: a`.
                ' ' if matches!(previous, ':' | '=') => false,
                // As in `authorization: Bearer a`.
                ' ' if is_scheme(between(value, 0, at)) => false,
                c if c.is_whitespace() => return at + up_to_semicolon(from(value, at)),
                ';' | '&' => is_end_or_pair(behind),
                c if is_closer(c) && at >= open => {
                    open = at + run(from(value, at), is_closer);
                    is_closed(from(value, at), open - at)
                }
                _ => false,
            },
        };
        if ends {
            return at;
        }
        at = match c {
            '\\' if form != Form::Semicolons => {
                next + behind.chars().next().map_or(0, char::len_utf8)
            }
            // As in `Some("a b")`.
            '"' if matches!(previous, '(' | '[' | '{') => {
                (next + quoted(behind, '"', 0) + 1).min(value.len())
            }
            _ => next,
        };
        if !(c == ' ' && matches!(previous, ':' | '=')) {
            previous = c;
        }
    }
    value.len()
}

/// The length of what still belongs to a value with blanks in it, as in
/// `Password=a b c;Server=d`; 0 where no pair follows.
fn up_to_semicolon(text: &str) -> usize {
    let stops = |c: char| matches!(c, ';' | '=' | ':' | '\n' | '\r') || is_quote(c);
    match first(text, stops) {
        Some(at) if from(text, at).starts_with(';') && is_end_or_pair(from(text, at + 1)) => at,
        _ => 0,
    }
}

/// Whether nothing, a blank or the key of another pair follows.
fn is_end_or_pair(text: &str) -> bool {
    let key = run(text, is_key_char);
    text.is_empty()
        || text.starts_with(char::is_whitespace)
        || (key > 0 && from(text, key).starts_with('='))
}

/// Whether `text`, which begins with `run` bytes of closing signs, has an end
/// behind them: `)`, `"}, `, `","next"`, `)(next=`. If not, it has none behind
/// the last of them either.
fn is_closed(text: &str, run: usize) -> bool {
    let (signs, behind) = (between(text, 0, run), from(text, run));
    let next = behind.chars().next();
    let after_next = from(behind, next.map_or(0, char::len_utf8));
    match next {
        None => true,
        Some(':') => after_next.is_empty() || after_next.starts_with(char::is_whitespace),
        Some(';' | '&') => is_end_or_pair(after_next),
        Some('(') => from(after_next, search::run(after_next, is_key_char)).starts_with('='),
        Some(c) => c.is_whitespace() || (signs.contains(',') && signs.contains(is_quote)),
    }
}

/// Whether a credential follows the word.
fn is_scheme(word: &str) -> bool {
    let is_word = |scheme: &str| word.eq_ignore_ascii_case(scheme);
    ["basic", "bearer", "digest", "token"]
        .into_iter()
        .any(is_word)
}

fn is_closer(c: char) -> bool {
    is_quote(c) || matches!(c, ',' | ')' | ']' | '}')
}
