//! The figures that changes are compared with: `benchmarks/baseline.json`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::figures::Figures;

const FILE: &str = "benchmarks/baseline.json";

/// Above so much of the baseline is a failure, with the same tools and with
/// others.
const SAME_TOOLS: f64 = 0.03;
const OTHER_TOOLS: f64 = 0.10;

/// What a figure may vary by in any case: a few instructions of a poll, a
/// segment more or less in a run.
const SLACK_HOT: f64 = 3.0;
const SLACK_BACKGROUND: f64 = 50.0;
const SLACK_ALLOCATIONS: f64 = 0.02;

/// What figures depend on beside our own code.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Tools {
    rustc: String,
    glibc: String,
    valgrind: String,
}

#[derive(Deserialize, Serialize)]
struct Baseline {
    #[serde(flatten)]
    tools: Tools,
    figures: Vec<Figures>,
}

impl Tools {
    fn here() -> Self {
        let first_line = |program: &str, argument: &str| {
            let output = Command::new(program).arg(argument).output();
            let text = output.map(|output| output.stdout).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            text.lines().next().unwrap_or("unknown").to_owned()
        };
        Self {
            rustc: first_line("rustc", "--version"),
            glibc: first_line("ldd", "--version"),
            valgrind: first_line("valgrind", "--version"),
        }
    }

    /// For people.
    pub(crate) fn describe() -> String {
        let tools = Self::here();
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let models: Vec<&str> = cpu
            .lines()
            .filter_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
            .collect();
        format!(
            "Machine: {} × {}, shared with other work. {}, release profile without LTO; {}; {}.",
            models.len(),
            models.first().unwrap_or(&"unknown processor"),
            tools.rustc,
            tools.glibc,
            tools.valgrind
        )
    }
}

/// Writes the figures as the new baseline.
pub(crate) fn write(figures: Vec<Figures>) -> Result<String, String> {
    let summary = format!("{FILE} has {} figures", figures.len());
    let tools = Tools::here();
    // As a `Value`, the keys are sorted.
    let baseline = serde_json::to_value(Baseline { tools, figures });
    let text = format!("{:#}\n", baseline.map_err(|error| error.to_string())?);
    fs::write(FILE, text).map_err(|error| format!("{FILE}: {error}"))?;
    Ok(summary)
}

/// Compares figures with the baseline; the text is for the summary.
pub(crate) fn compare(figures: &[Figures]) -> Result<String, String> {
    let text = fs::read(Path::new(FILE)).map_err(|error| format!("{FILE}: {error}"))?;
    let baseline: Baseline =
        serde_json::from_slice(&text).map_err(|error| format!("{FILE}: {error}"))?;
    let (then, now) = (baseline.tools, Tools::here());
    let limit = if then == now {
        SAME_TOOLS
    } else {
        println!("the baseline is of {then:?}, these figures of {now:?}");
        OTHER_TOOLS
    };
    let known = baseline.figures;
    let mut worse = Vec::new();
    for new in figures {
        let old = known
            .iter()
            .find(|old| old.library == new.library && old.scenario == new.scenario);
        match old {
            Some(old) => worse.extend(above(old, new, limit)),
            None => worse.push(format!("{} {} is not in it", new.library, new.scenario)),
        }
    }
    if worse.is_empty() {
        Ok(format!(
            "{} scenarios, none above the baseline by more than {:.0} %",
            figures.len(),
            limit * 100.0
        ))
    } else {
        Err(format!("against {FILE}: {}", worse.join("; ")))
    }
}

/// A figure's name, the figure, and what it may vary by.
type Compared = (&'static str, fn(&Figures) -> f64, f64);

/// What is worse by more than the limit, in words.
fn above(old: &Figures, new: &Figures, limit: f64) -> Vec<String> {
    let compared: [Compared; 4] = [
        ("hot instructions", |f| f.hot_instructions, SLACK_HOT),
        (
            "background instructions",
            |f| f.background_instructions,
            SLACK_BACKGROUND,
        ),
        ("hot allocations", |f| f.hot_allocations, SLACK_ALLOCATIONS),
        (
            "background allocations",
            |f| f.background_allocations,
            SLACK_ALLOCATIONS,
        ),
    ];
    let compared = compared.map(|(what, figure, slack)| (what, figure(old), figure(new), slack));
    compared
        .into_iter()
        .filter(|(_, before, now, slack)| *now > before * (1.0 + limit) + slack)
        .map(|(what, before, now, _)| {
            let percent = (now / before - 1.0) * 100.0;
            let scenario = &new.scenario;
            format!("{scenario}: {what} {before:.2} -> {now:.2} ({percent:+.1} %)")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_worse_by_more_than_the_limit_is_reported() {
        let figures = |hot: f64, allocations: f64| Figures {
            scenario: "b".to_owned(),
            hot_instructions: hot,
            hot_allocations: allocations,
            ..Figures::default()
        };
        let old = figures(1_000.0, 0.0);
        assert!(above(&old, &figures(1_029.0, 0.001), SAME_TOOLS).is_empty());
        assert!(above(&old, &figures(500.0, 0.0), SAME_TOOLS).is_empty());
        let worse = above(&old, &figures(1_040.0, 1.0), SAME_TOOLS);
        assert_eq!(worse.len(), 2, "{worse:?}");
        assert!(worse[0].contains("+4.0 %"), "{worse:?}");
        assert!(above(&old, &figures(1_040.0, 0.0), OTHER_TOOLS).is_empty());
    }

    #[test]
    fn the_baseline_is_read() {
        let file = format!("{}/../{FILE}", env!("CARGO_MANIFEST_DIR"));
        let baseline: Baseline = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert!(baseline.tools.rustc.starts_with("rustc "));
        assert!(
            baseline
                .figures
                .iter()
                .all(|figures| figures.hot_instructions > 0.0)
        );
    }
}
