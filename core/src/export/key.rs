//! The key of a member as it is written.

use crate::json;

/// Bytes that are copied at once.
const SHORT: usize = 32;

/// `,"key":"`, in memory of a fixed size, so that appending a usual key is two
/// instructions and not a call.
#[derive(Debug)]
pub(super) struct Key {
    short: [u8; SHORT],
    /// The whole of a key that is longer.
    long: Vec<u8>,
    len: usize,
}

impl Key {
    pub(super) fn new(name: &str) -> Self {
        let mut json = b",".to_vec();
        json::string(&mut json, name);
        json.extend_from_slice(b":\"");
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

    /// Appends `,"key":"`.
    #[inline]
    pub(super) fn open_text(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.len;
        if self.long.is_empty() {
            out.extend_from_slice(&self.short);
        } else {
            out.extend_from_slice(&self.long);
        }
        out.truncate(end);
    }

    /// Appends `,"key":`.
    #[inline]
    pub(super) fn open(&self, out: &mut Vec<u8>) {
        self.open_text(out);
        out.truncate(out.len() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_length_are_appended() {
        for len in 0..100 {
            let name = "k".repeat(len);
            let (key, mut out) = (Key::new(&name), b"{".to_vec());
            key.open(&mut out);
            key.open_text(&mut out);
            assert_eq!(out, format!("{{,\"{name}\":,\"{name}\":\"").into_bytes());
        }
    }
}
