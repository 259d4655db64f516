//! Commands: their names, and the special ones among them.

use redis::{Arg, Cmd};

/// Bytes of the longest name.
const LONGEST: usize = 40;

/// The name of a command, in lower case (docs/PROTOCOL.md, "Redis").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    len: u8,
    bytes: [u8; LONGEST],
}

impl Name {
    /// The name for a text that cannot be the name of a command: it may be an argument.
    pub(crate) const UNKNOWN: Self = Self::new("unknown");

    /// Of establishing a connection, which is not a command.
    pub(crate) const CONNECT: Self = Self::new("connect");

    /// Of commands that are sent together, and are a transaction if they are atomic
    /// (as in Node.js).
    pub(crate) const fn of_pipeline(is_atomic: bool) -> &'static Self {
        const MULTI: &Name = &Name::new("multi");
        const PIPELINE: &Name = &Name::new("pipeline");
        if is_atomic { MULTI } else { PIPELINE }
    }

    const fn new(name: &'static str) -> Self {
        let mut bytes = [0; LONGEST];
        let (to, _) = bytes.split_at_mut(name.len());
        to.copy_from_slice(name.as_bytes());
        Self {
            len: name.len() as u8,
            bytes,
        }
    }

    pub(crate) fn of(command: &Cmd) -> Self {
        match command.args_iter().next() {
            Some(Arg::Simple(name)) => Self::from(name),
            _ => Self::UNKNOWN,
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Of a module, such as `json.set`.
    pub(crate) fn is_of_module(&self) -> bool {
        self.as_bytes().contains(&b'.')
    }
}

impl From<&[u8]> for Name {
    fn from(text: &[u8]) -> Self {
        let mut bytes = [0; LONGEST];
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        let room = bytes.get_mut(..text.len()).filter(|room| !room.is_empty());
        let Some(room) = room.filter(|_| text.iter().all(is_name)) else {
            return Self::UNKNOWN;
        };
        room.copy_from_slice(text);
        room.make_ascii_lowercase();
        Self {
            len: text.len() as u8,
            bytes,
        }
    }
}

/// The properties of a command that matter for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Waits for something to happen, if there is nothing yet.
    Blocking,
    /// Its reply may contain errors: the reply of a script, or of a transaction that is
    /// sent command by command.
    Nested,
    Plain,
}

impl Kind {
    /// `arguments` are those behind the name.
    pub(crate) fn of<'a>(name: &Name, mut arguments: impl Iterator<Item = &'a [u8]>) -> Self {
        match name.as_bytes() {
            b"blpop" | b"brpop" | b"blmove" | b"blmpop" | b"brpoplpush" | b"bzpopmin"
            | b"bzpopmax" | b"bzmpop" | b"wait" | b"waitaof" => Self::Blocking,
            b"xread" | b"xreadgroup" if blocks(&mut arguments) => Self::Blocking,
            b"eval" | b"evalsha" | b"eval_ro" | b"evalsha_ro" | b"exec" | b"fcall"
            | b"fcall_ro" => Self::Nested,
            _ => Self::Plain,
        }
    }

    pub(crate) fn of_command(name: &Name, command: &Cmd) -> Self {
        let arguments = command.args_iter().skip(1);
        Self::of(
            name,
            arguments.map(|argument| match argument {
                Arg::Simple(bytes) => bytes,
                _ => &[],
            }),
        )
    }
}

/// Whether there is a `BLOCK` among the options, which end with `STREAMS`. A group
/// or a consumer may have that name, too.
fn blocks<'a>(arguments: &mut impl Iterator<Item = &'a [u8]>) -> bool {
    while let Some(argument) = arguments.next() {
        match argument.to_ascii_lowercase().as_slice() {
            b"block" => return true,
            b"streams" => return false,
            b"group" => drop((arguments.next(), arguments.next())),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_commands() {
        for (text, expected) in [
            ("GET", "get"),
            ("evalSHA", "evalsha"),
            ("JSON.SET", "json.set"),
            ("EVAL_RO", "eval_ro"),
            ("RESTORE-ASKING", "restore-asking"),
            ("", "unknown"),
            ("GET key", "unknown"),
            ("ключ", "unknown"),
            ("a secret: of more bytes than a name", "unknown"),
            (&"x".repeat(40), &"x".repeat(40)),
            (&"x".repeat(41), "unknown"),
            (&"x".repeat(100_000), "unknown"),
        ] {
            assert_eq!(Name::from(text.as_bytes()).as_str(), expected, "{text}");
        }
        assert_eq!(Name::from(&b"\xff\xfe"[..]), Name::UNKNOWN);
        assert_eq!(Name::of(&Cmd::new()), Name::UNKNOWN);
        assert_eq!(Name::of(Cmd::new().cursor_arg(7)), Name::UNKNOWN);
    }

    #[test]
    fn what_blocks_is_known() {
        for (command, expected) in [
            ("BLPOP a 1", Kind::Blocking),
            ("LPOP a", Kind::Plain),
            ("XREAD COUNT 1 BLOCK 0 STREAMS a 0", Kind::Blocking),
            ("xread count 1 block 0 streams a 0", Kind::Blocking),
            ("XREAD COUNT 1 STREAMS block 0", Kind::Plain),
            ("XREADGROUP GROUP block block STREAMS a 0", Kind::Plain),
            ("XREADGROUP GROUP a b BLOCK 1 STREAMS a 0", Kind::Blocking),
            ("EVALSHA x 0", Kind::Nested),
            ("EXEC", Kind::Nested),
        ] {
            let mut words = command.split(' ');
            let mut built = redis::cmd(words.next().unwrap_or_default());
            words.for_each(|word| {
                built.arg(word);
            });
            let name = Name::of(&built);
            assert_eq!(Kind::of_command(&name, &built), expected, "{command}");
        }
    }
}
