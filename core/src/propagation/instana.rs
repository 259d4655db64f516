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
    /// `1` with both parts of a correlation: the trace begins here, and belongs
    /// to a page view or the like.
    Correlated(Correlation),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Correlation {
    pub(crate) kind: Box<str>,
    pub(crate) id: Box<str>,
}

impl Level {
    /// Grammar: `level [OWS "," OWS "correlationType=" type ";" OWS
    /// "correlationId=" id]` (docs/PROTOCOL.md, "HTTP": the first character decides as
    /// in Node.js, but a level of more than one character is no level).
    pub(crate) fn parse(value: &[u8]) -> Self {
        let value = value.trim_ascii();
        match value {
            b"1" => return Self::Traced,
            b"0" => return Self::Suppressed,
            _ => {}
        }
        let Some(comma) = value.iter().position(|byte| *byte == b',') else {
            return Self::Absent;
        };
        let (level, correlation) = value.split_at(comma);
        match level.trim_ascii() {
            b"0" => Self::Suppressed,
            b"1" => parse_correlation(correlation.get(1..).unwrap_or_default())
                .map_or(Self::Traced, Self::Correlated),
            _ => Self::Absent,
        }
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
        let table: [(&[u8], Level); 16] = [
            (b"1", Level::Traced),
            (b"0", Level::Suppressed),
            (b" 0\t", Level::Suppressed),
            (b"", Level::Absent),
            (b"2", Level::Absent),
            (b"true", Level::Absent),
            (b"01", Level::Absent),
            (b"1,correlationType=web;correlationId=1a2b", web()),
            (b"1 , correlationType=web ; correlationId = 1a2b ", web()),
            (b"1,correlationId=1a2b;correlationType=web", web()),
            (b"1,correlationType=web", Level::Traced),
            (b"1,correlationType=;correlationId=1a2b", Level::Traced),
            (b"1,", Level::Traced),
            (b"1,\xff\xfe", Level::Traced),
            (
                b"0,correlationType=web;correlationId=1a2b",
                Level::Suppressed,
            ),
            (b"x,correlationType=web;correlationId=1a2b", Level::Absent),
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
