//! The errors of calls, without the values that databases quote in them.

use std::fmt::{self, Write};

use instana::Span;
use instana::span::Failure;
use sqlx::Error;

use crate::backend::Backend;

/// What may stand around a value.
const QUOTES: [char; 8] = ['\'', '"', '`', '‘', '“', '„', '«', '»'];

/// What MySQL says behind a value: where that belongs.
const PLACES: [&str; 2] = ["' for key ", "' for column "];

/// Records the error of a call, if it is one: that there is no row is an answer.
#[cold]
pub(crate) fn fail<DB: Backend>(span: &mut Span, error: &Error) {
    if matches!(error, Error::RowNotFound) {
        return;
    }
    match error.as_database_error() {
        Some(told) if DB::quotes_values(told) => {
            let message = told.message();
            let text = WithoutValues { error, message };
            span.record_error(Failure::display(&text));
        }
        _ => span.record_error(error),
    }
}

/// The text up to its first quote, and the place behind the value.
struct WithoutValues<'a> {
    error: &'a Error,
    message: &'a str,
}

impl fmt::Display for WithoutValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut beginning = Beginning { f, is_over: false };
        write!(beginning, "{}", self.error)?;
        if !beginning.is_over {
            return Ok(());
        }
        f.write_char('…')?;
        f.write_str(place(self.message))
    }
}

struct Beginning<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    is_over: bool,
}

impl Write for Beginning<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_over {
            return Ok(());
        }
        let (text, rest) = text.split_at(text.find(QUOTES).unwrap_or(text.len()));
        self.is_over = !rest.is_empty();
        self.f.write_str(text)
    }
}

fn place(message: &str) -> &str {
    let places = PLACES.iter().filter_map(|place| message.rfind(place));
    let place = places.max().and_then(|at| message.get(at + 1..));
    place.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_value_stays() {
        for (message, expected) in [
            (
                "Duplicate entry 'a' for key 'b' for key 'name'",
                " for key 'name'",
            ),
            (
                "Incorrect integer value: 'a' for column `d`.`t`.`n` at row 1",
                " for column `d`.`t`.`n` at row 1",
            ),
            ("invalid input syntax for type integer: \"a\"", ""),
            ("", ""),
        ] {
            assert_eq!(place(message), expected, "{message}");
        }
    }

    #[test]
    fn what_is_quoted_is_left_out() {
        for (told, expected) in [
            ("no value", "no value"),
            ("no such 'a'", "no such …"),
            ("„a“ ist kein Wert", "…"),
            ("", ""),
        ] {
            let error = &Error::Protocol(told.to_owned());
            let message = told;
            let shown = WithoutValues { error, message }.to_string();
            let own = Error::Protocol(String::new()).to_string();
            assert_eq!(shown, own + expected, "{told}");
        }
    }
}
