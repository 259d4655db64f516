//! The thread that samples the sources. They are other people's code: what blocks or
//! panics there must not stop the agent thread, which waits for them a moment only.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use crate::base::external;
use crate::base::log;
use crate::base::threads;
use crate::pipeline::metrics::problem::Problem;
use crate::pipeline::metrics::registry::{Entry, Registration};
use crate::pipeline::metrics::source::{Reading, Readings};
use crate::trace::context::Context;

/// A source that takes longer is slow.
pub(super) const LIMIT: Duration = Duration::from_millis(50);
/// A source that takes longer hangs.
const HANGS: Duration = Duration::from_millis(900);
/// How long the agent thread waits for all sources; the others are late.
const PATIENCE: Duration = Duration::from_millis(200);

/// What a source has read.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) name: Arc<str>,
    pub(super) readings: Vec<Reading>,
    pub(super) problems: Vec<Problem>,
}

/// Samples all sources, a round a second, on a thread that is there as long as there
/// are sources.
#[derive(Debug, Default)]
pub(super) struct SourceThread {
    sampler: Option<Sampler>,
    /// The sources that were slow when they were sampled last.
    slow: Vec<u64>,
}

/// The thread, seen from the agent thread.
#[derive(Debug)]
struct Sampler {
    rounds: Sender<Vec<Entry>>,
    news: Receiver<News>,
    /// A round is under way.
    is_busy: bool,
    /// The source that is being sampled, since when.
    current: Option<(Registration, Instant)>,
}

/// Without the source itself: the agent thread must not be the one that drops it.
#[derive(Debug)]
enum News {
    Begun(Registration, Instant),
    Done {
        source: Registration,
        took: Duration,
        /// `None`: it panicked.
        readings: Option<Readings>,
    },
    RoundOver,
}

impl SourceThread {
    /// The readings of these sources now; those from slow sources may be missing, or
    /// one round late.
    pub(super) fn collect(&mut self, entries: Vec<Entry>) -> Vec<Measured> {
        if entries.is_empty() {
            self.sampler = None;
            return Vec::new();
        }
        let Some(mut sampler) = self.sampler.take().or_else(Sampler::start) else {
            return Vec::new();
        };
        let mut measured = Vec::new();
        if sampler.is_busy {
            self.receive(&mut sampler, Instant::now(), &mut measured);
        }
        if sampler.hangs() {
            // The thread ends when that source comes back, if it does.
            return measured;
        }
        if !sampler.is_busy && sampler.rounds.send(entries).is_ok() {
            sampler.is_busy = true;
            self.receive(&mut sampler, Instant::now() + PATIENCE, &mut measured);
        }
        self.sampler = Some(sampler);
        measured
    }

