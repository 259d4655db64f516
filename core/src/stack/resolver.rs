//! Addresses to the JSON of `stack`, on the agent thread.

use std::time::{Duration, Instant};

use super::address;
use super::budget::Budget;
use super::cache::{Cache, Frames};
use super::symbols::Symbols;
use crate::status::DROPS;

/// Debug information that was not needed for so long is unloaded.
const IDLE: Duration = Duration::from_secs(60);

/// Resolves the addresses of stacks and remembers what they are.
#[derive(Debug)]
pub(crate) struct Resolver {
    known: Cache,
    symbols: Symbols,
    budget: Budget,
    /// When an address was resolved last; `None`: nothing is loaded.
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
        if !self.frames(addresses, most, out) {
            DROPS.stack();
            out.truncate(before);
        } else if out.len() == empty {
            out.truncate(before);
        } else if let Some(comma) = out.last_mut() {
            // The last frame's.
            *comma = b']';
        }
    }

    /// Appends frames, each with a comma behind it; false where not all that are
    /// needed are known. What may begin is brought to its end: the debt is paid
    /// by the next stacks.
    fn frames(&mut self, addresses: &[u8], most: usize, out: &mut Vec<u8>) -> bool {
        let (mut rest, mut allowed) = (most, None);
        for address in address::read(addresses) {
            if rest == 0 {
                break;
            }
            if let Some(frames) = self.known.get(address) {
                append(frames, &mut rest, out);
                continue;
            }
            let now = Instant::now();
            if !*allowed.get_or_insert_with(|| self.budget.allows(now)) {
                return false;
            }
            let frames = self.resolve(address);
            self.budget.pay(now.elapsed());
            self.used = Some(now);
            append(&frames, &mut rest, out);
            self.known.put(address, frames);
        }
        true
    }

    fn resolve(&mut self, address: u64) -> Frames {
        let frames = self.symbols.frames(address);
        frames.iter().map(|frame| frame.to_json().into()).collect()
    }

    /// Unloads what was not needed for a minute. What is known stays known.
    pub(crate) fn tick(&mut self, now: Instant) {
        let is_idle = |used: Instant| now.saturating_duration_since(used) >= IDLE;
        if self.used.is_some_and(is_idle) {
            self.used = None;
            self.symbols.forget();
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
