//! A frame as it is sent.

use crate::base::json;
use crate::pipeline::export::frames::{library_frames, name, path};

/// Bytes of a name or a path.
const LIMIT: usize = 256;

/// A call on the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// `m`
    method: String,
    /// `c`
    file: Option<String>,
    /// `n`
    line: Option<u32>,
}

impl Frame {
    /// The frame of a function with this demangled name in this file, as the
    /// compiler knows it; `None` where that is not the application's code.
    pub(crate) fn of(function: &str, file: Option<&str>, line: Option<u32>) -> Option<Self> {
        if library_frames::is_library(function, file) {
            return None;
        }
        Some(Self {
            method: first(&name::readable(function)),
            file: file.map(path::short).map(last),
            line: line.filter(|line| *line > 0),
        })
    }

    /// The frame of a function without a name: its address in the file it is from,
    /// or in this process.
    pub(crate) fn unnamed(module: Option<&str>, address: u64) -> Self {
        let method = match module {
            None => format!("{address:#x}"),
            Some(module) => format!("{}+{address:#x}", path::file_name(module)),
        };
        Self {
            method: last(&method),
            file: None,
            line: None,
        }
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        let mut out = b"{\"m\":".to_vec();
        json::string(&mut out, &self.method);
        if let Some(file) = &self.file {
            out.extend_from_slice(b",\"c\":");
            json::string(&mut out, file);
        }
        if let Some(line) = self.line {
            out.extend_from_slice(b",\"n\":");
            json::unsigned(&mut out, line.into());
        }
        out.push(b'}');
        out
    }
}

/// The beginning: paths of modules say most there.
fn first(text: &str) -> String {
    let end = (0..=LIMIT).rev().find(|at| text.is_char_boundary(*at));
    let end = end.filter(|_| text.len() > LIMIT).unwrap_or(text.len());
    text.get(..end).unwrap_or_default().to_owned()
}

/// The end: the names of files stand there.
fn last(text: &str) -> String {
    let start = text.len().saturating_sub(LIMIT);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at));
    text.get(start.unwrap_or_default()..)
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(frame: Option<Frame>) -> String {
        String::from_utf8(frame.unwrap().to_json()).unwrap()
    }

    #[test]
    fn a_frame_has_what_is_known() {
        let file = Some("/home/me/shop/src/\"a\".rs");
        assert_eq!(
            json(Frame::of("shop::load::{{closure}}", file, Some(7))),
            r#"{"m":"shop::load","c":"shop/src/\"a\".rs","n":7}"#
        );
        assert_eq!(
            json(Frame::of("shop::load", file, Some(0))),
            r#"{"m":"shop::load","c":"shop/src/\"a\".rs"}"#,
            "there is no line 0"
        );
        assert_eq!(json(Frame::of("load", None, None)), r#"{"m":"load"}"#);
        assert_eq!(Frame::of("instana::current", None, None), None);
    }

    #[test]
    fn a_frame_without_a_name_has_an_address() {
        let json_of = |module| json(Some(Frame::unnamed(module, 0x1f2e)));
        assert_eq!(json_of(Some("/opt/shop")), r#"{"m":"shop+0x1f2e"}"#);
        assert_eq!(json_of(None), r#"{"m":"0x1f2e"}"#);
    }

    #[test]
    fn names_and_paths_are_cut_at_a_character() {
        let long = "ä".repeat(LIMIT);
        let frame = Frame::of(&format!("x{long}"), Some(&format!("{long}x")), None).unwrap();
        assert_eq!(frame.method.len(), LIMIT - 1);
        assert!(frame.method.starts_with('x'));
        assert!(
            frame
                .file
                .as_ref()
                .is_some_and(|file| file.len() == LIMIT - 1 && file.ends_with('x'))
        );
    }
}
