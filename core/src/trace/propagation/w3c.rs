//! `traceparent` and `tracestate` (W3C Trace Context, level 2).

use crate::base::id;
use crate::trace::context::W3cTrace;

/// Members of a `tracestate`, on the way in and, ours included, on the way out.
const MAX_MEMBERS: usize = 32;

/// Bytes of a member's key, and of its value.
const MAX_TEXT: usize = 256;

/// Members longer than this are the first to go when there are too many.
const LONG_MEMBER: usize = 128;

/// Bytes of foreign members that are sent on. The W3C asks for 512 at least.
const MAX_FOREIGN: usize = 8 * 1024;

/// A valid `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traceparent {
    pub(crate) trace: W3cTrace,
    pub(crate) parent: u64,
    pub(crate) sampled: bool,
    pub(crate) random: bool,
}

/// Characters of a version 00 `traceparent`.
const LENGTH: usize = 55;

impl Traceparent {
    /// Version 00 has exactly 55 characters; of higher versions the first 55
    /// count, if a dash or nothing follows. Upper case, version `ff` and zero
    /// ids are invalid.
    #[inline]
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let value = value.trim_ascii();
        let fixed: &[u8; LENGTH] = value.first_chunk()?;
        let [v0, v1, b'-', ids @ .., b'-', f0, f1] = fixed else {
            return None;
        };
        let version = id::parse_byte(&[*v0, *v1])?;
        let tail = value.get(LENGTH..)?;
        let tail_fits = match version {
            0 => tail.is_empty(),
            0xff => false,
            _ => matches!(tail, [] | [b'-', ..]),
        };
        let (high, ids) = ids.split_first_chunk()?;
        let (low, ids) = ids.split_first_chunk()?;
        let (b"-", parent) = ids.split_first_chunk()? else {
            return None;
        };
        let trace = W3cTrace {
            high: id::parse_strict(high)?,
            low: id::parse_strict(low)?,
        };
        let parent = id::parse_strict(parent.first_chunk()?)?;
        let flags = id::parse_byte(&[*f0, *f1])?;
        let valid = tail_fits && parent != 0 && trace != W3cTrace::default();
        valid.then_some(Self {
            trace,
            parent,
            sampled: flags & 1 != 0,
            random: flags & 2 != 0,
        })
    }
}

/// Formats a `traceparent`.
#[inline]
pub(crate) fn traceparent(
    trace: W3cTrace,
    parent: u64,
    sampled: bool,
    random: bool,
) -> [u8; LENGTH] {
    let mut out = *b"00-00000000000000000000000000000000-0000000000000000-00";
    id::put(&mut out, 3, id::hex(trace.high));
    id::put(&mut out, 19, id::hex(trace.low));
    id::put(&mut out, 36, id::hex(parent));
    id::put(
        &mut out,
        54,
        [b'0' + u8::from(sampled) + 2 * u8::from(random)],
    );
    out
}

/// What is in `tracestate`, as far as it is wanted. All of it is dropped where one
/// member breaks the grammar, and where there are more than 32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tracestate {
    wanted: Wanted,
    /// The first `in` member: the closest Instana span, its trace id in halves.
    pub(crate) instana: Option<((u64, u64), u64)>,
    /// The members to send on, joined.
    list: Vec<u8>,
    /// How many those are.
    members: usize,
    /// How many came, ours included.
    came: usize,
    is_invalid: bool,
}

/// What a call needs of its `tracestate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All members as they came: it is suppressed.
    All,
    /// Foreign members; the parent is known.
    Foreign,
    /// Foreign members, and the ids in our own.
    ForeignAndOurs,
}

