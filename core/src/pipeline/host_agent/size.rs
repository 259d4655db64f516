//! How large a request of spans may be: less than 5 MiB, and less where the agent, or what
//! stands before it, takes no more. Pure; times are durations since the thread started.

use std::time::Duration;

use crate::pipeline::host_agent::lifecycle::Failure;
use crate::pipeline::host_agent::schedule::Pace;
use crate::pipeline::port::{Limits, Reason};

/// Bytes of a request's body: the smallest limit of the siblings (Go).
pub(crate) const MAX_BODY: usize = 5 * 1024 * 1024;
/// The first request. An agent that answers soon gets larger ones.
const START: usize = 1024 * 1024;
/// An answer that takes longer than this makes requests smaller, down to some hundred
/// spans: while the agent works on one of ours, others wait for it.
const SLOW: Duration = Duration::from_secs(1);
const SLOW_FLOOR: usize = 512 * 1024;
/// An answer that comes before this makes them larger.
const QUICK: Duration = Duration::from_millis(300);
/// Requests are not made smaller than this for errors that may have other reasons.
const FLOOR: usize = 32 * 1024;
/// After this time the agent is tried with larger requests again.
const RAISE: Duration = Duration::from_secs(300);
/// Spans that cannot be written are given up after so many tries.
const MALFORMED: u32 = 3;

/// A request that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Of its body.
    pub(crate) bytes: usize,
    pub(crate) spans: usize,
    /// Its spans were sent before, and no answer came.
    pub(crate) is_second: bool,
    /// It was sent twice, for the connection was closed the first time: the agent may have
    /// the spans from then.
    pub(crate) is_resent: bool,
}

impl Sent {
    /// What becomes of spans that left as a whole without an answer: they are sent twice at
    /// most.
    fn doubt(self) -> Verdict {
        if self.is_second || self.is_resent {
            Verdict::GiveUp(Reason::Unanswered)
        } else {
            Verdict::Doubt
        }
    }
}

/// What becomes of the spans of a request that was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are sent again, in requests of the present limits.
    Again,
    /// They are sent again once: the agent may have them.
    Doubt,
    /// They are given up.
    GiveUp(Reason),
}

/// What is known of the sizes that the agent takes.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// Of the next request.
    most: usize,
    /// What the agent takes, as far as that is known.
    ceiling: usize,
    span: usize,
    /// When larger ones are tried again.
    raise_due: Duration,
    /// Refusals since requests of the full size were accepted.
    refusals: u32,
    /// Times that spans could not be written, in a row.
    malformed: u32,
}

impl Sizes {
    pub(crate) const fn new() -> Self {
        Self {
            most: START,
            ceiling: MAX_BODY,
            span: MAX_BODY,
            raise_due: Duration::ZERO,
            refusals: 0,
            malformed: 0,
        }
    }

    /// What the next request may hold.
    pub(crate) fn limits(&mut self, now: Duration) -> Limits {
        let is_full = self.ceiling == MAX_BODY && self.span == MAX_BODY;
        if !is_full && now >= self.raise_due {
            self.raise_due = now + RAISE;
            self.ceiling = self.ceiling.saturating_mul(2).min(MAX_BODY);
            self.span = self.span.saturating_mul(2).min(MAX_BODY);
            self.most = self.ceiling.min(START.max(self.most));
        }
        Limits {
            bytes: self.most,
            span: self.span,
        }
    }

    /// A request of so many bytes was accepted after this time: if that was quick, the next
    /// one may be larger.
    pub(crate) fn accepted(&mut self, bytes: usize, took: Duration) {
        self.malformed = 0;
        if took > SLOW {
            self.shrink(bytes, SLOW_FLOOR);
        } else if took < QUICK || self.most < SLOW_FLOOR {
            self.most = self.most.saturating_mul(2).min(self.ceiling);
        }
        if self.most == self.ceiling {
            self.refusals = 0;
        }
    }

    /// The request was not accepted.
    pub(crate) fn refused(
        &mut self,
        now: Duration,
        failure: Failure,
        sent: Sent,
    ) -> (Verdict, Pace) {
        match self.judged(now, failure, sent) {
            (Verdict::Again, pace) if sent.is_resent => (Verdict::Doubt, pace),
            judged => judged,
        }
    }

