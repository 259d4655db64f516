//! What the tracer or a source finds wrong with the process: logged, and sent as an
//! event of the service, seldom.

use std::time::{Duration, Instant};

use crate::base::log;
use crate::pipeline::event::{Severity, event};
use crate::record::segment::POOL;
use crate::trace::context::tracer::GLOBAL;

/// The same problem is reported again after this time.
const QUIET: Duration = Duration::from_secs(300);
/// Problems that are remembered; others wait until there is room.
const MAX_KNOWN: usize = 32;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) title: String,
    pub(crate) text: String,
}

/// Remembers what was reported.
#[derive(Debug, Default)]
pub(super) struct Problems {
    known: Vec<(String, Instant)>,
    /// Spans that were dropped until the last look: all, and for want of room.
    dropped: u64,
    full: u64,
}

impl Problems {
    /// Spans that were dropped since the last call.
    pub(super) fn look(&mut self, now: Instant) {
        let counts = POOL.counts();
        let dropped = counts.dropped_full
            + counts.dropped_memory
            + counts.dropped_rejected
            + counts.dropped_too_large
            + counts.dropped_unanswered
            + counts.dropped_invalid;
        if let Some(problem) = self.dropped_spans(dropped, counts.dropped_full) {
            self.tell(now, &problem);
        }
    }

    /// Tells of it, unless that was done lately.
    pub(super) fn tell(&mut self, now: Instant, problem: &Problem) {
        if self.is_new(now, &problem.title) {
            let line = format!("{}: {}", problem.title, problem.text);
            log::tell(format_args!("{}", GLOBAL.redacted(&line)));
            event(&problem.title)
                .text(&problem.text)
                .severity(Severity::Warning)
                .send();
        }
    }

    fn is_new(&mut self, now: Instant, title: &str) -> bool {
        self.known
            .retain(|(_, then)| now.saturating_duration_since(*then) < QUIET);
        let is_known = self.known.iter().any(|(known, _)| known == title);
        if is_known || self.known.len() >= MAX_KNOWN {
            return false;
        }
        self.known.push((title.to_owned(), now));
        true
    }

    fn dropped_spans(&mut self, dropped: u64, full: u64) -> Option<Problem> {
        let new = dropped.saturating_sub(self.dropped);
        let is_full = full > self.full;
        (self.dropped, self.full) = (dropped, full);
        if new == 0 {
            return None;
        }
        let advice = if is_full {
            "there was no room for them (`Builder::buffer_bytes` is the bound)"
        } else {
            "the agent does not take them"
        };
        Some(Problem {
            title: "Spans were dropped".to_owned(),
            text: format!("{new} spans are lost, {dropped} since the start: {advice}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_told_every_five_minutes() {
        let mut problems = Problems::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let told =
            |problems: &mut Problems, seconds, title: &str| problems.is_new(at(seconds), title);
        assert!(told(&mut problems, 0, "a"));
        assert!(!told(&mut problems, 1, "a"));
        assert!(told(&mut problems, 1, "b"));
        assert!(!told(&mut problems, 299, "a"));
        assert!(told(&mut problems, 300, "a"));
        for n in 0..100 {
            told(&mut problems, 300, &n.to_string());
        }
        assert_eq!(problems.known.len(), MAX_KNOWN);
    }

    #[test]
    fn only_new_losses_are_told() {
        let mut problems = Problems::default();
        assert_eq!(problems.dropped_spans(0, 0), None);
        let text = problems.dropped_spans(7, 7).unwrap().text;
        assert!(text.starts_with("7 spans are lost, 7 since the start: there was no room"));
        assert_eq!(problems.dropped_spans(7, 7), None);
        let text = problems.dropped_spans(10, 7).unwrap().text;
        let refused = "3 spans are lost, 10 since the start: the agent does not take them";
        assert_eq!(text, refused, "there is room again");
        // Counted anew after another `init`.
        assert_eq!(problems.dropped_spans(0, 0), None);
        assert!(problems.dropped_spans(2, 0).is_some());
    }
}
