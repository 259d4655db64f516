//! Commands as bytes, as the sync traits of redis pass them.

use crate::command::Name;

/// The commands in `bytes`, up to the first text that is no command.
#[derive(Clone, Debug)]
pub(crate) struct Commands<'a>(&'a [u8]);

impl<'a> Commands<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn names(self) -> impl Iterator<Item = Name> {
        self.filter_map(|mut arguments| arguments.next().map(Name::from))
    }
}

impl<'a> Iterator for Commands<'a> {
    type Item = Arguments<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (count, rest) = header(self.0, b'*')?;
        let arguments = Arguments { count, rest };
        let mut following = arguments.clone();
        following.by_ref().for_each(drop);
        // Nothing follows an incomplete command.
        self.0 = match following.count {
            0 => following.rest,
            _ => &[],
        };
        Some(arguments)
    }
}

/// The arguments of a command, the first of which is its name.
#[derive(Clone, Debug)]
pub(crate) struct Arguments<'a> {
    count: usize,
    rest: &'a [u8],
}

impl<'a> Iterator for Arguments<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        if self.count == 0 {
            return None;
        }
        let (len, rest) = header(self.rest, b'$')?;
        let (argument, rest) = rest.split_at_checked(len)?;
        self.rest = rest.strip_prefix(b"\r\n")?;
        self.count -= 1;
        Some(argument)
    }
}

/// A sign and a number, on a line of their own.
fn header(bytes: &[u8], sign: u8) -> Option<(usize, &[u8])> {
    let mut rest = bytes.strip_prefix(&[sign])?;
    let mut number = 0_usize;
    let mut is_number = false;
    while let Some((digit @ b'0'..=b'9', tail)) = rest.split_first() {
        number = number
            .checked_mul(10)?
            .checked_add(usize::from(digit - b'0'))?;
        (is_number, rest) = (true, tail);
    }
    is_number.then_some(())?;
    Some((number, rest.strip_prefix(b"\r\n")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8]) -> Vec<String> {
        let names = Commands::new(bytes).names();
        names.map(|name| name.as_str().to_owned()).collect()
    }

    #[test]
    fn finds_what_redis_packs() {
        let mut pipeline = redis::pipe();
        pipeline
            .set("a", vec![b'\n'; 70_000])
            .get("*1\r\n$5\r\nTRAP!\r\n")
            .cmd("PING");
        assert_eq!(
            names(&pipeline.get_packed_pipeline()),
            ["set", "get", "ping"]
        );
        pipeline.atomic();
        assert_eq!(
            names(&pipeline.get_packed_pipeline()),
            ["multi", "set", "get", "ping", "exec"]
        );
        let packed = redis::cmd("SET").arg("a").arg("").get_packed_command();
        let arguments: Vec<_> = Commands::new(&packed).flatten().collect();
        assert_eq!(arguments, [&b"SET"[..], b"a", b""]);
    }

    #[test]
    fn garbage_ends_it() {
        for (bytes, expected) in [
            (&b""[..], &[][..]),
            (b"GET a\r\n", &[]),
            (b"*", &[]),
            (b"*1", &[]),
            (b"*1\r\n", &[]),
            (b"*\r\n$3\r\nGET\r\n", &[]),
            (b"*-1\r\n$3\r\nGET\r\n", &[]),
            (b"*0\r\n*1\r\n$3\r\nGET\r\n", &["get"]),
            (b"*1\r\n$4\r\nGET\r\n", &[]),
            (b"*1\r\n$99999999999999999999\r\nGET\r\n", &[]),
            (
                b"*18446744073709551615\r\n$3\r\nGET\r\n*1\r\n$3\r\nSET\r\n",
                &["get"],
            ),
            (b"*2\r\n$3\r\nGET\r\n", &["get"]),
            (b"*1\r\n$3\r\nGET\r\n\xff\xff", &["get"]),
        ] {
            assert_eq!(names(bytes), expected, "{}", bytes.escape_ascii());
        }
        let whole = redis::cmd("SET").arg("a").arg("b").get_packed_command();
        for end in 0..whole.len() {
            assert!(names(&whole[..end]).len() <= 1);
        }
    }
}
