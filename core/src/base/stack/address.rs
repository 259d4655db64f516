//! The addresses of the calls on a stack.
#![cfg_attr(
    not(any(test, all(target_os = "linux", not(target_arch = "arm"), not(miri)))),
    expect(dead_code, reason = "no stack is captured there")
)]

/// The most that are kept of one stack.
pub(crate) const MOST: usize = 512;

/// Addresses of call instructions, innermost first. Each points to a byte inside
/// of the instruction, not to the instruction to return to.
#[derive(Debug)]
pub(crate) struct Addresses {
    bytes: [u8; MOST * SIZE],
    len: usize,
    most: usize,
}

const SIZE: usize = size_of::<u64>();

impl Addresses {
    /// None yet, and never more than `most`.
    pub(crate) fn at_most(most: usize) -> Self {
        Self {
            bytes: [0; MOST * SIZE],
            len: 0,
            most: most.min(MOST),
        }
    }

    /// Adds the next outer one; false where that was the last.
    pub(crate) fn push(&mut self, address: u64) -> bool {
        let at = self.len * SIZE;
        if let Some(place) = self.bytes.get_mut(at..at + SIZE) {
            place.copy_from_slice(&address.to_ne_bytes());
            self.len += 1;
        }
        self.len < self.most
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// As they stand in a span's attributes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len * SIZE).unwrap_or_default()
    }
}

/// Reads them back.
pub(crate) fn read(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let address = |chunk: &[u8]| Some(u64::from_ne_bytes(chunk.try_into().ok()?));
    bytes.chunks_exact(SIZE).filter_map(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_is_read_back_up_to_the_limit() {
        let mut addresses = Addresses::at_most(3);
        assert!(addresses.is_empty());
        assert!(addresses.push(1) && addresses.push(u64::MAX));
        assert!(!addresses.push(3), "that was the last");
        let read: Vec<u64> = read(addresses.as_bytes()).collect();
        assert_eq!(read, [1, u64::MAX, 3]);
    }

    #[test]
    fn there_are_never_more_than_have_room() {
        let mut addresses = Addresses::at_most(usize::MAX);
        let mut count = 1;
        while addresses.push(count) {
            count += 1;
        }
        assert_eq!(count as usize, MOST);
        assert!(!addresses.push(0));
        assert_eq!(read(addresses.as_bytes()).count(), MOST);
    }
}
