//! Judges the values of variables as the tracer reads them (docs/ENVIRONMENT.md).

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use self::Kind::{
    AnyText, Attributes, Disabling, Endpoints, File, Flag, Headers, Host, Number, OneOf, Plugin,
    Port, Secrets, Statuses, Text, Unread,
};
use crate::protocol::AnnounceAnswer;

/// The kind of a variable's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text switches it on.
    AnyText,
    /// Of a filter.
    Attributes,
    /// Names of what is not recorded, or a flag.
    Disabling,
    /// Methods by service.
    Endpoints,
    File,
    Flag,
    Headers,
    Host,
    /// The unit, the least and the most.
    Number(&'static str, u64, u64),
    OneOf(&'static [&'static str]),
    Plugin,
    Port,
    Secrets,
    Statuses,
    Text,
    /// Of another tracer.
    Unread,
}

/// How the tracer reads a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict<'a> {
    /// Whether the value counts, or a part of it.
    pub(super) usable: bool,
    /// Parts that do not count.
    pub(super) skipped: Vec<&'a str>,
}

/// The services whose calls can be left out by their methods.
const SERVICES: &[&str] = &["redis", "dynamodb", "kafka", "http"];
/// How an attribute is compared; nothing is `strict`.
const COMPARISONS: &[&str] = &["", "strict", "contains", "startswith", "endswith"];

/// More names of headers do not count.
const MOST_HEADERS: usize = 64;
/// Bytes of a value, of the name of a header, of a term and of a name.
const LONGEST: usize = 32 * 1024;
const LONGEST_HEADER: usize = 256;
const LONGEST_TERM: usize = 256;
const LONGEST_NAME: usize = 1024;

impl Kind {
    /// A description of valid values.
    pub(super) fn accepted(self) -> String {
        let words = match self {
            AnyText | Unread => "any text",
            Attributes => {
                "key;value,value or key;value;match with the match strict, contains, startswith or endswith"
            }
            Disabling => "a list of names, true or false",
            Endpoints => {
                "service:method,method;service:method with the services redis, dynamodb, kafka and http"
            }
            File => "the path of a file",
            Flag => "a flag (true, 1, false or 0)",
            Headers => "a list of header names",
            Host => "a host name or an IP address (no scheme; the port is a variable of its own)",
            Number(unit, least, most) => return format!("a number of {unit} ({least} to {most})"),
            OneOf(words) => return format!("one of {}", words.join(", ")),
            Plugin => "a plugin name (1 to 64 of a-z, 0-9, `.`, `_`, `-`)",
            Port => "a port (1 to 65535)",
            Secrets => {
                "mode:term,term with the mode equals, equals-ignore-case, contains, \
                 contains-ignore-case, regex or none"
            }
            Statuses => "a list of statuses (400 to 499)",
            Text => "a text in UTF-8 that is not blank, of at most 1024 bytes",
        };
        words.to_owned()
    }

    /// A description of the valid parts of a list.
    pub(super) fn accepted_part(self) -> &'static str {
        match self {
            Disabling => "the name of a category or a type (`!` in front keeps it)",
            Endpoints => "service:method,method with the service redis, dynamodb, kafka or http",
            Headers => {
                "one of 64 header names at most (1 to 256 letters, digits and !#$%&'*+-.^_`|~)"
            }
            Secrets => "a term of at most 256 bytes",
            Statuses => "a status (400 to 499)",
            _ => "a value",
        }
    }

    /// Judges a value that is not empty. It does not check whether a regular expression
    /// for secrets is valid.
    pub(super) fn judge(self, value: &str) -> Verdict<'_> {
        let any = matches!(self, AnyText | File | Unread);
        // Invalid UTF-8 has been replaced.
        if !any && (value.len() > LONGEST || value.contains(char::REPLACEMENT_CHARACTER)) {
            return Verdict::of(false);
        }
        let value = value.trim();
        match self {
            AnyText | File | Unread => Verdict::of(true),
            Attributes => Verdict::of(value.split('|').all(is_attribute)),
            Disabling if flag(value).is_some() => Verdict::of(true),
            Disabling => Verdict::of_list(value, &[',', ';'], is_disabled),
            Endpoints => Verdict::of_list(value, &[';'], is_endpoint),
            Flag => Verdict::of(flag(value).is_some()),
            Headers => headers(value),
            Host => Verdict::of(host(value).is_some()),
            Number(_, least, most) => {
                let number = value.parse::<u64>();
                Verdict::of(number.is_ok_and(|number| (least..=most).contains(&number)))
            }
            OneOf(words) => Verdict::of(words.contains(&value.to_ascii_lowercase().as_str())),
            Plugin => Verdict::of(is_plugin(value)),
            Port => Verdict::of(matches!(value.parse::<u16>(), Ok(1..))),
            Secrets => secrets(value),
            Statuses => Verdict::of_list(value, &[',', ';'], is_status),
            Text => Verdict::of(!value.is_empty() && value.len() <= LONGEST_NAME),
        }
    }

    /// Whether the tracer can use the value, or a part of it.
    pub(super) fn fits(self, value: &str) -> bool {
        self.judge(value).usable
    }
}