    /// Takes in news until the round ends, a source is slow, or it is `until`.
    fn receive(&mut self, sampler: &mut Sampler, until: Instant, measured: &mut Vec<Measured>) {
        while sampler.is_busy {
            let since = sampler.current.as_ref().map(|(_, since)| *since);
            let slow = since.map_or(until, |since| (since + LIMIT).min(until));
            let pause = slow.saturating_duration_since(Instant::now());
            match sampler.news.recv_timeout(pause) {
                Ok(News::Begun(source, since)) => sampler.current = Some((source, since)),
                Ok(News::RoundOver) => sampler.is_busy = false,
                Ok(News::Done {
                    source,
                    took,
                    readings,
                }) => {
                    sampler.current = None;
                    self.judge(&source, took, readings.is_none());
                    if let Some(readings) = readings {
                        add(measured, source.name, readings);
                    }
                }
                // The thread does not end by itself: there are no more rounds.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Once is an accident: the whole process may have been stopped meanwhile.
    fn judge(&mut self, source: &Registration, took: Duration, panicked: bool) {
        let was_slow = self.slow.contains(&source.id);
        self.slow.retain(|id| *id != source.id);
        if panicked {
            source.switch_off(format_args!("it panicked"));
        } else if took > LIMIT && was_slow {
            source.switch_off(format_args!(
                "twice in a row it took more than {} ms, this time {}",
                LIMIT.as_millis(),
                took.as_millis()
            ));
        } else if took > LIMIT {
            self.slow.push(source.id);
        }
    }
}

impl Sampler {
    fn start() -> Option<Self> {
        let (rounds, jobs) = mpsc::channel();
        let (sender, news) = mpsc::channel();
        match threads::spawn("instana-metrics", move || sample_all(&jobs, &sender)) {
            Ok(_) => Some(Self {
                rounds,
                news,
                is_busy: false,
                current: None,
            }),
            Err(error) => {
                log::debug(format_args!("no thread for metric sources: {error}"));
                None
            }
        }
    }

    /// Switches a source off that does not come back.
    fn hangs(&self) -> bool {
        let hanging = self.current.as_ref();
        let hanging = hanging.filter(|(_, since)| since.elapsed() > HANGS);
        if let Some((source, since)) = hanging {
            source.switch_off(format_args!(
                "it has not come back for {} ms",
                since.elapsed().as_millis()
            ));
        }
        hanging.is_some()
    }
}

/// A source that was late has readings of two rounds: the newer ones count.
fn add(measured: &mut Vec<Measured>, name: Arc<str>, readings: Readings) {
    let (readings, mut problems) = readings.into_inner();
    if let Some(late) = measured.iter_mut().find(|late| late.name == name) {
        late.readings = readings;
        late.problems.append(&mut problems);
    } else {
        measured.push(Measured {
            name,
            readings,
            problems,
        });
    }
}

fn sample_all(rounds: &Receiver<Vec<Entry>>, news: &Sender<News>) {
    for entries in rounds {
        for entry in entries {
            let (source, begun) = (entry.registration.clone(), Instant::now());
            if news.send(News::Begun(source.clone(), begun)).is_err() {
                return;
            }
            let readings = sample(entry);
            let done = News::Done {
                source,
                took: begun.elapsed(),
                readings,
            };
            if news.send(done).is_err() {
                return;
            }
        }
        if news.send(News::RoundOver).is_err() {
            return;
        }
    }
}

/// What it does is not traced.
fn sample(entry: Entry) -> Option<Readings> {
    let mut readings = Readings::default();
    let suppressed = Context::default().suppressed();
    let run = || {
        // Otherwise it hangs on another thread, or was locked when the process was forked.
        if let Ok(mut source) = entry.source.try_lock() {
            let is_over = external::call(|| {
                suppressed.enter(|| {
                    source.sample(&mut readings);
                    source.is_over()
                })
            });
            if is_over {
                entry.registration.end("it is over");
            }
        }
    };
    let sampled = catch_unwind(AssertUnwindSafe(run));
    // If it was unregistered meanwhile, this is its end: its own code, too.
    let dropped = catch_unwind(AssertUnwindSafe(|| external::call(|| drop(entry))));
    sampled.and(dropped).ok()?;
    Some(readings)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;
    use crate::pipeline::metrics::registry;
    use crate::pipeline::metrics::source::Source;

    fn entry(name: &str, source: impl Source) -> Entry {
        Entry::new(Arc::from(name), Box::new(source))
    }

    fn names(measured: &[Measured]) -> Vec<&str> {
        measured.iter().map(|one| &*one.name).collect()
    }

    #[test]
    fn sources_that_panic_or_block_are_switched_off_and_the_others_go_on() {
        let mut count = 0;
        let good = entry("good", move |readings: &mut Readings| {
            count += 1;
            readings.counter("count", "rounds", count);
            assert!(Context::current().is_suppressed());
        });
        let panics = entry("panics", |_: &mut Readings| panic!("on purpose"));
        let slow = entry("slow", |readings: &mut Readings| {
            readings.gauge("late", "ms", 60);
            thread::sleep(LIMIT + Duration::from_millis(10));
        });
        let (let_go, gone) = channel::<()>();
        let hangs = entry("hangs", move |_: &mut Readings| {
            let _ = gone.recv();
        });
        let all = [good.clone(), panics.clone(), slow.clone(), hangs.clone()];
        let on = || -> Vec<Entry> {
            let on = all.iter().filter(|entry| entry.registration.is_on());
            on.cloned().collect()
        };
        let mut rounds = SourceThread::default();
        let begin = Instant::now();
        let first = rounds.collect(on());
        let waited = begin.elapsed();
        assert!(waited >= LIMIT, "one is slow: {waited:?}");
        // Until the one that hangs is given up.
        let mut later = Vec::new();
        let is_off = |entry: &Entry| !entry.registration.is_on();
        while !is_off(&hangs) || !is_off(&slow) {
            later.extend(rounds.collect(on()));
            assert!(begin.elapsed() < Duration::from_secs(60), "{later:?}");
            thread::sleep(Duration::from_millis(20));
        }
        later.extend(first);
        let sampled = names(&later);
        assert!(sampled.contains(&"good") && sampled.contains(&"slow"));
        assert!(!sampled.contains(&"hangs"));
        for (source, words) in [
            (&panics, "it panicked"),
            (&slow, "twice in a row it took more than 50 ms"),
            (&hangs, "it has not come back"),
        ] {
            let problem = source.registration.problem().unwrap();
            assert!(problem.starts_with(words), "{problem}");
        }
        // A new thread has taken over.
        while names(&rounds.collect(vec![good.clone()])) != ["good"] {
            assert!(begin.elapsed() < Duration::from_secs(60));
        }
        drop(let_go);
        assert_eq!(names(&rounds.collect(Vec::new())), [""; 0]);
        assert!(rounds.sampler.is_none(), "the thread ends with the sources");
    }

    #[test]
    fn a_slow_round_is_an_accident_and_a_second_one_behind_it_the_end() {
        let source = entry("slow", |_: &mut Readings| {}).registration;
        let mut rounds = SourceThread::default();
        for took in [51, 50, 60, 0, 51] {
            rounds.judge(&source, Duration::from_millis(took), false);
            assert!(source.is_on(), "{took}");
        }
        rounds.judge(&source, Duration::from_millis(70), false);
        assert!(!source.is_on());
        let problem = source.problem().unwrap();
        let expected = "twice in a row it took more than 50 ms, this time 70";
        assert_eq!(problem, expected);
    }

    #[test]
    fn the_readings_of_two_rounds_are_those_of_the_newer_one() {
        let (rounds, _jobs) = channel();
        let (sender, news) = channel();
        let entry = entry("late", |_: &mut Readings| {});
        for number in 1..=2 {
            let mut readings = Readings::default();
            readings.gauge("round", "", number);
            readings.problem(&format!("in round {number}"), "");
            let done = News::Done {
                source: entry.registration.clone(),
                took: Duration::ZERO,
                readings: Some(readings),
            };
            sender.send(done).unwrap();
            sender.send(News::RoundOver).unwrap();
        }
        let mut rounds = SourceThread {
            sampler: Some(Sampler {
                rounds,
                news,
                // The first one was late.
                is_busy: true,
                current: None,
            }),
            slow: Vec::new(),
        };
        let measured = rounds.collect(vec![entry]);
        assert_eq!(names(&measured), ["late"], "a name is there once");
        let [reading] = &*measured[0].readings else {
            unreachable!("{measured:?}")
        };
        assert_eq!(reading.value.number().unsigned(), 2);
        let titles: Vec<_> = measured[0].problems.iter().map(|one| &one.title).collect();
        assert_eq!(titles, ["in round 1", "in round 2"]);
    }

    #[test]
    fn what_is_unregistered_while_it_is_sampled_ends_on_the_thread_of_sources() {
        struct Ends(mpsc::Sender<Option<String>>);
        impl Drop for Ends {
            fn drop(&mut self) {
                let thread = thread::current().name().map(str::to_owned);
                self.0.send(thread).unwrap();
                panic!("on purpose");
            }
        }
        let (ended, end) = channel();
        let (let_go, gone) = channel::<()>();
        let ends = Ends(ended);
        let short = entry("short", move |_: &mut Readings| {
            let _ = (&ends, gone.recv());
        });
        let other = entry("other", |_: &mut Readings| {});
        let mut rounds = SourceThread::default();
        // It is under way when the agent thread has lost its patience.
        assert_eq!(names(&rounds.collect(vec![short, other.clone()])), [""; 0]);
        drop(let_go);
        let begin = Instant::now();
        while names(&rounds.collect(vec![other.clone()])) != ["other"] {
            assert!(begin.elapsed() < Duration::from_secs(60));
        }
        assert_eq!(end.recv().unwrap().as_deref(), Some("instana-metrics"));
    }

    #[test]
    fn a_source_that_is_over_makes_room_for_others() {
        struct Once;
        impl Source for Once {
            fn sample(&mut self, readings: &mut Readings) {
                readings.counter("last", "words", 1);
            }

            fn is_over(&self) -> bool {
                true
            }
        }
        let source = registry::register("rounds once", Once);
        let found = || {
            let mut sources = registry::sources();
            sources.retain(|entry| entry.registration.name() == "rounds once");
            sources
        };
        let mut rounds = SourceThread::default();
        let begin = Instant::now();
        let mut measured = rounds.collect(found());
        while measured.is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(60));
            measured = rounds.collect(vec![entry("other", |_: &mut Readings| {})]);
        }
        assert_eq!(names(&measured)[0], "rounds once");
        assert_eq!(measured[0].readings.len(), 1);
        assert!(!source.is_on() && found().is_empty());
    }
}
