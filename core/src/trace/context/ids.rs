//! Ids for the lines of a log.

use std::fmt;
use std::num::NonZeroU64;

use crate::base::id::hex;
use crate::record::flags::Flags;
use crate::trace::context::Context;
use crate::trace::context::local;

/// The ids of the trace and of the span that the running code is in: what lines
/// of a log need to be found with their trace. Without a trace, and where
/// tracing is suppressed, there are none.
///
/// It costs no allocation, and neither does writing the ids:
///
/// ```
/// assert_eq!(instana::current_ids().to_string(), "trace=- span=-");
///
/// instana::span("price").enter(|| {
///     if let Some(trace) = instana::current_ids().trace() {
///         println!("{{\"trace_id\":\"{trace}\",\"message\":\"priced\"}}");
///     }
/// });
/// ```
///
/// Inside a closure of [`current`](crate::current) there are none.
pub fn current_ids() -> Ids {
    local::with_current(Context::ids).unwrap_or_default()
}

/// The ids of a trace and of a span in it, or none: see [`current_ids`].
///
/// Displayed as `trace=4e37d1ff5b567f98 span=37cb2d6e9b1c078a`, with `-` where
/// there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ids {
    trace: Option<Id>,
    span: Option<Id>,
}

impl Ids {
    /// The id of the trace.
    pub const fn trace(self) -> Option<Id> {
        self.trace
    }

    /// The id of the span.
    pub const fn span(self) -> Option<Id> {
        self.span
    }

    /// True without a trace.
    pub const fn is_none(self) -> bool {
        self.trace.is_none()
    }
}

impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.trace.zip(self.span) {
            None => f.write_str("trace=- span=-"),
            Some((trace, span)) => write!(f, "trace={trace} span={span}"),
        }
    }
}

/// The id of a trace or of a span, displayed as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(NonZeroU64);

impl Id {
    /// The id as a number, never 0.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&hex(self.get())).unwrap_or_default())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Context {
    /// The ids, as [`current_ids`] has them.
    pub fn ids(&self) -> Ids {
        if !self.flags.has(Flags::ACTIVE) {
            return Ids::default();
        }
        Ids {
            trace: NonZeroU64::new(self.trace).map(Id),
            span: NonZeroU64::new(self.span).map(Id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Kind;
    use crate::testing::Recorder;

    #[test]
    fn ids_are_those_of_the_span() {
        fn is_small<T: Copy + Send + Sync>() -> usize {
            size_of::<T>()
        }
        assert_eq!(is_small::<Ids>(), 16);
        let recorder = Recorder::new();
        let (ids, text) = recorder.enter(|| {
            assert!(current_ids().is_none());
            crate::entry_span("job").enter(|| (current_ids(), current_ids().to_string()))
        });
        let job = recorder.span("sdk", Kind::Entry);
        assert_eq!(text, format!("trace={} span={}", job.trace(), job.id()));
        assert_eq!(ids.trace().map(|id| id.to_string()), Some(job.trace()));
        let padded = ids.span().map(|id| format!("{id:>18}"));
        assert_eq!(padded, Some(format!("  {}", job.id())));
        let parsed = u64::from_str_radix(&job.id(), 16).unwrap();
        assert_eq!(ids.span().map(Id::get), Some(parsed));
    }

    #[test]
    fn a_suppressed_call_has_none() {
        let recorder = Recorder::new();
        let incoming = crate::trace::propagation::Incoming::suppressed();
        recorder.enter(|| {
            let mut entry = crate::Span::entry(&crate::trace::span::http::ENTRY, &incoming);
            assert_eq!(entry.enter(current_ids), Ids::default());
        });
    }
}
