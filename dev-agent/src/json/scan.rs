//! A scanner for JSON text, byte by byte, that knows brackets, strings and commas only.

/// Deeper texts are refused; serde's limit is the same.
const DEPTH: u32 = 127;

/// The position of a byte in the structure of a JSON text. The scan knows only brackets,
/// strings and commas, so it is quick, and also works on invalid text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scan {
    depth: u32,
    string: bool,
    escaped: bool,
    begun: bool,
    array: bool,
    too_deep: bool,
}

/// The meaning of a byte for the outermost array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The comma behind one of its items.
    Comma,
    /// Its closing bracket.
    End,
    /// Anything else.
    Inside,
}

impl Scan {
    /// A scan that begins behind the opening bracket of an array.
    pub(crate) fn inside() -> Self {
        Self {
            depth: 1,
            begun: true,
            array: true,
            ..Self::default()
        }
    }

    /// Whether the text is an array.
    pub(crate) fn is_array(self) -> bool {
        self.array
    }

    pub(crate) fn is_too_deep(self) -> bool {
        self.too_deep
    }

    pub(crate) fn step(&mut self, byte: u8) -> Mark {
        if self.string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.string = false,
                _ => {}
            }
            return Mark::Inside;
        }
        match byte {
            b'"' => self.string = true,
            b',' if self.depth == 1 && self.array => return Mark::Comma,
            b'[' | b'{' => {
                self.array |= !self.begun && byte == b'[';
                self.depth += 1;
                self.too_deep |= self.depth > DEPTH;
            }
            b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 && self.array {
                    return Mark::End;
                }
            }
            _ => {}
        }
        self.begun |= !byte.is_ascii_whitespace();
        Mark::Inside
    }
}
