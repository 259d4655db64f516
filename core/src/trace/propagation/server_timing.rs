//! How a browser's monitoring finds the trace of a response.

use std::fmt;
use std::str;

use crate::base::id;
use crate::trace::context::Context;

const LEN: usize = "intid;desc=0123456789abcdef".len();

/// The value of a `Server-Timing` response header, `intid;desc=<trace id>`, as all
/// of Instana's tracers write it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ServerTiming([u8; LEN]);

impl ServerTiming {
    #[inline]
    pub(crate) fn new(trace: u64) -> Self {
        let mut text = *b"intid;desc=0000000000000000";
        id::put(&mut text, 11, id::hex(trace));
        Self(text)
    }

    /// The value's ASCII text.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for ServerTiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl fmt::Debug for ServerTiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Context {
    /// The value of the `Server-Timing` response header that lets a browser
    /// find this trace; `None` without a trace or where tracing is suppressed.
    #[inline]
    pub fn server_timing(&self) -> Option<ServerTiming> {
        self.is_active().then(|| ServerTiming::new(self.trace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_trace() {
        let value = ServerTiming::new(0x1234);
        assert_eq!(value.to_string(), "intid;desc=0000000000001234");
        assert_eq!(value.as_bytes(), value.to_string().as_bytes());
    }
}
