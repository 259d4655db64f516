//! Names and lines of addresses, from the files that are mapped into this process.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use crate::pipeline::export::frames::frame::Frame;
use crate::pipeline::export::frames::library_frames;
use crate::pipeline::export::frames::mappings::Mappings;
use crate::pipeline::export::frames::{call::Call, image::Image};

/// Of a frame for which the debug information has no name.
const UNKNOWN: &str = "{unknown}";

/// Files that are open at a time.
const MOST_FILES: usize = 4;

/// Mapped files and their debug information, opened when the first address in
/// one is asked for. All of it is ours: there is no lock that another thread
/// could wait for, or that a fork could leave locked.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    mappings: Mappings,
    /// With their paths; `None`: cannot be used. The one that was used last is the
    /// last one.
    files: Vec<(Arc<str>, Option<Image>)>,
}

impl Symbols {
    /// The application's frames at an address: several where functions were
    /// inlined, none where the code is not the application's. `None` where the file
    /// could not be looked through until then: the next call goes on with it.
    pub(crate) fn frames(&mut self, address: u64, until: Instant) -> Option<Vec<Frame>> {
        let Some(mapping) = self.mappings.of(address) else {
            return Some(vec![Frame::unnamed(None, address)]);
        };
        if library_frames::is_system(&mapping.path) {
            return Some(Vec::new());
        }
        let offset = address - mapping.start + mapping.offset;
        let unnamed = |at| Some(vec![Frame::unnamed(Some(&mapping.path), at)]);
        let Some(image) = self.image(&mapping.path) else {
            return unnamed(offset);
        };
        let Some(address) = image.address(offset) else {
            return unnamed(offset);
        };
        if !image.prepare(until) {
            return None;
        }
        let calls = image.calls(address);
        if calls.is_empty() {
            return unnamed(address);
        }
        Some(calls.iter().filter_map(frame).collect())
    }

    /// Frees what was kept for the next addresses.
    pub(crate) fn forget_units(&mut self) {
        self.images().for_each(Image::forget_units);
    }

    /// Gives the pages of all files back.
    pub(crate) fn release(&mut self) {
        self.images().for_each(Image::release);
    }

    /// Closes everything.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    fn images(&mut self) -> impl Iterator<Item = &mut Image> {
        self.files
            .iter_mut()
            .filter_map(|(_, image)| image.as_mut())
    }

    fn image(&mut self, path: &Arc<str>) -> Option<&mut Image> {
        let file = match self.files.iter().position(|(known, _)| known == path) {
            Some(place) => self.files.remove(place),
            None => (path.clone(), open(path)),
        };
        if self.files.len() >= MOST_FILES {
            self.files.remove(0);
        }
        self.files.push(file);
        self.files.last_mut()?.1.as_mut()
    }
}

/// Opens a file by its path among the mappings.
fn open(path: &str) -> Option<Image> {
    let is_own = fs::read_link("/proc/self/exe").is_ok_and(|own| own.as_os_str() == path);
    if is_own {
        // What runs, also where another file has its name by now.
        Image::open("/proc/self/exe")
    } else if path.ends_with(" (deleted)") {
        None
    } else {
        Image::open(path)
    }
}

fn frame(call: &Call) -> Option<Frame> {
    let function = match &call.function {
        // Without the hashes that tell generic instances apart.
        Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
        None => UNKNOWN.to_owned(),
    };
    Frame::of(&function, call.file.as_deref(), call.line)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(600)
    }

    #[test]
    fn what_is_no_code_has_its_address() {
        let mut symbols = Symbols::default();
        let frames = symbols.frames(16, soon());
        assert_eq!(frames, Some(vec![Frame::unnamed(None, 16)]));
    }

    #[test]
    fn what_runs_is_opened_and_what_is_gone_is_not() {
        let own = std::env::current_exe().unwrap();
        assert!(open(own.to_str().unwrap()).is_some());
        for path in ["/opt/shop (deleted)", "[vdso]", "/nonexistent"] {
            assert!(open(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_large_file_takes_several_calls() {
        let mut symbols = Symbols::default();
        // Code of the standard library: no frames.
        let address = std::thread::yield_now as fn() as usize as u64;
        let past = Instant::now();
        assert_eq!(symbols.frames(address, past), None);
        let calls = (1..10_000).find(|_| symbols.frames(address, past).is_some());
        assert!(calls.is_some_and(|calls| calls > 1), "{calls:?}");
        assert_eq!(symbols.frames(address, past), Some(Vec::new()));
    }

    #[test]
    fn few_files_are_open_and_forgotten_ones_are_opened_again() {
        let mut symbols = Symbols::default();
        for number in 0..10 {
            let path = Arc::from(format!("/nonexistent/{number}"));
            assert!(symbols.image(&path).is_none());
            assert!(symbols.files.len() <= MOST_FILES);
        }
        let own = Arc::from(std::env::current_exe().unwrap().to_str().unwrap());
        assert!(symbols.image(&own).is_some());
        symbols.forget();
        assert_eq!(symbols.files.len(), 0);
        assert!(symbols.image(&own).is_some());
    }
}
