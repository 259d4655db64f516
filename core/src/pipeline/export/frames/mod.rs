//! Addresses to the JSON of `stack`, on the agent thread.

mod budget;
mod cache;
mod call;
mod debug_info;
mod frame;
mod image;
mod library_frames;
mod mappings;
mod name;
mod path;
mod symbols;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use self::budget::Budget;
use self::cache::{Cache, Frames};
use self::frame::Frame;
use self::symbols::Symbols;
use crate::base::losses::Losses;
use crate::base::stack::address;

/// What is kept for the next addresses is freed when there were none for so long.
const IDLE: Duration = Duration::from_secs(60);

/// Resolves the addresses of stacks and remembers what they are.
#[derive(Debug)]
pub(crate) struct Resolver {
    known: Cache,
    symbols: Symbols,
    budget: Budget,
    /// When an address was resolved last; `None`: nothing is kept for the next ones.
    used: Option<Instant>,
}

impl Default for Resolver {
    fn default() -> Self {
        Self::with(Budget::full())
    }
}

impl Resolver {
    /// One that takes its time.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn unhurried() -> Self {
        Self::with(Budget::unlimited())
    }

    fn with(budget: Budget) -> Self {
        Self {
            known: Cache::default(),
            symbols: Symbols::default(),
            budget,
            used: None,
        }
    }

    /// Appends the member `stack`, with a comma before it: the innermost `most`
    /// frames of the application. A stack without any is left out, and so is one
    /// of which an address is not known yet and may not be resolved now.
    pub(crate) fn write(&mut self, addresses: &[u8], most: usize, out: &mut Vec<u8>) {
        let before = out.len();
        out.extend_from_slice(b",\"stack\":[");
        let empty = out.len();
        let was_resolving = self.used;
        let all_known = self.frames(addresses, most, out);
        if self.used != was_resolving {
            self.symbols.release();
        }
        if !all_known {
            Losses::stack();
            out.truncate(before);
        } else if out.len() == empty {
            out.truncate(before);
        } else if let Some(comma) = out.last_mut() {
            // The last frame's.
            *comma = b']';
        }
    }

    /// Appends frames, each with a comma behind it; false where not all that are
    /// needed are known. What one address takes beyond the time that was left is owed
    /// by the next ones.
    fn frames(&mut self, addresses: &[u8], most: usize, out: &mut Vec<u8>) -> bool {
        let mut rest = most;
        for address in address::read(addresses) {
            if rest == 0 {
                break;
            }
            if let Some(frames) = self.known.get(address) {
                append(frames, &mut rest, out);
                continue;
            }
            let now = Instant::now();
            let Some(time) = self.budget.allows(now) else {
                return false;
            };
            let frames = self.resolve(address, now + time);
            self.budget.pay(now.elapsed());
            self.used = Some(now);
            let Some(frames) = frames else {
                return false;
            };
            append(&frames, &mut rest, out);
            self.known.put(address, frames);
        }
        true
    }

    /// What comes out of a broken file is no reason not to send spans.
    fn resolve(&mut self, address: u64, until: Instant) -> Option<Frames> {
        let frames = catch_unwind(AssertUnwindSafe(|| self.symbols.frames(address, until)));
        let frames = frames.unwrap_or_else(|_| {
            self.symbols.forget();
            Some(vec![Frame::unnamed(None, address)])
        })?;
        Some(frames.iter().map(|frame| frame.to_json().into()).collect())
    }

    /// Frees what was not needed for a minute. What is known stays known, and so does
    /// where the files have what, which takes long to find in large ones.
    pub(crate) fn tick(&mut self, now: Instant) {
        let is_idle = |used: Instant| now.saturating_duration_since(used) >= IDLE;
        if self.used.is_some_and(is_idle) {
            self.used = None;
            self.symbols.forget_units();
        }
    }
}

fn append(frames: &Frames, rest: &mut usize, out: &mut Vec<u8>) {
    for frame in frames.iter().take(*rest) {
        out.extend_from_slice(frame);
        out.push(b',');
        *rest -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses without any function.
    const NOWHERE: [u64; 3] = [16, 32, 48];

    fn bytes(addresses: &[u64]) -> Vec<u8> {
        addresses.iter().flat_map(|a| a.to_ne_bytes()).collect()
    }

    fn written(resolver: &mut Resolver, addresses: &[u64], most: usize) -> String {
        let mut out = b"{}".to_vec();
        resolver.write(&bytes(addresses), most, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_innermost_frames_are_written() {
        let mut resolver = Resolver::unhurried();
        assert_eq!(
            written(&mut resolver, &NOWHERE, 2),
            r#"{},"stack":[{"m":"0x10"},{"m":"0x20"}]"#
        );
        assert_eq!(
            written(&mut resolver, &NOWHERE[..1], 2),
            r#"{},"stack":[{"m":"0x10"}]"#
        );
        assert_eq!(written(&mut resolver, &NOWHERE, 0), "{}");
        assert_eq!(written(&mut resolver, &[], 2), "{}");
    }

    #[test]
    fn a_stack_of_others_alone_is_left_out() {
        let address = std::thread::yield_now as fn() as usize as u64;
        assert_eq!(written(&mut Resolver::unhurried(), &[address], 2), "{}");
    }

    #[test]
    fn without_time_only_known_addresses_are_written() {
        let mut resolver = Resolver::default();
        let known = written(&mut resolver, &NOWHERE[..2], 9);
        resolver.budget.pay(Duration::from_secs(1_000));
        assert_eq!(written(&mut resolver, &NOWHERE, 9), "{}");
        assert_eq!(written(&mut resolver, &NOWHERE[..2], 9), known);
        assert_eq!(
            written(&mut resolver, &NOWHERE, 2),
            known,
            "no more are needed"
        );
    }

    #[test]
    fn what_is_idle_is_freed_and_stays_known() {
        let mut resolver = Resolver::default();
        let known = written(&mut resolver, &NOWHERE, 9);
        let now = Instant::now();
        resolver.tick(now);
        assert!(resolver.used.is_some());
        resolver.tick(now + IDLE);
        assert!(resolver.used.is_none());
        resolver.budget.pay(Duration::from_secs(1_000));
        assert_eq!(written(&mut resolver, &NOWHERE, 9), known);
    }
}
