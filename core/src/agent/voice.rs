//! What the agent thread says in the log: one line per change of state, nothing
//! twice while the agent stays away, and little where its state changes again and again.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::agent::lifecycle::Change;
use crate::agent::paths::RAW_TRACE;
use crate::log::{self, Level, printable};

/// The most lines that wait for the agent's own log, and the time between two.
const MAX_LINES: usize = 8;
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// The longest line for the agent's log in bytes.
const MAX_LINE: usize = 1024;

/// Lines on a topic that are written as they come. Of more there is one in each
/// [`QUIET`], which says how many it stands for.
const BURST: u32 = 3;
const QUIET: Duration = Duration::from_secs(60);

/// The plugin name that agents do not know today (docs/PROTOCOL.md, "Not certain").
const UNKNOWN_PLUGIN: &str = "rust";

/// What a line is about. Each is said once until the agent is connected again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// An announce was answered 404.
    AnnounceNotFound,
    /// An announce was answered with another error.
    AnnounceRefused,
    /// An announce got no answer.
    AnnounceUnanswered,
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

/// What the lines about changes name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    /// The agent's address.
    pub(crate) address: &'a str,
    /// The plugin name in force.
    pub(crate) plugin: &'a str,
    /// The announced pid.
    pub(crate) pid: u64,
    /// What went wrong last.
    pub(crate) trouble: &'a str,
}

/// Remembers what was said.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    said: Vec<Said>,
    lines: VecDeque<Line>,
    next_line: Duration,
}

impl Voice {
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

    /// Says what has changed, and what can be done about it.
    pub(crate) fn change(&mut self, change: Change, scene: &Scene<'_>) {
        let Scene {
            address,
            plugin,
            pid,
            trouble,
        } = scene;
        match change {
            Change::Connected => {
                self.reset();
                let text = format_args!("connected to the agent at {address} as {plugin} {pid}");
                self.say(Level::Info, Topic::Connected, text);
            }
            Change::Lost => {
                let text = format_args!(
                    "lost the agent at {address} ({trouble}); spans are kept until it is back"
                );
                self.say(Level::Warn, Topic::Lost, text);
            }
            Change::FallbackStarted => {
                let advice = fallback_advice(plugin);
                let text = format_args!(
                    "the agent at {address} keeps answering 404 to the announce as {plugin}: spans \
                     go to {RAW_TRACE} now; runtime metrics and the agent's settings (secrets, \
                     extra headers) do not work; announcing goes on; {advice}"
                );
                self.say(Level::Warn, Topic::Fallback, text);
            }
            Change::EventRejected => {
                let text =
                    format_args!("an event is dropped, the agent does not take it: {trouble}");
                self.say(Level::Warn, Topic::EventRejected, text);
            }
            Change::NeverReady => {
                let text = format_args!(
                    "the agent at {address} accepted the announce, but does not become ready \
                     ({trouble}); announcing again"
                );
                self.say(Level::Warn, Topic::NotReady, text);
            }
        }
    }

