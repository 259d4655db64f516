//! `X-INSTANA-L`: the level, and what a browser's monitoring adds to it.

use std::str;

/// Bytes of a correlation type or id that are kept.
pub(crate) const CORRELATION_LIMIT: usize = 256;

/// What `X-INSTANA-L` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Level {
    /// No header, or none that can be understood.
    #[default]
    Absent,
    /// `0`
    Suppressed,
    /// `1`
    Traced,
    /// Both parts of a correlation: the trace begins here, and belongs to a page view
    /// or the like.
    Correlated(Correlation),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Correlation {
    pub(crate) kind: Box<str>,
    pub(crate) id: Box<str>,
}

impl Level {
    /// The first character decides, as in Node.js (docs/PROTOCOL.md, "HTTP"), and both
    /// parts of a correlation are looked for behind a comma.
    #[inline]
    pub(crate) fn parse(value: &[u8]) -> Self {
        match value.trim_ascii() {
            [b'1'] => Self::Traced,
            [b'0', ..] => Self::Suppressed,
            [] | [_] => Self::Absent,
            more => Self::parse_more(more),
        }
    }

    #[cold]
    fn parse_more(value: &[u8]) -> Self {
        let level = match value.first() {
            Some(b'1') => Self::Traced,
            _ => Self::Absent,
        };
        let correlation = value.split(|byte| *byte == b',').nth(1);
        correlation
            .and_then(parse_correlation)
            .map_or(level, Self::Correlated)
    }
}

/// Both the type and the id are needed, in either order.
fn parse_correlation(text: &[u8]) -> Option<Correlation> {
    let (mut kind, mut id) = (None, None);
    for part in str::from_utf8(text).ok()?.split(';') {
        let Some((key, value)) = part.split_once('=') else {
            continue;
        };
        let value = value.trim();
        if value.is_empty() || value.len() > CORRELATION_LIMIT {
            continue;
        }
        match key.trim() {
            "correlationType" => kind = Some(value.into()),
            "correlationId" => id = Some(value.into()),
            _ => {}
        }
    }
    Some(Correlation {
        kind: kind?,
        id: id?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        let web = || {
            Level::Correlated(Correlation {
                kind: "web".into(),
                id: "1a2b".into(),
            })
        };
        let table: [(&[u8], Level); 41] = [
            (b"1", Level::Traced),
            (b"0", Level::Suppressed),
            (b" 0\t", Level::Suppressed),
            (b"00", Level::Suppressed),
            (b"000", Level::Suppressed),
            (b"01", Level::Suppressed),
            (b"0.0", Level::Suppressed),
            (b"0 ", Level::Suppressed),
            (b"0 1", Level::Suppressed),
            (b"0;", Level::Suppressed),
            (b"0,", Level::Suppressed),
            (b"0, 1", Level::Suppressed),
            (b"0,1", Level::Suppressed),
            (b"0\xff", Level::Suppressed),
            (b"10", Level::Traced),
            (b"11", Level::Traced),
            (b"1.0", Level::Traced),
            (b"1, 0", Level::Traced),
            (b" 1 ", Level::Traced),
            (b"", Level::Absent),
            (b"  ", Level::Absent),
            (b",", Level::Absent),
            (b"+0", Level::Absent),
            (b"-1", Level::Absent),
            (b"2", Level::Absent),
            (b"20", Level::Absent),
            (b"true", Level::Absent),
            (b"\"0\"", Level::Absent),
            (b"1,correlationType=web;correlationId=1a2b", web()),
            (b"1,correlationType=web;correlationId=1a2b,0", web()),
            (b"1 , correlationType=web ; correlationId = 1a2b ", web()),
            (b"1,correlationId=1a2b;correlationType=web", web()),
            (b"x,correlationType=web;correlationId=1a2b", web()),
            (b",correlationType=web;correlationId=1a2b", web()),
            (b"1,x,correlationType=web;correlationId=1a2b", Level::Traced),
            (b"1,correlationType=web", Level::Traced),
            (b"1,correlationType=;correlationId=1a2b", Level::Traced),
            (b"1,", Level::Traced),
            (b"1,\xff\xfe", Level::Traced),
            (b"x,correlationType=web", Level::Absent),
            (
                b"0,correlationType=web;correlationId=1a2b",
                Level::Suppressed,
            ),
        ];
        for (value, expected) in table {
            assert_eq!(Level::parse(value), expected, "{}", value.escape_ascii());
        }
        let long = format!("1,correlationType=web;correlationId={}", "x".repeat(300));
        assert_eq!(
            Level::parse(long.as_bytes()),
            Level::Traced,
            "an endless id is none"
        );
    }
}
