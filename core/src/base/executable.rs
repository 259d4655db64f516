//! The file that the process runs.

use std::path::{Path, PathBuf};

/// Its path.
pub(crate) fn path() -> Option<PathBuf> {
    std::env::current_exe().ok().map(without_mark)
}

/// Its name.
pub(crate) fn name() -> Option<String> {
    Some(path()?.file_name()?.to_string_lossy().into_owned())
}

/// Linux marks a program whose file was replaced while it runs.
fn without_mark(path: PathBuf) -> PathBuf {
    match path
        .to_str()
        .and_then(|text| text.strip_suffix(" (deleted)"))
    {
        Some(text) => Path::new(text).to_owned(),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_of_a_replaced_file_is_removed() {
        assert_eq!(without_mark("/a/b (deleted)".into()), Path::new("/a/b"));
        assert_eq!(without_mark("/a/b".into()), Path::new("/a/b"));
    }
}
