//! The environment: the only reader of `std::env`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// Bytes of a value (as in Go); a longer one counts as a mistake.
const LONGEST: usize = 32 * 1024;

/// The variables whose names begin with `INSTANA_`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(BTreeMap<String, OsString>);

/// The value of a variable that is set and not empty.
#[derive(Clone, Debug)]
pub(crate) struct Text<'a> {
    /// Without what is not UTF-8.
    pub(crate) text: Cow<'a, str>,
    /// False where it is longer than 32 KiB or not UTF-8.
    pub(crate) usable: bool,
}

impl Environment {
    /// The environment of the process.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub(crate) fn of_process() -> Self {
        Self::of(std::env::vars_os())
    }

    fn of(variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let ours = variables.filter_map(|(name, value)| {
            let name = name.to_str().filter(|name| name.starts_with("INSTANA_"))?;
            Some((name.to_owned(), value))
        });
        Self(ours.filter(|(_, value)| !value.is_empty()).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<Text<'_>> {
        self.0.get(name).map(|value| Text::of(value))
    }

    /// All whose names begin and end so, with what stands between.
    pub(crate) fn between<'a>(
        &'a self,
        prefix: &'a str,
        suffix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str, Text<'a>)> {
        let from = self.0.range(prefix.to_owned()..);
        from.take_while(move |(name, _)| name.starts_with(prefix))
            .filter_map(move |(name, value)| {
                let between = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
                (!between.is_empty()).then(|| (name.as_str(), between, Text::of(value)))
            })
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn from_pairs(pairs: &[(&str, &str)]) -> Self {
        Self::of(
            pairs
                .iter()
                .map(|(name, value)| (name.into(), value.into())),
        )
    }

    #[cfg(test)]
    pub(crate) fn from_raw(name: &str, value: OsString) -> Self {
        Self::of(std::iter::once((name.into(), value)))
    }
}

impl<'a> Text<'a> {
    fn of(value: &'a OsStr) -> Self {
        match value.to_str() {
            Some(text) => Self {
                text: Cow::Borrowed(text),
                usable: text.len() <= LONGEST,
            },
            None => Self {
                text: value.to_string_lossy(),
                usable: false,
            },
        }
    }
}
