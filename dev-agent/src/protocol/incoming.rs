//! A request as it arrived.

use std::net::SocketAddr;

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) seq: u64,
    pub(crate) ends: Ends,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// Both ends of the connection that carries a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// The body of a request, as far as it is kept.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) text: Vec<u8>,
    /// The number of items of an array that came before the text and are not kept.
    pub(crate) before: u64,
    /// The number of bytes that arrived.
    pub(crate) length: usize,
    /// A single part was larger than what is kept.
    pub(crate) too_large: bool,
}

impl Body {
    /// The beginning, as text.
    pub(crate) fn beginning(&self, bytes: usize) -> String {
        let some = self.text.get(..bytes).unwrap_or(&self.text);
        String::from_utf8_lossy(some).into_owned()
    }
}

impl Incoming {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The decoded value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.query, name)
    }
}

/// The decoded value of a parameter of a query string.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| decode(value))
    })
}

fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let rest = bytes.clone();
                let pair: String = rest.take(2).map(char::from).collect();
                match u8::from_str_radix(&pair, 16) {
                    Ok(decoded) if pair.len() == 2 => {
                        out.push(decoded);
                        bytes.nth(1);
                    }
                    _ => out.push(b'%'),
                }
            }
            b'+' => out.push(b' '),
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        assert_eq!(
            parameter("a=1&messageId=a%2Fb+c%", "messageId").as_deref(),
            Some("a/b c%")
        );
        assert_eq!(parameter("a=1&b", "b").as_deref(), Some(""));
        assert_eq!(parameter("a=1", "b"), None);
    }
}
