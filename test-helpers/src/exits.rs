//! The exits of `Recorder::in_entry`, where nothing else may have been recorded.

use instana::testing::{RecordedSpan, Recorder};

/// The exits of the entry `job`, in the order in which they ended.
///
/// # Panics
/// Where there is anything else than that entry and exits right below it.
#[track_caller]
pub fn exits(recorder: &Recorder) -> Vec<RecordedSpan> {
    let (exits, below) = (
        recorder.exits(),
        recorder.children(&recorder.labelled("job")),
    );
    let is_all = exits == below && exits.len() + 1 == recorder.spans().len();
    assert!(is_all, "not only exits\n\n{}", recorder.tree());
    exits
}

/// The only exit of the entry `job`.
///
/// # Panics
/// Where there is none, or anything else.
#[track_caller]
pub fn exit(recorder: &Recorder) -> RecordedSpan {
    let mut exits = exits(recorder);
    assert_eq!(exits.len(), 1, "{}", recorder.tree());
    exits.remove(0)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn panics<R>(f: impl FnOnce() -> R) -> bool {
        catch_unwind(AssertUnwindSafe(f)).is_err()
    }

    #[test]
    fn exits_of_the_job_and_nothing_else() {
        let recorder = Recorder::new();
        recorder.enter_entry(|| instana::exit_span("a").end());
        assert_eq!(exit(&recorder).label(), "a");
        recorder.clear();

        recorder.enter_entry(|| {
            instana::exit_span("a").end();
            instana::exit_span("b").end();
        });
        let labels: Vec<_> = exits(&recorder).iter().map(RecordedSpan::label).collect();
        assert_eq!(labels, ["a", "b"]);
        assert!(panics(|| exit(&recorder)));
        recorder.clear();

        recorder.enter_entry(|| instana::span("work").enter(|| instana::exit_span("a").end()));
        assert!(panics(|| exits(&recorder)));
        recorder.clear();

        recorder.enter(|| instana::entry_span("other").enter(|| instana::exit_span("a").end()));
        assert!(panics(|| exits(&recorder)));
    }
}
