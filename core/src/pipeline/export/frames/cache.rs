//! What is known of addresses, within a bound.

use std::collections::HashMap;

/// Addresses of one half of the cache.
const MOST: usize = 8 * 1024;

/// Bytes of their frames.
const MOST_BYTES: usize = 512 * 1024;

/// The frames of an address, as JSON: those inlined into the others first. None
/// where the code is not the application's.
pub(crate) type Frames = Box<[Box<[u8]>]>;

/// Two halves. When the younger one is full, it takes the place of the older
/// one, whose addresses are forgotten, but for those that were asked for since.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    young: HashMap<u64, Frames>,
    old: HashMap<u64, Frames>,
    /// Of the younger half.
    bytes: usize,
}

impl Cache {
    /// What is known of an address.
    pub(crate) fn get(&mut self, address: u64) -> Option<&Frames> {
        if !self.young.contains_key(&address) {
            let frames = self.old.remove(&address)?;
            self.put(address, frames);
        }
        self.young.get(&address)
    }

    pub(crate) fn put(&mut self, address: u64, frames: Frames) {
        if self.young.len() >= MOST || self.bytes >= MOST_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += frames.iter().map(|frame| frame.len()).sum::<usize>();
        self.young.insert(address, frames);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(len: usize) -> Frames {
        [vec![b'x'; len].into_boxed_slice()].into()
    }

    #[test]
    fn it_stays_within_its_bounds_and_keeps_what_is_asked_for() {
        for len in [0, 1_000] {
            let mut cache = Cache::default();
            for address in 1..50_000 {
                cache.put(address, frames(len));
                assert!(cache.get(1).is_some(), "asked for each time");
                assert!(cache.young.len() <= MOST && cache.old.len() <= MOST);
                let bytes = |half: &HashMap<u64, Frames>| half.len() * len;
                assert!(bytes(&cache.young) <= MOST_BYTES + len);
                assert!(bytes(&cache.old) <= MOST_BYTES + len);
            }
            assert!(cache.get(2).is_none(), "forgotten");
            assert!(cache.get(49_999).is_some());
        }
    }
}
