//! Configuration files that variables name (docs/ENVIRONMENT.md).

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::code::Code;
use super::environment::Environment;
use super::report::{Diagnosis, Report};
use super::variables::{Kind, VARIABLES};

/// The tracers read no larger file.
const MAX_FILE: u64 = 1024 * 1024;
const ROOTS: &[&str] = &["tracing:", "com.instana.tracing:"];

/// Checks each file that is named. `root` is where the process sees `/`.
pub(super) fn check(environment: &Environment, root: &Path, report: &mut Report) {
    let files = VARIABLES.iter().filter(|(_, kind)| *kind == Kind::File);
    for (name, _) in files {
        let Some(path) = environment.get(*name).filter(|path| !path.is_empty()) else {
            continue;
        };
        match read(&below(root, Path::new(path))) {
            Ok(text) => match trouble(&text) {
                None => report.fact("configuration", format!("{name}: {path} is readable")),
                Some(trouble) => {
                    let finding = format!("{name}: {path} {trouble}");
                    report.found(Diagnosis::new(Code::ConfigUnusable, finding));
                }
            },
            Err((code, trouble)) => {
                report.found(Diagnosis::new(code, format!("{name}: {path} {trouble}")));
            }
        }
    }
}

fn below(root: &Path, path: &Path) -> PathBuf {
    let relative = path.strip_prefix("/").unwrap_or(path);
    if path.is_absolute() {
        root.join(relative)
    } else {
        path.to_owned()
    }
}

fn read(path: &Path) -> Result<String, (Code, String)> {
    let unusable = |trouble: String| (Code::ConfigUnusable, trouble);
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => (Code::ConfigMissing, "does not exist".to_owned()),
        _ => unusable(format!("cannot be read: {error}")),
    })?;
    // Opening a pipe would wait for its writer.
    if !about.is_file() {
        return Err(unusable("is no regular file".to_owned()));
    }
    if about.len() > MAX_FILE {
        return Err(unusable("is larger than 1 MiB".to_owned()));
    }
    let mut text = String::new();
    let opened = fs::File::open(path);
    let read = opened.and_then(|file| file.take(MAX_FILE).read_to_string(&mut text));
    read.map_err(|error| unusable(format!("cannot be read: {error}")))?;
    Ok(text)
}

/// What is visibly wrong, without reading all of YAML.
fn trouble(text: &str) -> Option<String> {
    for (number, line) in (1..).zip(text.lines()) {
        let indent = line.len() - line.trim_start().len();
        let tabbed = line.get(..indent).is_some_and(|blank| blank.contains('\t'));
        if tabbed && !line.trim().is_empty() {
            return Some(format!("is indented with a tab in line {number}"));
        }
    }
    let rooted = text
        .lines()
        .any(|line| ROOTS.iter().any(|root| line.starts_with(root)));
    (!rooted).then(|| "has no `tracing:` at its top".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_visibly_wrong() {
        for (text, expected) in [
            ("# mine\ntracing:\n  disable: [logging]\n", None),
            ("com.instana.tracing:\n", None),
            (
                "tracing:\n\tdisable:\n",
                Some("is indented with a tab in line 2"),
            ),
            ("disable: true\n", Some("has no `tracing:` at its top")),
            ("  tracing:\n", Some("has no `tracing:` at its top")),
            ("", Some("has no `tracing:` at its top")),
        ] {
            assert_eq!(trouble(text).as_deref(), expected, "{text}");
        }
    }
}
