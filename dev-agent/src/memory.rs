//! How the agent's memory is shared out: one budget of bytes, in fixed parts.

/// Less would not hold one span request of an ordinary tracer.
const LEAST: usize = 4 * 1024 * 1024;
/// The memory of an agent by default.
pub(crate) const DEFAULT: usize = 64 * 1024 * 1024;

/// The bytes that an agent may use, and the parts for what it does with them.
///
/// An eighth is left to connections, and an eighth to one answer of the query
/// API. The rest is for what is kept, less what unfinished requests hold and
/// what reading the request at hand takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory(usize);

impl Memory {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(bytes.max(LEAST))
    }

    pub(crate) fn total(self) -> usize {
        self.0
    }

    /// The limit of kept data, together with unfinished bodies and the work of reading
    /// one.
    pub(crate) fn kept(self) -> usize {
        self.0 / 4 * 3
    }

    /// All unfinished bodies together.
    pub(crate) fn bodies(self) -> usize {
        self.0 / 8 * 3
    }

    /// One body; of longer arrays the newest items count.
    pub(crate) fn body(self) -> usize {
        self.0 / 4
    }

    /// The text of one span, event, metrics body or the like.
    pub(crate) fn item(self) -> usize {
        self.0 / 12
    }

    /// One item as a tree of values.
    pub(crate) fn tree(self) -> usize {
        self.0 / 8
    }

    /// One answer of the query API.
    pub(crate) fn answer(self) -> usize {
        self.0 / 8
    }

    /// Settings made by the control API: faults, agent requests, and the answer to
    /// announces, each.
    pub(crate) fn settings(self) -> usize {
        self.0 / 64
    }

    /// What reading an item of that length takes at most: its tree, and texts
    /// that are unescaped.
    pub(crate) fn work(self, length: usize) -> usize {
        self.tree()
            .min(length.saturating_mul(100))
            .saturating_add(length.saturating_mul(3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fit_into_the_whole() {
        for bytes in [0, LEAST, DEFAULT, 1 << 30] {
            let memory = Memory::new(bytes);
            let busiest = memory.bodies() + memory.work(memory.item());
            assert!(busiest <= memory.kept(), "{bytes}");
            let fixed = memory.answer() + memory.total() / 8;
            assert!(memory.kept() + fixed <= memory.total(), "{bytes}");
            assert!(memory.body() <= memory.bodies());
        }
    }
}
