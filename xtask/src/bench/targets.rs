//! What this tracer has to reach, beside what it does.

use super::figures::Figures;
use super::table::{Table, thousands};

/// A figure of ours and its limit.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) figure: f64,
    pub(crate) limit: f64,
    /// Whether the limit is a lower one.
    pub(crate) at_least: bool,
}

impl Target {
    pub(crate) fn at_most(name: &str, figure: f64, limit: f64) -> Self {
        Self {
            name: name.to_owned(),
            figure,
            limit,
            at_least: false,
        }
    }

    pub(crate) fn at_least(name: &str, figure: f64, limit: f64) -> Self {
        Self {
            at_least: true,
            ..Self::at_most(name, figure, limit)
        }
    }

    fn passed(&self) -> bool {
        if self.at_least {
            self.figure >= self.limit
        } else {
            self.figure <= self.limit
        }
    }
}

/// The targets that follow from instructions and allocations. `documents` is
/// what `serde_json` needs for the JSON of one request.
pub(crate) fn of_figures(all: &[Figures], documents: f64) -> Vec<Target> {
    let find = |library: &str, scenario: &str| {
        all.iter()
            .find(|figures| figures.library == library && figures.scenario == scenario)
    };
    let hot = |library: &str, scenario| find(library, scenario).map(|f| f.hot_instructions);
    let ours = |scenario| hot("instana", scenario).unwrap_or(f64::NAN);
    let added = |scenario| ours(scenario) - hot("none", scenario).unwrap_or(f64::NAN);
    let background = |scenario| {
        find("instana", scenario).map_or(f64::NAN, |figures| figures.background_instructions)
    };
    let mut targets = vec![
        Target::at_most("a, hot", ours("a"), 800.0),
        Target::at_most("b, hot", ours("b"), 2_400.0),
        Target::at_most("c, hot", ours("c"), 23_000.0),
        Target::at_most("d, hot", ours("d"), 350.0),
        Target::at_most(
            "b, hot and background",
            ours("b") + background("b"),
            11_960.0,
        ),
        Target::at_most("inject, above the bare headers", added("inject"), 2_800.0),
        Target::at_most(
            "inject, foreign tracestate",
            added("inject-foreign"),
            4_200.0,
        ),
        Target::at_most("extract", ours("extract"), 2_200.0),
        Target::at_most(
            "extract, foreign tracestate",
            ours("extract-foreign"),
            3_300.0,
        ),
        Target::at_most("poll, above the bare one", added("poll"), 30.0),
        Target::at_most("axum, added", added("axum"), 5_000.0),
        Target::at_most("axum, added, five headers", added("axum-headers"), 6_500.0),
        Target::at_most(
            "axum, with background",
            added("axum") + background("axum"),
            8_000.0,
        ),
        Target::at_most(
            "axum, with background, five headers",
            added("axum-headers") + background("axum-headers"),
            9_500.0,
        ),
    ];
    for scenario in ["axum", "axum-headers"] {
        if let (Some(theirs), Some(none)) = (hot("fastrace", scenario), hot("none", scenario)) {
            let name = format!("{scenario}, added, 0.7 of fastrace-axum");
            targets.push(Target::at_most(
                &name,
                added(scenario),
                0.7 * (theirs - none),
            ));
        }
    }
    if let Some(b) = find("instana", "b") {
        let name = "JSON of b, 0.6 of serde_json";
        targets.push(Target::at_most(name, b.json_instructions, 0.6 * documents));
    }
    // A segment of 32 KiB for hundreds of spans is an allocation, too.
    targets.extend(["a", "b", "c", "d"].into_iter().filter_map(|scenario| {
        let figures = find("instana", scenario)?;
        let name = format!("{scenario}, hot allocations");
        Some(Target::at_most(&name, figures.hot_allocations, 0.0))
    }));
    targets
}

/// Prints them with verdicts.
pub(crate) fn print(title: &str, targets: &[Target]) {
    let mut table = Table::new(["target", "limit", "figure", "verdict"]);
    for target in targets {
        let show = |figure: f64| match figure.abs() < 10.0 && figure.fract() != 0.0 {
            true => format!("{figure:.3}"),
            false => thousands(figure),
        };
        let sign = if target.at_least { ">=" } else { "<=" };
        table.row([
            target.name.clone(),
            format!("{sign} {}", show(target.limit)),
            show(target.figure),
            if target.passed() { "pass" } else { "FAIL" }.to_owned(),
        ]);
    }
    table.print(title);
}