    fn judged(&mut self, now: Duration, failure: Failure, sent: Sent) -> (Verdict, Pace) {
        match failure {
            Failure::TooLarge if sent.spans <= 1 => {
                self.span = sent.bytes.min(MAX_BODY);
                self.raise_due = now + RAISE;
                (Verdict::GiveUp(Reason::TooLarge), Pace::Soon)
            }
            Failure::TooLarge => {
                self.ceiling = (sent.bytes / 2).clamp(1, self.ceiling);
                self.most = self.ceiling;
                self.raise_due = now + RAISE;
                (Verdict::Again, Pace::Now)
            }
            // The agent may not know the process any more, which the metrics find out.
            Failure::Status(400 | 422) if self.is_first_refusal() => (Verdict::Again, Pace::Later),
            Failure::Status(400 | 422) if sent.spans <= 1 => {
                (Verdict::GiveUp(Reason::Refused), Pace::Soon)
            }
            Failure::Status(400 | 422) => {
                self.most = (sent.bytes / 2).max(1);
                (Verdict::Again, Pace::Now)
            }
            Failure::Malformed => self.malformed(),
            Failure::Cut | Failure::Unanswered => {
                self.shrink(sent.bytes, FLOOR);
                (sent.doubt(), Pace::Later)
            }
            Failure::Unreadable => (sent.doubt(), Pace::Later),
            // What breaks off, or fails inside of the agent, may be too large for it.
            Failure::Broken | Failure::Status(408 | 431 | 500..=599) => {
                self.shrink(sent.bytes, FLOOR);
                (Verdict::Again, Pace::Later)
            }
            Failure::Foreign | Failure::Status(_) | Failure::Transport => {
                (Verdict::Again, Pace::Later)
            }
        }
    }

    fn is_first_refusal(&mut self) -> bool {
        self.refusals = self.refusals.saturating_add(1);
        self.refusals == 1
    }

    fn malformed(&mut self) -> (Verdict, Pace) {
        self.malformed += 1;
        if self.malformed < MALFORMED {
            return (Verdict::Again, Pace::Later);
        }
        self.malformed = 0;
        (Verdict::GiveUp(Reason::Refused), Pace::Later)
    }

