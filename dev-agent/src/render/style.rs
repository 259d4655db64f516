/// Width and colours of rendered text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it is an argument of the functions of this module"]
pub struct Style {
    colors: bool,
    width: usize,
}

impl Style {
    /// No colours, 100 columns.
    pub fn plain() -> Self {
        Self {
            colors: false,
            width: 100,
        }
    }

    /// ANSI colours, 100 columns.
    pub fn colored() -> Self {
        Self {
            colors: true,
            width: 100,
        }
    }

    /// How many columns a line may have; at least 60.
    pub fn width(mut self, columns: usize) -> Self {
        self.width = columns.max(60);
        self
    }

    pub(super) fn columns(self) -> usize {
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