    /// The agent works: every topic may be said again. A panic stays said.
    fn reset(&mut self) {
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

fn fallback_advice(plugin: &str) -> &'static str {
    if plugin == UNKNOWN_PLUGIN {
        "for a runtime dashboard with this agent set INSTANA_PLUGIN_NAME=golang; in a container \
         also check that the agent sees its processes (host pid namespace)"
    } else {
        "check that the agent knows this plugin name and sees the process (in a container: host \
         pid namespace)"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_in_words() {
        #[rustfmt::skip]
        let table: [(Change, &str, &[&str]); 6] = [
            (Change::Connected, "rust", &["connected to the agent at a:1 as rust 7"]),
            (Change::Lost, "rust", &["lost the agent at a:1 (why)"]),
            (Change::FallbackStarted, "rust", &["a:1", "rawtrace", "INSTANA_PLUGIN_NAME=golang"]),
            (Change::FallbackStarted, "golang", &["a:1", "rawtrace", "host pid namespace"]),
            (Change::NeverReady, "rust", &["a:1", "(why)"]),
            (Change::EventRejected, "rust", &["event", "dropped", "why"]),
        ];
        for (change, plugin, words) in table {
            let mut voice = Voice::default();
            let scene = Scene {
                address: "a:1",
                plugin,
                pid: 7,
                trouble: "why",
            };
            voice.change(change, &scene);
            voice.change(change, &scene);
            let text = voice.lines.pop_front().unwrap().text;
            for word in words {
                assert!(text.contains(word), "{text}");
            }
            let advised = text.contains("INSTANA_PLUGIN_NAME");
            assert_eq!(
                advised,
                change == Change::FallbackStarted && plugin == "rust"
            );
            // Only the connection itself may be said again.
            assert_eq!(voice.lines.len(), usize::from(change == Change::Connected));
        }
    }

    #[test]
    fn each_topic_is_said_once_until_the_reset() {
        let mut voice = Voice::default();
        voice.say(Level::Warn, Topic::Lost, format_args!("a\nb"));
        voice.say(Level::Warn, Topic::Lost, format_args!("again"));
        voice.say(
            Level::Debug,
            Topic::Nobody,
            format_args!("not for the agent"),
        );
        voice.say(Level::Error, Topic::Panic, format_args!("bug"));
        voice.reset();
        voice.say(Level::Info, Topic::Connected, format_args!("c"));
        voice.say(Level::Error, Topic::Panic, format_args!("bug again"));
        voice.say(Level::Warn, Topic::Lost, format_args!("d"));
        let texts: Vec<_> = voice.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["a b", "bug", "c", "d"]);
    }

    #[test]
    fn an_agent_that_comes_and_goes_is_told_of_once_a_minute() {
        let mut voice = Voice::default();
        let begun = Instant::now();
        let mut lines = Vec::new();
        // Lost and found once a second for ten minutes, then gone.
        for second in 0..660 {
            let now = begun + Duration::from_secs(second);
            if second < 600 {
                voice.reset();
            }
            let text = format_args!("lost {second}");
            voice.say_at(now, Level::Warn, Topic::Lost, text);
            voice.tick(now);
            lines.extend(voice.lines.drain(..).map(|line| line.text));
        }
        assert_eq!(lines[..3], ["lost 0", "lost 1", "lost 2"]);
        assert_eq!(lines[3], "lost 60 (58 more times)");
        assert_eq!(lines[4], "lost 120 (60 more times)");
        assert_eq!(lines.len(), 3 + 10, "{lines:#?}");
        assert_eq!(lines[12], "lost 599 (59 more times)");
        // After a quiet minute, lines are written as they come.
        let later = begun + Duration::from_secs(800);
        voice.reset();
        voice.say_at(later, Level::Warn, Topic::Lost, format_args!("again"));
        assert_eq!(voice.lines.pop_front().unwrap().text, "again");
    }

    #[test]
    fn topics_are_limited_one_by_one() {
        let mut voice = Voice::default();
        let now = Instant::now();
        for _ in 0..10 {
            voice.reset();
            voice.say_at(now, Level::Warn, Topic::Lost, format_args!("lost"));
        }
        voice.say_at(now, Level::Warn, Topic::Nobody, format_args!("nobody"));
        assert_eq!(voice.lines.back().unwrap().text, "nobody");
        assert_eq!(voice.lines.len(), 4);
    }

    #[test]
    fn lines_for_the_agent_are_few_and_rare() {
        let mut voice = Voice::default();
        for _ in 0..20 {
            voice.keep(Level::Warn, "x");
        }
        let sent = (0..300)
            .filter(|second| voice.line(Duration::from_secs(*second)).is_some())
            .collect::<Vec<_>>();
        assert_eq!(sent, [0, 10, 20, 30, 40, 50, 60, 70]);
    }
}
