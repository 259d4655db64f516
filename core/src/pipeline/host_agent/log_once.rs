//! The log of the agent thread: one line per change of state, nothing twice while the agent
//! stays away, and little where its state changes again and again.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::base::log;
use crate::base::log::Level;
use crate::base::text::printable;

/// The most lines that wait for the agent's own log, and the time between two.
const MAX_LINES: usize = 8;
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// The longest line for the agent's log in bytes.
const MAX_LINE: usize = 1024;

/// Lines on a topic that are written as they come. Of more there is one in each
/// [`QUIET`], which says how many it stands for.
const BURST: u32 = 3;
const QUIET: Duration = Duration::from_secs(60);

/// What a line is about. Each is said once until the agent is connected again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// An announce was answered 404.
    AnnounceNotFound,
    /// An announce was answered with another error.
    AnnounceRefused,
    /// An announce got no answer.
    AnnounceUnanswered,
    /// What may be the agent has taken the lookup, and has not answered yet.
    Awaited,
    /// The agent works.
    Connected,
    /// Spans go to the raw-trace endpoint.
    Fallback,
    /// The agent worked, and does not any more.
    Lost,
    /// The answer to the announce or to the metrics made no sense.
    Malformed,
    /// Metrics were never accepted.
    MetricsRefused,
    /// Events are given up.
    EventRejected,
    /// Something answers that is no agent.
    NoAgent,
    /// Nothing answers.
    Nobody,
    /// The agent accepted the announce, but does not become ready.
    NotReady,
    /// A bug in this crate.
    Panic,
    /// Some of the agent's settings could not be used.
    Settings,
    /// Spans were given up.
    SpansRejected,
    /// Spans were not accepted.
    SpansRefused,
    /// A span is larger than the agent takes.
    SpanTooLarge,
    /// Requests of spans are larger than the agent takes.
    RequestTooLarge,
    /// Spans were sent twice and never answered.
    Unanswered,
}

/// What was said on a topic.
#[derive(Clone, Debug)]
struct Said {
    topic: Topic,
    /// Not again until the agent is connected again.
    is_closed: bool,
    /// When the lines that count began, and how many there were.
    since: Instant,
    written: u32,
    /// The last of those that were not written, and how many there are.
    held: Option<(Level, String)>,
    more: u32,
}

/// A line for the agent's own log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its level.
    pub(crate) level: Level,
    /// Its text.
    pub(crate) text: String,
}

/// Remembers what was said.
#[derive(Debug, Default)]
pub(crate) struct LogOnce {
    said: Vec<Said>,
    lines: VecDeque<Line>,
    next_line: Duration,
}

impl LogOnce {
    /// Says it, unless something on this topic was said already.
    pub(crate) fn say(&mut self, level: Level, topic: Topic, text: fmt::Arguments<'_>) {
        self.say_at(Instant::now(), level, topic, text);
    }

    fn say_at(&mut self, now: Instant, level: Level, topic: Topic, text: fmt::Arguments<'_>) {
        let mut said = self.take(now, topic);
        let is_closed = std::mem::replace(&mut said.is_closed, true);
        if said.more == 0 && now.saturating_duration_since(said.since) >= QUIET {
            (said.since, said.written) = (now, 0);
        }
        let is_held = said.written >= BURST;
        if is_held && !is_closed {
            said.more = said.more.saturating_add(1);
            said.held = Some((level, printable(&text.to_string(), MAX_LINE)));
        } else if !is_closed {
            said.written += 1;
        }
        self.said.push(said);
        if !is_closed && !is_held {
            self.write(level, topic, text);
        }
    }

    /// Now and then: says what was held back, and how often.
    pub(crate) fn tick(&mut self, now: Instant) {
        let mut due = Vec::new();
        for said in &mut self.said {
            let is_due = now.saturating_duration_since(said.since) >= QUIET;
            if let Some((level, text)) = said.held.take_if(|_| is_due) {
                due.push((level, said.topic, text, std::mem::take(&mut said.more)));
                said.since = now;
            }
        }
        for (level, topic, text, more) in due {
            self.write(level, topic, format_args!("{text} ({more} more times)"));
        }
    }