impl<'a> Verdict<'a> {
    fn of(usable: bool) -> Self {
        Self {
            usable,
            skipped: Vec::new(),
        }
    }

    /// A list whose valid parts count.
    fn of_list(value: &'a str, separators: &[char], fits: fn(&str) -> bool) -> Self {
        let parts = parts(value, separators);
        let (good, skipped): (Vec<_>, Vec<_>) = parts.partition(|part| fits(part));
        Self {
            usable: !good.is_empty(),
            skipped,
        }
    }
}

/// Yes or no.
pub(super) fn flag(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A host name or an IP address; the result is without brackets.
pub(super) fn host(value: &str) -> Option<String> {
    let value = value.trim();
    let bare = value.strip_prefix('[').and_then(|v| v.strip_suffix(']'));
    if bare.is_some() || value.contains(':') {
        let bare = bare.unwrap_or(value);
        return is_ipv6(bare).then(|| bare.to_owned());
    }
    if value.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return value.parse::<Ipv4Addr>().is_ok().then(|| value.to_owned());
    }
    let name = value.strip_suffix('.').unwrap_or(value);
    (value.len() <= 253 && name.split('.').all(is_label)).then(|| value.to_owned())
}

/// The names in a list of what is not recorded, in lower case, and whether each
/// is off.
pub(super) fn disabled(value: &str) -> impl Iterator<Item = (String, bool)> {
    let parts = parts(value, &[',', ';']).filter(|part| is_disabled(part));
    parts.map(|part| {
        let (name, off) = exception(part);
        (name.to_ascii_lowercase(), off)
    })
}

fn parts<'a>(value: &'a str, separators: &[char]) -> impl Iterator<Item = &'a str> {
    let parts = value.split(separators).map(str::trim);
    parts.filter(|part| !part.is_empty())
}

fn exception(part: &str) -> (&str, bool) {
    let part = part.trim();
    match part.strip_prefix('!') {
        Some(name) => (name.trim_start(), false),
        None => (part, true),
    }
}

fn is_disabled(part: &str) -> bool {
    let (name, _) = exception(part);
    (1..=LONGEST_NAME).contains(&name.len())
}

fn is_attribute(text: &str) -> bool {
    let mut parts = text.split(';').map(str::trim);
    let (key, values) = (parts.next(), parts.next());
    let comparison = parts.next().unwrap_or_default().to_ascii_lowercase();
    key.is_some_and(|key| !key.is_empty())
        && values.is_some_and(|values| values.split(',').any(|value| !value.trim().is_empty()))
        && COMPARISONS.contains(&comparison.as_str())
        && parts.next().is_none()
}

fn is_endpoint(part: &str) -> bool {
    part.split_once(':').is_some_and(|(service, methods)| {
        SERVICES.contains(&service.trim().to_lowercase().as_str())
            && methods.split(',').any(|method| !method.trim().is_empty())
    })
}

fn headers(value: &str) -> Verdict<'_> {
    let (mut good, mut skipped) = (BTreeSet::new(), Vec::new());
    for name in parts(value, &[';', ',']) {
        let lower = name.to_ascii_lowercase();
        let has_room = good.len() < MOST_HEADERS || good.contains(&lower);
        if is_header(name) && has_room {
            good.insert(lower);
        } else {
            skipped.push(name);
        }
    }
    Verdict {
        usable: !good.is_empty(),
        skipped,
    }
}

fn is_header(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    name.len() <= LONGEST_HEADER && name.bytes().all(token)
}

fn is_ipv6(value: &str) -> bool {
    let (address, zone) = value.split_once('%').unwrap_or((value, "0"));
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !zone.is_empty() && zone.bytes().all(sound) && address.parse::<Ipv6Addr>().is_ok()
}

fn is_label(label: &str) -> bool {
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=63).contains(&label.len()) && label.bytes().all(sound)
}

