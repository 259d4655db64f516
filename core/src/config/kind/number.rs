//! Numbers and times.

use std::time::Duration;

use crate::config::kind::Kind;
use crate::config::reader::{Place, Reader};

/// A TCP port.
pub(crate) struct Port;

/// Milliseconds from `MIN` to `MAX`.
pub(crate) struct Millis<const MIN: u64, const MAX: u64>;

/// A time between attempts: milliseconds, or as the tracer sees fit.
pub(crate) struct Pause;

/// A number of bytes, of code only.
pub(crate) struct Bytes;

/// A number of spans.
pub(crate) struct Spans;

/// A number of frames.
pub(crate) struct Frames;

/// The most frames of a stack trace (as in Node.js).
const MOST_FRAMES: u16 = 500;

impl Kind for Port {
    type Value = u16;

    const ACCEPTED: &'static str = "a port (1 to 65535)";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<u16> {
        text.trim().parse().ok().filter(|port| *port != 0)
    }

    fn show(value: &u16) -> String {
        value.to_string()
    }
}

impl<const MIN: u64, const MAX: u64> Kind for Millis<MIN, MAX> {
    type Value = Duration;

    const ACCEPTED: &'static str = match (MIN, MAX) {
        (1, 600_000) => "a number of milliseconds (1 to 600000)",
        (10, 60_000) => "a number of milliseconds (10 to 60000)",
        (0, _) => "a time",
        _ => panic!("the words for this range are missing"),
    };

    fn is_usable(value: &Duration) -> bool {
        (u128::from(MIN)..=u128::from(MAX)).contains(&value.as_millis())
    }

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<Duration> {
        millis(text).filter(Self::is_usable)
    }

    fn show(value: &Duration) -> String {
        format!("{} ms", value.as_millis())
    }
}

impl Kind for Pause {
    type Value = Option<Duration>;

    const ACCEPTED: &'static str = "a number of milliseconds (100 to 600000)";

    fn is_usable(value: &Self::Value) -> bool {
        value.is_none_or(|pause| (100..=600_000).contains(&pause.as_millis()))
    }

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<Self::Value> {
        Some(millis(text)).filter(|pause| pause.is_some() && Self::is_usable(pause))
    }

    fn show(value: &Self::Value) -> String {
        match value {
            None => "1 s, later 10 s".to_owned(),
            Some(pause) => format!("{} ms", pause.as_millis()),
        }
    }
}

impl Kind for Bytes {
    type Value = usize;

    const ACCEPTED: &'static str = "a number of bytes";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<usize> {
        text.trim().parse().ok()
    }

    fn show(value: &usize) -> String {
        format!("{value} bytes")
    }
}

impl Kind for Spans {
    type Value = usize;

    const ACCEPTED: &'static str = "a number of spans (1 to 1000000)";

    fn is_usable(value: &usize) -> bool {
        (1..=1_000_000).contains(value)
    }

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<usize> {
        text.trim().parse().ok().filter(Self::is_usable)
    }

    fn show(value: &usize) -> String {
        value.to_string()
    }
}

impl Kind for Frames {
    type Value = u16;

    const ACCEPTED: &'static str = "a number of frames (0 to 500)";

    fn is_usable(value: &u16) -> bool {
        *value <= MOST_FRAMES
    }

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<u16> {
        text.trim().parse().ok().filter(Self::is_usable)
    }

    fn show(value: &u16) -> String {
        value.to_string()
    }
}

pub(crate) fn millis(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_millis)
}
