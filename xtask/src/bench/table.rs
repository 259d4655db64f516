//! Tables in Markdown, with columns aligned, and the report of a run, which has them.

use std::fs;

/// Where reports are kept.
const FILE: &str = "docs/PERFORMANCE.md";

/// A table being filled.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns, separated by `|`; the first holds names, the others figures.
    pub(crate) fn new(columns: &str) -> Self {
        Self {
            rows: vec![columns.split('|').map(str::to_owned).collect()],
        }
    }

    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    pub(crate) fn to_markdown(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            text.push_str(&line(row, &widths));
            if index == 0 {
                text.push_str(&rule(&widths));
            }
        }
        text
    }
}

/// The line under the heads: names to the left, figures to the right.
fn rule(widths: &[usize]) -> String {
    let cells: Vec<String> = (0..)
        .zip(widths)
        .map(|(column, width)| match column {
            0 => "-".repeat(*width),
            _ => format!("{}:", "-".repeat(width.saturating_sub(1))),
        })
        .collect();
    line(&cells, widths)
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = widths.iter().enumerate().map(|(column, width)| {
        let cell = row.get(column).map_or("", String::as_str);
        match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        }
    });
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

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
        let begin = format!("<!-- {name}: begin -->");
        let end = format!("<!-- {name}: end -->");
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

/// A whole number with its thousands apart.
pub(crate) fn thousands(figure: f64) -> String {
    let digits = format!("{:.0}", figure.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if figure <= -0.5 {
        text.insert(0, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let table = [
            (0.0, "0"),
            (999.4, "999"),
            (1_000.0, "1,000"),
            (-1_234_567.0, "-1,234,567"),
        ];
        for (figure, text) in table {
            assert_eq!(thousands(figure), text);
        }
    }

    #[test]
    fn names_stand_left_and_figures_right() {
        let mut table = Table::new("name|ns");
        table.row(["a", "1,000"]);
        let expected = "| name |    ns |\n| ---- | ----: |\n| a    | 1,000 |\n";
        assert_eq!(table.to_markdown(), expected);
    }
}