    fn take(&mut self, now: Instant, topic: Topic) -> Said {
        match self.said.iter().position(|said| said.topic == topic) {
            Some(known) => self.said.swap_remove(known),
            None => Said {
                topic,
                is_closed: false,
                since: now,
                written: 0,
                held: None,
                more: 0,
            },
        }
    }

    fn write(&mut self, level: Level, topic: Topic, text: fmt::Arguments<'_>) {
        log::write(level, text);
        if level <= Level::Warn || topic == Topic::Connected {
            self.keep(level, &text.to_string());
        }
    }

    /// Keeps a line for the agent's own log.
    pub(crate) fn keep(&mut self, level: Level, text: &str) {
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Line {
            level,
            text: printable(text, MAX_LINE),
        });
    }

    /// The agent works: every topic may be said again. A panic stays said.
    pub(super) fn reset(&mut self) {
        for said in &mut self.said {
            said.is_closed &= said.topic == Topic::Panic;
        }
    }

    /// The next line for the agent's own log, if it is time for one.
    pub(crate) fn line(&mut self, now: Duration) -> Option<Line> {
        if now < self.next_line {
            return None;
        }
        let line = self.lines.pop_front()?;
        self.next_line = now + LINE_INTERVAL;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_is_said_once_until_the_reset() {
        let mut log = LogOnce::default();
        log.say(Level::Warn, Topic::Lost, format_args!("a\nb"));
        log.say(Level::Warn, Topic::Lost, format_args!("again"));
        log.say(
            Level::Debug,
            Topic::Nobody,
            format_args!("not for the agent"),
        );
        log.say(Level::Error, Topic::Panic, format_args!("bug"));
        log.reset();
        log.say(Level::Info, Topic::Connected, format_args!("c"));
        log.say(Level::Error, Topic::Panic, format_args!("bug again"));
        log.say(Level::Warn, Topic::Lost, format_args!("d"));
        let texts: Vec<_> = log.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["a b", "bug", "c", "d"]);
    }

    #[test]
    fn an_agent_that_comes_and_goes_is_told_of_once_a_minute() {
        let mut log = LogOnce::default();
        let begun = Instant::now();
        let mut lines = Vec::new();
        // Lost and found once a second for ten minutes, then gone.
        for second in 0..660 {
            let now = begun + Duration::from_secs(second);
            if second < 600 {
                log.reset();
            }
            let text = format_args!("lost {second}");
            log.say_at(now, Level::Warn, Topic::Lost, text);
            log.tick(now);
            lines.extend(log.lines.drain(..).map(|line| line.text));
        }
        assert_eq!(lines[..3], ["lost 0", "lost 1", "lost 2"]);
        assert_eq!(lines[3], "lost 60 (58 more times)");
        assert_eq!(lines[4], "lost 120 (60 more times)");
        assert_eq!(lines.len(), 3 + 10, "{lines:#?}");
        assert_eq!(lines[12], "lost 599 (59 more times)");
        // After a quiet minute, lines are written as they come.
        let later = begun + Duration::from_secs(800);
        log.reset();
        log.say_at(later, Level::Warn, Topic::Lost, format_args!("again"));
        assert_eq!(log.lines.pop_front().unwrap().text, "again");
    }

    #[test]
    fn topics_are_limited_one_by_one() {
        let mut log = LogOnce::default();
        let now = Instant::now();
        for _ in 0..10 {
            log.reset();
            log.say_at(now, Level::Warn, Topic::Lost, format_args!("lost"));
        }
        log.say_at(now, Level::Warn, Topic::Nobody, format_args!("nobody"));
        assert_eq!(log.lines.back().unwrap().text, "nobody");
        assert_eq!(log.lines.len(), 4);
    }

    #[test]
    fn lines_for_the_agent_are_few_and_rare() {
        let mut log = LogOnce::default();
        for _ in 0..20 {
            log.keep(Level::Warn, "x");
        }
        let sent = (0..300)
            .filter(|second| log.line(Duration::from_secs(*second)).is_some())
            .collect::<Vec<_>>();
        assert_eq!(sent, [0, 10, 20, 30, 40, 50, 60, 70]);
    }
}