    fn shrink(&mut self, bytes: usize, floor: usize) {
        self.most = self.most.min((bytes / 2).max(floor.min(self.ceiling)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    fn sent(bytes: usize, spans: usize) -> Sent {
        Sent {
            bytes,
            spans,
            is_second: false,
            is_resent: false,
        }
    }

    /// Sends spans of 1,000 bytes to an agent that takes `limit` bytes; returns the
    /// requests that it took, and how many it refused.
    fn play(sizes: &mut Sizes, now: Duration, mut spans: usize, limit: usize) -> (usize, usize) {
        let (mut accepted, mut refused) = (0, 0);
        while spans > 0 {
            let count = (sizes.limits(now).bytes / 1000).clamp(1, spans);
            if count * 1000 <= limit {
                sizes.accepted(count * 1000, Duration::ZERO);
                spans -= count;
                accepted += 1;
                continue;
            }
            refused += 1;
            let verdict = sizes.refused(now, Failure::TooLarge, sent(count * 1000, count));
            assert_eq!(verdict, (Verdict::Again, Pace::Now));
        }
        (accepted, refused)
    }

    #[test]
    fn halves_until_it_passes_and_remembers_for_five_minutes() {
        let mut sizes = Sizes::new();
        let (_, refused) = play(&mut sizes, NOW, 20_000, 100_000);
        assert_eq!(refused, 4, "1 MB, 512 kB … 131 kB");
        assert_eq!(play(&mut sizes, NOW * 2, 20_000, 100_000).1, 0);
        // Twice as large is tried later, and given up at once.
        assert_eq!(play(&mut sizes, NOW + RAISE, 2_000, 100_000).1, 1);
        assert_eq!(play(&mut sizes, NOW * 2 + RAISE, 2_000, 100_000).1, 0);
        // An agent that takes more by now is used to the full after some times.
        let mut now = NOW + RAISE;
        for _ in 0..8 {
            now += RAISE;
            assert_eq!(play(&mut sizes, now, 10, MAX_BODY).1, 0);
            play(&mut sizes, now, 10, MAX_BODY);
        }
        assert_eq!(sizes.limits(now).bytes, MAX_BODY);
    }

    #[test]
    fn only_a_single_span_is_given_up() {
        #[rustfmt::skip]
        let table = [
            (Failure::TooLarge, 2, Verdict::Again, Pace::Now),
            (Failure::TooLarge, 1, Verdict::GiveUp(Reason::TooLarge), Pace::Soon),
            (Failure::Status(413), 1, Verdict::Again, Pace::Later),
            (Failure::Status(400), 9, Verdict::Again, Pace::Later),
            (Failure::Status(422), 1, Verdict::Again, Pace::Later),
            (Failure::Status(500), 1, Verdict::Again, Pace::Later),
            (Failure::Status(404), 1, Verdict::Again, Pace::Later),
            (Failure::Foreign, 1, Verdict::Again, Pace::Later),
            (Failure::Transport, 1, Verdict::Again, Pace::Later),
            (Failure::Broken, 1, Verdict::Again, Pace::Later),
            (Failure::Malformed, 9, Verdict::Again, Pace::Later),
            (Failure::Unanswered, 9, Verdict::Doubt, Pace::Later),
            (Failure::Cut, 9, Verdict::Doubt, Pace::Later),
            (Failure::Unreadable, 9, Verdict::Doubt, Pace::Later),
        ];
        for (failure, spans, verdict, pace) in table {
            let found = Sizes::new().refused(NOW, failure, sent(1000, spans));
            assert_eq!(found, (verdict, pace), "{failure:?} {spans}");
        }
        let given_up = (Verdict::GiveUp(Reason::Unanswered), Pace::Later);
        let doubt = (Verdict::Doubt, Pace::Later);
        for (is_second, is_resent) in [(true, false), (false, true), (true, true)] {
            let sent = Sent {
                is_second,
                is_resent,
                ..sent(1000, 5)
            };
            for failure in [Failure::Cut, Failure::Unanswered, Failure::Unreadable] {
                let found = Sizes::new().refused(NOW, failure, sent);
                assert_eq!(found, given_up, "{failure:?} {sent:?}");
            }
            // What was not accepted this time may have been before.
            for failure in [Failure::Broken, Failure::Status(503), Failure::Transport] {
                let again = (Verdict::Again, Pace::Later);
                let found = Sizes::new().refused(NOW, failure, sent);
                let expected = if is_resent { doubt } else { again };
                assert_eq!(found, expected, "{failure:?} {sent:?}");
            }
        }
    }

    #[test]
    fn one_span_that_the_agent_refuses_is_found_among_many() {
        // Span 700 of 1,000 is answered 400.
        let mut sizes = Sizes::new();
        let (mut at, mut requests, mut lost) = (0, 0, Vec::new());
        while at < 1000 {
            let count = (sizes.limits(NOW).bytes / 1000).clamp(1, 1000 - at);
            requests += 1;
            if !(at..at + count).contains(&700) {
                sizes.accepted(count * 1000, Duration::ZERO);
                at += count;
                continue;
            }
            let sent = sent(count * 1000, count);
            if let (Verdict::GiveUp(_), _) = sizes.refused(NOW, Failure::Status(400), sent) {
                lost.push(at);
                at += 1;
            }
        }
        assert_eq!(lost, [700]);
        assert!(requests < 60, "{requests}");
    }

    #[test]
    fn errors_that_large_requests_may_have_caused_make_them_smaller() {
        for failure in [Failure::Broken, Failure::Unanswered, Failure::Status(503)] {
            let mut sizes = Sizes::new();
            let mut limits = Vec::new();
            for _ in 0..10 {
                limits.push(sizes.limits(NOW).bytes);
                let sent = sent(sizes.most, 5);
                sizes.refused(NOW, failure, sent);
            }
            assert_eq!(limits[..2], [START, START / 2]);
            assert_eq!(limits[9], FLOOR);
            for _ in 0..8 {
                sizes.accepted(FLOOR, Duration::ZERO);
            }
            assert_eq!(sizes.limits(NOW).bytes, MAX_BODY);
        }
    }

    #[test]
    fn slow_agents_get_smaller_requests_and_quick_ones_larger() {
        let ms = Duration::from_millis;
        let mut sizes = Sizes::new();
        let mut most = |took| {
            sizes.accepted(sizes.most, ms(took));
            sizes.most
        };
        let large = [most(20), most(20), most(20), most(500), most(500)];
        let full = MAX_BODY;
        assert_eq!(large, [2 * START, 4 * START, full, full, full]);
        let slow = [most(1500), most(4000), most(4000), most(4000), most(4000)];
        assert_eq!(slow[..2], [full / 2, full / 4]);
        assert_eq!(slow[4], SLOW_FLOOR, "no smaller, however slow it is");
        assert_eq!(most(10), 2 * SLOW_FLOOR);
        // Few spans say nothing of many: a small request makes the next one no smaller
        // than that floor.
        sizes.accepted(100, ms(4000));
        assert_eq!(sizes.most, SLOW_FLOOR);
    }

    #[test]
    fn a_span_that_was_too_large_is_the_measure_for_others() {
        let mut sizes = Sizes::new();
        sizes.refused(NOW, Failure::TooLarge, sent(9000, 1));
        assert_eq!(sizes.limits(NOW * 2).span, 9000);
        assert_eq!(sizes.limits(NOW + RAISE).span, 18_000);
    }

    #[test]
    fn spans_that_cannot_be_written_are_given_up_at_the_third_time() {
        let mut sizes = Sizes::new();
        let mut next = || sizes.refused(NOW, Failure::Malformed, sent(0, 0)).0;
        let given_up = Verdict::GiveUp(Reason::Refused);
        assert_eq!(
            [next(), next(), next(), next()],
            [Verdict::Again, Verdict::Again, given_up, Verdict::Again]
        );
    }
}
