//! Splits the text of an array into the texts of its items, without parsing them.

use super::scan::{Mark, Scan};

/// A body as the texts of its items: the items of an array, or the body itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Items<'a> {
    text: &'a [u8],
    /// Items before the text, which were cut off; the text begins inside of the array.
    before: u64,
    array: bool,
}

impl<'a> Items<'a> {
    pub(crate) fn new(text: &'a [u8], before: u64) -> Self {
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        Self {
            text,
            before,
            array: before > 0 || first == Some(&b'['),
        }
    }

    pub(crate) fn is_array(&self) -> bool {
        self.array
    }

    /// The items, each as text that may be anything: `serde_json` reads it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<&'a [u8], String>> {
        let (mut at, mut scan) = match (self.array, self.before) {
            (true, 0) => (opened(self.text), Scan::inside()),
            (true, _) => (0, Scan::inside()),
            (false, _) => (0, Scan::default()),
        };
        let text = self.text;
        let mut ended = false;
        let mut first = true;
        std::iter::from_fn(move || {
            if ended {
                return None;
            }
            let rest = text.get(at..).unwrap_or_default();
            let (mut length, mut mark) = (rest.len(), Mark::Inside);
            for (index, byte) in rest.iter().enumerate() {
                mark = scan.step(*byte);
                if scan.is_too_deep() {
                    ended = true;
                    return Some(Err("the nesting is deeper than 127".to_owned()));
                }
                if mark != Mark::Inside {
                    length = index;
                    break;
                }
            }
            let item = rest.get(..length).unwrap_or_default();
            let empty = item.iter().all(u8::is_ascii_whitespace);
            at += length + 1;
            ended = mark != Mark::Comma;
            let alone = std::mem::take(&mut first);
            match mark {
                Mark::End if alone && empty => tail(text, at).map(Err),
                Mark::End => Some(match tail(text, at) {
                    Some(error) => Err(error),
                    None => Ok(item),
                }),
                Mark::Inside if scan.is_array() => Some(Err("the array does not end".to_owned())),
                Mark::Comma | Mark::Inside => Some(Ok(item)),
            }
        })
    }
}

/// Behind the opening bracket.
fn opened(text: &[u8]) -> usize {
    text.iter()
        .position(|byte| *byte == b'[')
        .map_or(0, |at| at + 1)
}

/// The error behind the closing bracket, if there is one.
fn tail(text: &[u8], at: usize) -> Option<String> {
    let rest = text.get(at..).unwrap_or_default();
    let more = rest.iter().any(|byte| !byte.is_ascii_whitespace());
    more.then(|| "trailing characters behind the array".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::check;

    fn items(text: &str, before: u64) -> Vec<String> {
        let items = Items::new(text.as_bytes(), before);
        let texts = items.iter().map(|item| match item {
            Ok(item) => String::from_utf8_lossy(item).trim().to_owned(),
            Err(error) => format!("error: {error}"),
        });
        texts.collect()
    }

    #[test]
    fn items_of_arrays_and_of_anything_else() {
        for (text, before, expected) in [
            ("[]", 0, &[][..]),
            (" [ ] \n", 0, &[]),
            ("[1]", 0, &["1"]),
            (
                "[{\"a\":[1,2]}, \"],\\\"[\" ,[3]]",
                0,
                &["{\"a\":[1,2]}", "\"],\\\"[\"", "[3]"],
            ),
            ("{\"a\":1,\"b\":[1,2]}", 0, &["{\"a\":1,\"b\":[1,2]}"]),
            ("1", 0, &["1"]),
            ("", 0, &[""]),
            ("2,3]", 5, &["2", "3"]),
            ("[1", 0, &["error: the array does not end"]),
            ("[1]]", 0, &["error: trailing characters behind the array"]),
            ("[] []", 0, &["error: trailing characters behind the array"]),
        ] {
            assert_eq!(items(text, before), expected, "{text}");
        }
    }

    #[test]
    fn what_is_json_is_decided_as_by_serde() {
        for (text, sound) in [
            ("[]", true),
            ("[1,{\"a\":null}]", true),
            ("{\"a\":1}", true),
            ("\"x\"", true),
            ("", false),
            ("[", false),
            ("[1,]", false),
            ("[,1]", false),
            ("[1 2]", false),
            ("[{]}", false),
            ("[1]x", false),
            ("{\"a\":1}}", false),
            ("nul", false),
            ("['a']", false),
            ("[\"\u{1}\"]", false),
            ("[01]", false),
        ] {
            let items = Items::new(text.as_bytes(), 0);
            assert_eq!(check(text.as_bytes(), &items).is_ok(), sound, "{text}");
            let known = serde_json::from_str::<serde_json::Value>(text).is_ok();
            assert_eq!(known, sound, "{text}");
        }
        for text in [&b"[\"\xff\"]"[..], &[b'['; 100_000]] {
            assert!(check(text, &Items::new(text, 0)).is_err());
        }
    }
}
