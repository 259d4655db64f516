//! A piece of JSON that is appended again and again.

use crate::base::json;

/// Bytes that are copied at once.
const SHORT: usize = 48;

/// Bytes in memory of a fixed size, so that appending the usual few is three
/// instructions and not a call.
#[derive(Debug)]
pub(super) struct Fragment {
    short: [u8; SHORT],
    /// All of a piece that is longer.
    long: Vec<u8>,
    len: usize,
}

impl Fragment {
    pub(super) fn new(json: Vec<u8>) -> Self {
        let mut short = [0; SHORT];
        let len = json.len();
        let long = match short.get_mut(..len) {
            Some(place) => {
                place.copy_from_slice(&json);
                Vec::new()
            }
            None => json,
        };
        Self { short, long, len }
    }

    /// The key of a member whose value is text: `,"key":"`.
    pub(super) fn key(name: &str) -> Self {
        let mut json = b",".to_vec();
        json::string(&mut json, name);
        json.extend_from_slice(b":\"");
        Self::new(json)
    }

    /// Appends the piece.
    #[inline]
    pub(super) fn append(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.len;
        if self.len <= SHORT {
            out.extend_from_slice(&self.short);
            out.truncate(end);
        } else {
            out.extend_from_slice(&self.long);
        }
    }

    /// Appends the piece without its last byte: of a key, all but the quote.
    #[inline]
    pub(super) fn append_but_last(&self, out: &mut Vec<u8>) {
        self.append(out);
        out.truncate(out.len().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_length_are_appended() {
        for len in 0..100 {
            let name = "k".repeat(len);
            let (key, mut out) = (Fragment::key(&name), b"{".to_vec());
            key.append_but_last(&mut out);
            key.append(&mut out);
            assert_eq!(out, format!("{{,\"{name}\":,\"{name}\":\"").into_bytes());
        }
    }
}
