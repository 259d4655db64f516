//! The command line without its secrets.

use crate::secrets::REDACTED;
use crate::secrets::key::is_secret_or_password;
use crate::secrets::matcher::Matcher;
use crate::secrets::redact::text;

/// Replaces the values of `--key=value`, `key=value`, `key: value` and `--key
/// value` where `key` is secret, what follows `-p` unless it is a number (a
/// port), and what free text would not show. Passwords are secret to every
/// matcher here.
pub(crate) fn arguments(matcher: &Matcher, arguments: Vec<String>) -> Vec<String> {
    let mut before = Before::Nothing;
    let mut safe = Vec::with_capacity(arguments.len());
    for argument in arguments {
        safe.push(match std::mem::take(&mut before) {
            Before::Secret if !is_option(&argument) => REDACTED.to_owned(),
            Before::ShortOption if !is_option(&argument) && !is_number(&argument) => {
                REDACTED.to_owned()
            }
            _ => {
                before = Before::of(matcher, &argument);
                redacted(matcher, &argument)
            }
        });
    }
    safe
}

/// What an argument says about the next one.
#[derive(Clone, Copy, Debug, Default)]
enum Before {
    #[default]
    Nothing,
    /// It is secret.
    Secret,
    /// It is a password, or a port.
    ShortOption,
}

impl Before {
    fn of(matcher: &Matcher, argument: &str) -> Self {
        let name = argument.trim_start_matches('-');
        if name.len() == argument.len() || name.contains('=') {
            Self::Nothing
        } else if argument == "-p" {
            Self::ShortOption
        } else if is_secret_or_password(matcher, name) {
            Self::Secret
        } else {
            Self::Nothing
        }
    }
}

/// `--name` and `-n`; a password may begin with a dash.
fn is_option(argument: &str) -> bool {
    argument.starts_with("--") || (argument.starts_with('-') && argument.chars().count() <= 2)
}

fn is_number(argument: &str) -> bool {
    argument.bytes().all(|byte| byte.is_ascii_digit())
}

fn redacted(matcher: &Matcher, argument: &str) -> String {
    let name = argument.trim_start_matches('-');
    let dashes = argument.len() - name.len();
    let sign = name
        .find(['=', ':'])
        .map(|at| (name.get(..at), dashes + at));
    if let Some((Some(key), at)) = sign {
        let value = argument.get(at + 1..).unwrap_or_default();
        let is_short = dashes == 1 && key == "p" && !is_number(value);
        if !value.is_empty() && (is_short || is_secret_or_password(matcher, key)) {
            let kept = argument.get(..=at).unwrap_or_default();
            return [kept, REDACTED].concat();
        }
    }
    let mut safe = String::new();
    text(matcher, argument, &mut safe);
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_arguments_are_replaced() {
        let matcher = Matcher::parse("contains:pass,token", &mut Vec::new()).unwrap();
        #[rustfmt::skip]
        let table: [(&[&str], &[&str]); 19] = [
            (&["--password=x", "y"], &["--password=<redacted>", "y"]),
            (&["--password=a=b c"], &["--password=<redacted>"]),
            (&["--token", "x", "y"], &["--token", "<redacted>", "y"]),
            (&["-token", "x"], &["-token", "<redacted>"]),
            (&["--token", "-x1"], &["--token", "<redacted>"]),
            (&["--no-pass", "--verbose", "x"], &["--no-pass", "--verbose", "x"]),
            (&["--token", "--pass", "x"], &["--token", "--pass", "<redacted>"]),
            (&["--no-pass", "-v", "x"], &["--no-pass", "-v", "x"]),
            (&["DB_passé=x"], &["DB_passé=<redacted>"]),
            (&["token", "x"], &["token", "x"]),
            (&["-H", "token: a b"], &["-H", "token:<redacted>"]),
            (&["--port=1", "--é", "-", "--", "="], &["--port=1", "--é", "-", "--", "="]),
            (&["--token"], &["--token"]),
            (&["--token=", "x"], &["--token=", "x"]),
            (&["-p", "8080", "-p", "x", "-p"], &["-p", "8080", "-p", "<redacted>", "-p"]),
            (&["-p=x", "-p=80", "p=x"], &["-p=<redacted>", "-p=80", "p=x"]),
            (&["--db", "a://u:p@h/d?token=x"], &["--db", "a://<redacted>:<redacted>@h/d?token=<redacted>"]),
            (&["--db=u:p@tcp(h)/d"], &["--db=<redacted>:<redacted>@tcp(h)/d"]),
            (&["{\"a\":1,\"token\":\"x\"}"], &["{\"a\":1,\"token\":\"<redacted>\"}"]),
        ];
        for (given, expected) in table {
            let given = given.iter().map(|part| (*part).to_owned()).collect();
            assert_eq!(arguments(&matcher, given), expected);
        }
    }
}
