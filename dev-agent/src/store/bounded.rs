//! A list that keeps the newest items, bounded in number and bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::json::ALLOCATION;

/// The bytes that something takes on the heap.
pub(crate) trait Weigh {
    fn weight(&self) -> usize;
}

impl Weigh for Arc<str> {
    fn weight(&self) -> usize {
        2 * ALLOCATION + self.len()
    }
}

impl Weigh for String {
    fn weight(&self) -> usize {
        ALLOCATION + self.capacity()
    }
}

impl<A: Weigh, B: Weigh> Weigh for (A, B) {
    fn weight(&self) -> usize {
        self.0.weight() + self.1.weight()
    }
}

/// A collection that keeps items by age and can drop the oldest.
pub(crate) trait Ageing {
    /// The age of the oldest item: a number that grows with time.
    fn oldest(&self) -> Option<u64>;
    /// Drops the oldest item and counts it.
    fn drop_oldest(&mut self);
    fn bytes(&self) -> usize;
}

/// A list that keeps the newest items, up to a number of them, and counts all.
#[derive(Clone, Debug)]
pub(crate) struct Bounded<T> {
    items: VecDeque<Kept<T>>,
    limit: usize,
    bytes: usize,
    total: u64,
    /// Items that were dropped because of their bytes.
    dropped: u64,
}

#[derive(Clone, Debug)]
struct Kept<T> {
    age: u64,
    weight: usize,
    item: T,
}

impl<T: Weigh> Bounded<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            items: VecDeque::new(),
            limit,
            bytes: 0,
            total: 0,
            dropped: 0,
        }
    }

    pub(crate) fn push(&mut self, age: u64, item: T) {
        if self.items.len() >= self.limit {
            self.take_oldest();
        }
        // Lists grow to twice their length.
        let weight = 2 * size_of::<Kept<T>>() + item.weight();
        self.items.push_back(Kept { age, weight, item });
        self.bytes += weight;
        self.total += 1;
    }

    /// Counts items that were not kept.
    pub(crate) fn count(&mut self, more: u64) {
        self.total += more;
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.items.iter().map(|kept| &kept.item)
    }

    /// Changes small parts of items that do not count as bytes.
    pub(crate) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        self.items.iter_mut().map(|kept| &mut kept.item)
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn clear(&mut self) {
        self.items = VecDeque::new();
        self.bytes = 0;
        self.total = 0;
        self.dropped = 0;
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes the oldest item out.
    pub(crate) fn take_oldest(&mut self) -> Option<T> {
        let oldest = self.items.pop_front()?;
        self.bytes -= oldest.weight;
        if self.items.len() < self.items.capacity() / 3 {
            self.items.shrink_to(self.items.len() * 2);
        }
        Some(oldest.item)
    }
}

impl<T: Weigh> Ageing for Bounded<T> {
    fn oldest(&self) -> Option<u64> {
        self.items.front().map(|kept| kept.age)
    }

    fn drop_oldest(&mut self) {
        self.dropped += u64::from(self.take_oldest().is_some());
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl<T: Weigh + Clone> Bounded<T> {
    pub(crate) fn to_vec(&self) -> Vec<T> {
        self.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(limit: usize) -> Bounded<String> {
        let mut list = Bounded::new(limit);
        for (age, item) in ["a", "bb", "ccc"].into_iter().enumerate() {
            list.push(age as u64, item.to_owned());
        }
        list
    }

    #[test]
    fn keeps_the_newest() {
        let list = list(2);
        assert_eq!(list.to_vec(), ["bb", "ccc"]);
        assert_eq!((list.total(), list.dropped()), (3, 0));
    }

    #[test]
    fn gives_up_the_oldest() {
        let mut list = list(9);
        let bytes = list.bytes();
        list.drop_oldest();
        assert_eq!((list.oldest(), list.dropped()), (Some(1), 1));
        assert!(list.bytes() < bytes);
        for _ in 0..5 {
            list.drop_oldest();
        }
        assert_eq!((list.bytes(), list.dropped(), list.len()), (0, 3, 0));
    }
}