fn is_plugin(value: &str) -> bool {
    let sound = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    (1..=64).contains(&value.len()) && value.bytes().all(sound)
}

fn is_status(text: &str) -> bool {
    matches!(text.parse::<u16>(), Ok(400..=499))
}

fn secrets(value: &str) -> Verdict<'_> {
    let (matcher, terms) = value.split_once(':').unwrap_or((value, ""));
    match matcher.trim().to_ascii_lowercase().as_str() {
        "none" => Verdict::of(true),
        matcher if AnnounceAnswer::MATCHERS.contains(&matcher) => {
            Verdict::of_list(terms, &[','], |term| term.len() <= LONGEST_TERM)
        }
        _ => Verdict::of(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (kind, good, bad) in [
            (
                Host,
                &["10.0.0.1", "agent", "[::1]", "fe80::1%eth0", "a.b."][..],
                &[
                    "http://h", "h:42699", "1.2.3", "a b", ".a", ".", "a..b", "::1%",
                ][..],
            ),
            (Port, &["1", " 42699 "], &["0", "65536", "x", "-1"]),
            (
                Number("milliseconds", 1, 600_000),
                &["1", " 600000\n"],
                &["0", "5s", "600001", "1.5", "-1", " "],
            ),
            (Number("frames", 0, 500), &["0", "500"], &["501", "all"]),
            (Plugin, &["rust", "a.b-c_1"], &["Rust", "a/b", " "]),
            (Flag, &["TRUE", "0", " 1 "], &["yes", "on"]),
            (
                Secrets,
                &["equals:a", "none", "none:a", " REGEX :a,b"],
                &["like:a", "equals", "equals:,"],
            ),
            (OneOf(&["all", "none"]), &["ALL"], &["some"]),
            (Text, &["shop"], &[" ", "\u{fffd}"]),
            (AnyText, &[" ", "\u{fffd}"], &[]),
            (
                Attributes,
                &["http.path;/health,/ready;startswith|kind;entry", "type;*;"],
                &[
                    "http.path",
                    "http.path;,",
                    ";a",
                    "a;b;like",
                    "a;b;strict;c",
                    "a;b|",
                ],
            ),
            (Disabling, &["1", "False", "logging;!redis"], &[",", "!"]),
            (
                Endpoints,
                &["redis:get,type; Kafka:consume", "http:*;"],
                &["redis", "redis:", "redis:,", ":get", "mongo:find", ";"],
            ),
            (Headers, &["X-Tenant;x-b,x-c"], &["a b", "ü", ";,"]),
            (Statuses, &["404, 409;410"], &["500", "4xx", ","]),
        ] {
            for value in good {
                let verdict = kind.judge(value);
                assert_eq!(verdict, Verdict::of(true), "{kind:?} {value}");
            }
            for value in bad {
                assert!(!kind.fits(value), "{kind:?} {value}");
            }
        }
    }

    #[test]
    fn parts_of_values() {
        let long = format!("equals:pin,{}", "x".repeat(LONGEST_TERM + 1));
        for (kind, value, skipped) in [
            (Statuses, "404,500, x", &["500", "x"][..]),
            (Headers, "x-a;x b", &["x b"]),
            (
                Endpoints,
                "redis:get;mongo:find;kafka",
                &["mongo:find", "kafka"],
            ),
            (Disabling, "redis,!", &["!"]),
            (Secrets, &long, &[&long[11..]]),
        ] {
            let verdict = kind.judge(value);
            assert!(verdict.usable, "{value}");
            assert_eq!(verdict.skipped, skipped, "{value}");
        }
    }

    #[test]
    fn more_headers_than_are_recorded() {
        let names: Vec<_> = (0..66).map(|number| format!("x-{number}")).collect();
        let value = format!("{},X-0", names.join(";"));
        assert_eq!(Headers.judge(&value).skipped, ["x-64", "x-65"]);
    }

    #[test]
    fn values_that_are_too_long() {
        let long = "1".repeat(LONGEST + 1);
        assert!(!Text.fits(&long));
        assert!(!Disabling.fits(&long));
        assert!(AnyText.fits(&long));
        assert!(Text.fits(&long[..LONGEST_NAME]));
        assert!(!Text.fits(&long[..=LONGEST_NAME]));
    }

    #[test]
    fn what_is_disabled() {
        let names: Vec<_> = disabled("Redis; ! kafka,,!").collect();
        assert_eq!(
            names,
            [("redis".to_owned(), true), ("kafka".to_owned(), false)]
        );
    }
}
