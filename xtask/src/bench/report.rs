//! What a run says: printed as it comes, and kept for `docs/PERFORMANCE.md`.

use std::fs;

use super::table::Table;

const FILE: &str = "docs/PERFORMANCE.md";

/// The text of a run, in Markdown.
#[derive(Debug, Default)]
pub(crate) struct Report {
    text: String,
}

impl Report {
    /// Says a paragraph.
    pub(crate) fn say(&mut self, paragraph: &str) {
        self.add(&format!("\n{paragraph}\n"));
    }

    /// Shows a table under a heading.
    pub(crate) fn table(&mut self, title: &str, table: &Table) {
        self.add(&format!("\n### {title}\n\n{}", table.to_markdown()));
    }

    /// Replaces what stands between the two comments with this name.
    pub(crate) fn write(&self, name: &str) -> Result<(), String> {
        let text = fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
        let (begin, end) = (
            format!("<!-- {name}: begin -->"),
            format!("<!-- {name}: end -->"),
        );
        let parts = text.split_once(&begin).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(&end)?;
            Some((before, after))
        });
        let Some((before, after)) = parts else {
            return Err(format!("{FILE} has no {begin} … {end}"));
        };
        let text = format!("{before}{begin}\n{}\n{end}{after}", self.text);
        fs::write(FILE, text).map_err(|error| format!("{FILE}: {error}"))
    }

    fn add(&mut self, text: &str) {
        print!("{text}");
        self.text.push_str(text);
    }
}
