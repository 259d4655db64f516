//! Which exits have a stack, and of how many frames.

use std::collections::BTreeMap;

use crate::base::stack::address;
use crate::config::{Config, StackTraces, TechnologyStackTraces};
use crate::record::Family;

/// Fewer addresses are not worth it: many frames are not the application's.
const LEAST: usize = 64;

/// What the settings say.
#[derive(Debug)]
pub(crate) struct Stacks {
    all: Wanted,
    technologies: BTreeMap<String, TechnologyStackTraces>,
}

/// What the settings say about a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) mode: StackTraces,
    pub(crate) frames: u16,
}

impl Stacks {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            all: Wanted {
                mode: config.stack_trace,
                frames: config.stack_trace_length,
            },
            technologies: config.technology_stack_traces.clone(),
        }
    }

    /// What exits of `family` have: its own setting by the name of the span or of
    /// its data, else the setting for all.
    pub(crate) fn wanted(&self, family: &'static Family) -> Wanted {
        if self.technologies.is_empty() {
            return self.all;
        }
        let own = family
            .type_names()
            .find_map(|name| self.technologies.get(name));
        own.map_or(self.all, |own| self.all.but(own))
    }

    /// Whether any exits have a stack in this mode.
    pub(crate) fn has(&self, mode: StackTraces) -> bool {
        let technologies = self.technologies.values().map(|own| self.all.but(own));
        technologies
            .chain([self.all])
            .any(|wanted| wanted.mode == mode && wanted.frames > 0)
    }
}

impl Wanted {
    fn but(self, own: &TechnologyStackTraces) -> Self {
        Self {
            mode: own.mode.unwrap_or(self.mode),
            frames: own.length.unwrap_or(self.frames),
        }
    }

    /// Addresses that are captured for it.
    pub(crate) fn addresses(self) -> usize {
        (usize::from(self.frames) * 2).clamp(LEAST, address::MOST)
    }

    /// The frames that a span with so many errors has at most.
    pub(crate) fn for_errors(self, errors: u64) -> u16 {
        match self.mode {
            StackTraces::All => self.frames,
            StackTraces::Error if errors > 0 => self.frames,
            StackTraces::Error | StackTraces::None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::span::http;

    fn stacks(technologies: &[(&str, Option<StackTraces>, Option<u16>)]) -> Stacks {
        let mut config = Config::default();
        for (name, mode, length) in technologies {
            let traces = TechnologyStackTraces {
                mode: *mode,
                length: *length,
            };
            config
                .technology_stack_traces
                .insert((*name).to_owned(), traces);
        }
        Stacks::of(&config)
    }

    #[test]
    fn a_technology_wins_over_all_by_what_it_says() {
        use StackTraces::{All, Error, None as No};
        let table = [
            (stacks(&[]), (Error, 10)),
            (stacks(&[("kafka", Some(All), Some(3))]), (Error, 10)),
            (stacks(&[("http", Some(All), Some(3))]), (All, 3)),
            (stacks(&[("http", Some(No), None)]), (No, 10)),
            (stacks(&[("http", None, Some(500))]), (Error, 500)),
        ];
        for (stacks, (mode, frames)) in table {
            let wanted = stacks.wanted(&http::EXIT);
            assert_eq!(wanted, Wanted { mode, frames }, "{stacks:?}");
        }
    }

    #[test]
    fn what_is_wanted_at_all_is_known() {
        use StackTraces::{All, Error, None as No};
        assert!(stacks(&[]).has(Error) && !stacks(&[]).has(All));
        assert!(stacks(&[("http", Some(All), None)]).has(All));
        assert!(!stacks(&[("http", Some(All), Some(0))]).has(All));
        assert!(stacks(&[("http", Some(No), None)]).has(Error));
    }

    #[test]
    fn the_addresses_are_more_than_the_frames_and_bounded() {
        let addresses = |frames| {
            let mode = StackTraces::All;
            Wanted { mode, frames }.addresses()
        };
        assert_eq!(
            [0, 10, 32, 33, 256, 500].map(addresses),
            [64, 64, 64, 66, 512, 512]
        );
    }

    #[test]
    fn the_mode_of_the_time_of_sending_counts() {
        let of = |mode, errors| Wanted { mode, frames: 7 }.for_errors(errors);
        let modes = [StackTraces::All, StackTraces::Error, StackTraces::None];
        assert_eq!(modes.map(|mode| of(mode, 0)), [7, 0, 0]);
        assert_eq!(modes.map(|mode| of(mode, 2)), [7, 7, 0]);
    }
}
