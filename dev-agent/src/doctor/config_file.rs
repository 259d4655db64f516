//! Configuration files that variables name (docs/ENVIRONMENT.md).

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::code::Code;
use super::environment::Environment;
use super::report::{Diagnosis, Report};
use super::value::Kind;
use super::variables::VARIABLES;

/// The tracers read no larger file.
const MAX_FILE: u64 = 1024 * 1024;
/// Of this one, only what is ignored counts.
const ENDPOINTS: &str = "INSTANA_IGNORE_ENDPOINTS_PATH";
/// The top-level keys of a file, also with `com.instana.` before them.
const ROOTS: &[&str] = &["tracing:", "secrets:", "plugin:", "plugin."];
const ENDPOINTS_ROOTS: &[&str] = &["tracing:"];

/// Checks each file that is named. `root` is where the process sees `/`.
pub(super) fn check(environment: &Environment, root: &Path, report: &mut Report) {
    let files = VARIABLES.iter().filter(|(_, kind)| *kind == Kind::File);
    for (name, _) in files {
        let Some(path) = environment.get(*name).filter(|path| !path.is_empty()) else {
            continue;
        };
        // As the tracer does.
        let (path, roots) = match *name {
            ENDPOINTS => (path.as_str(), ENDPOINTS_ROOTS),
            _ => (path.trim(), ROOTS),
        };
        match read(&below(root, Path::new(path))) {
            Ok(text) => match trouble(&text, roots) {
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

/// The visible errors, found without parsing YAML.
fn trouble(text: &str, roots: &[&str]) -> Option<String> {
    for (number, line) in (1..).zip(text.lines()) {
        let indent = line.len() - line.trim_start().len();
        let tabbed = line.get(..indent).is_some_and(|blank| blank.contains('\t'));
        if tabbed && !line.trim().is_empty() {
            return Some(format!("is indented with a tab in line {number}"));
        }
    }
    let rooted = text.lines().any(|line| {
        let line = line.strip_prefix("com.instana.").unwrap_or(line);
        roots.iter().any(|root| line.starts_with(root))
    });
    (!rooted).then(|| format!("has no `{}` at its top", roots.join("` or `")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_visibly_wrong() {
        let nothing = Some("has no `tracing:` or `secrets:` or `plugin:` or `plugin.` at its top");
        for (text, expected) in [
            ("# mine\ntracing:\n  disable: [logging]\n", None),
            ("com.instana.tracing:\n", None),
            ("secrets:\n  matcher: none\n", None),
            ("com.instana.plugin.rust:\n  poll_rate: 5\n", None),
            (
                "tracing:\n\tdisable:\n",
                Some("is indented with a tab in line 2"),
            ),
            ("disable: true\n", nothing),
            ("  tracing:\n", nothing),
            ("", nothing),
        ] {
            assert_eq!(trouble(text, ROOTS).as_deref(), expected, "{text}");
        }
        let secrets = trouble("secrets:\n", ENDPOINTS_ROOTS);
        assert_eq!(secrets.as_deref(), Some("has no `tracing:` at its top"));
    }
}