impl Tracestate {
    pub(crate) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            instana: None,
            list: Vec::new(),
            members: 0,
            came: 0,
            is_invalid: false,
        }
    }

    /// Adds the members of one header; a repeated header continues the list. Empty
    /// members are none.
    pub(crate) fn add(&mut self, value: &[u8]) {
        // Where there are only Instana tracers, this is all of it.
        if let ([b'i', b'n', b'=', ids @ ..], Wanted::Foreign) = (value, self.wanted) {
            if ids.len() == 33 && !ids.contains(&b',') {
                self.came += 1;
                return;
            }
        }
        if self.list.capacity() == 0 {
            self.list.reserve_exact(value.len().min(MAX_FOREIGN));
        }
        for member in value.split(|byte| *byte == b',') {
            let member = member.trim_ascii();
            if !member.is_empty() && !self.is_invalid && !self.add_member(member) {
                return self.discard();
            }
        }
    }

    /// False where it makes the whole list invalid.
    #[inline]
    fn add_member(&mut self, member: &[u8]) -> bool {
        let Some(equals) = member.iter().position(|byte| *byte == b'=') else {
            return false;
        };
        let (key, value) = member.split_at(equals);
        let value = value.get(1..).unwrap_or_default();
        self.came += 1;
        if self.came > MAX_MEMBERS || !is_key(key) || !is_value(value) {
            return false;
        }
        if self.wanted == Wanted::All || key != b"in" {
            self.members += usize::from(append(&mut self.list, member));
        } else if self.wanted == Wanted::ForeignAndOurs && self.instana.is_none() {
            self.instana = instana_member(value);
        }
        true
    }

    #[cold]
    fn discard(&mut self) {
        self.is_invalid = true;
        self.instana = None;
        self.list.clear();
        self.members = 0;
    }

    /// The members as they are sent on: 32, ours included. Of too many, long ones
    /// go first, from the left (as in Go), then those on the right.
    pub(crate) fn into_list(self) -> Option<Vec<u8>> {
        if self.list.is_empty() {
            return None;
        }
        let most = match self.wanted {
            Wanted::All => MAX_MEMBERS,
            Wanted::Foreign | Wanted::ForeignAndOurs => MAX_MEMBERS - 1,
        };
        Some(match self.members.checked_sub(most) {
            None | Some(0) => self.list,
            Some(surplus) => evict(&self.list, surplus, most),
        })
    }
}

/// Level 2 of the specification has one grammar for all keys: `@`, which separated
/// tenant and vendor in level 1, may stand anywhere but in front.
fn is_key(key: &[u8]) -> bool {
    let is_first = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    let may_follow = |byte: &u8| is_first(byte) || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@');
    key.len() <= MAX_TEXT && key.first().is_some_and(is_first) && key.iter().all(may_follow)
}

/// One without blanks at its end. They were cut off.
fn is_value(value: &[u8]) -> bool {
    // Without an early end, so that the compiler has vector instructions for it.
    let is_legal = |all, byte: &u8| all & (matches!(byte, b' '..=b'~') & (*byte != b'='));
    !value.is_empty() && value.len() <= MAX_TEXT && value.iter().fold(true, is_legal)
}

fn instana_member(value: &[u8]) -> Option<((u64, u64), u64)> {
    let mut parts = value.split(|byte| *byte == b';');
    let trace = id::parse_long(parts.next()?.trim_ascii())?;
    let span = id::parse(parts.next()?.trim_ascii())?;
    Some((trace, span))
}

/// False where there is no room for the member.
fn append(list: &mut Vec<u8>, member: &[u8]) -> bool {
    if list.len() + member.len() >= MAX_FOREIGN {
        return false;
    }
    if !list.is_empty() {
        list.push(b',');
    }
    list.extend_from_slice(member);
    true
}

fn evict(list: &[u8], mut surplus: usize, most: usize) -> Vec<u8> {
    let mut kept = Vec::with_capacity(list.len());
    let mut count = 0;
    for member in list.split(|byte| *byte == b',') {
        if surplus > 0 && member.len() > LONG_MEMBER {
            surplus -= 1;
        } else if count < most {
            append(&mut kept, member);
            count += 1;
        }
    }
    kept
}
