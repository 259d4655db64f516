//! `Style`: width and colours of rendered text.

use std::io::IsTerminal;

/// The width of what is no terminal.
const COLUMNS: usize = 100;
/// Narrower lines would have no room for what a span does.
const LEAST: usize = 60;

/// Width and colours of rendered text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it is an argument of the functions of this module"]
pub struct Style {
    colors: bool,
    width: Option<usize>,
}

impl Style {
    /// No colours, 100 columns.
    pub fn plain() -> Self {
        Self {
            colors: false,
            width: None,
        }
    }

    /// ANSI colours, 100 columns.
    pub fn colored() -> Self {
        Self {
            colors: true,
            width: None,
        }
    }

    /// For the standard output: as wide as its terminal, and with colours if they
    /// are wanted. Where it is no terminal, `columns` is the width, or 100, and
    /// there are no colours.
    pub fn of_stdout(colors: bool, columns: Option<usize>) -> Self {
        let out = std::io::stdout();
        if !out.is_terminal() {
            let plain = Self::plain();
            return columns.map_or(plain, |columns| plain.width(columns));
        }
        let size = terminal_size::terminal_size_of(out);
        let width = size.map(|(terminal_size::Width(columns), _)| usize::from(columns));
        let style = if colors {
            Self::colored()
        } else {
            Self::plain()
        };
        // Some terminals say that they have none.
        style.width(
            width
                .filter(|columns| *columns > 0)
                .or(columns)
                .unwrap_or(COLUMNS),
        )
    }

    /// How many columns a line may have; at least 60.
    pub fn width(mut self, columns: usize) -> Self {
        self.width = Some(columns.max(LEAST));
        self
    }

    pub(super) fn columns(self) -> usize {
        self.width.unwrap_or(COLUMNS)
    }

    /// The columns, if they are a terminal's or were set.
    pub(super) fn terminal(self) -> Option<usize> {
        self.width
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(super) fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colors && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
