//! What this tracer has to reach, beside what it does.

use super::figures::Figures;
use super::table::{Report, Table, thousands};

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
    pub(crate) fn at_most(name: impl Into<String>, figure: f64, limit: f64) -> Self {
        Self {
            name: name.into(),
            figure,
            limit,
            at_least: false,
        }
    }

    pub(crate) fn at_least(name: impl Into<String>, figure: f64, limit: f64) -> Self {
        Self {
            at_least: true,
            ..Self::at_most(name, figure, limit)
        }
    }

    fn passed(&self) -> bool {
        match self.at_least {
            true => self.figure >= self.limit,
            false => self.figure <= self.limit,
        }
    }
}

/// The targets that follow from instructions and allocations. `documents` is
/// what `serde_json` needs for the JSON of one request.
pub(crate) fn of_figures(all: &[Figures], documents: f64) -> Vec<Target> {
    let all = All(all);
    let mut targets = all.spans();
    targets.extend(all.headers());
    targets.extend(all.axum());
    if let Some(b) = all.find("instana", "b") {
        let name = "JSON of b, 0.6 of serde_json";
        targets.push(Target::at_most(name, b.json_instructions, 0.6 * documents));
    }
    targets
}

/// What fastrace needs for b, background included, without writing any JSON:
/// measured when the target was set.
const FASTRACE_B: f64 = 18_400.0;

struct All<'a>(&'a [Figures]);

impl All<'_> {
    fn find(&self, library: &str, scenario: &str) -> Option<&Figures> {
        self.0
            .iter()
            .find(|figures| figures.library == library && figures.scenario == scenario)
    }

    fn hot(&self, library: &str, scenario: &str) -> f64 {
        self.find(library, scenario)
            .map_or(f64::NAN, |figures| figures.hot_instructions)
    }

    fn ours(&self, scenario: &str) -> f64 {
        self.hot("instana", scenario)
    }

    /// Ours, above the same without tracing.
    fn added(&self, scenario: &str) -> f64 {
        self.ours(scenario) - self.hot("none", scenario)
    }

    fn background(&self, scenario: &str) -> f64 {
        self.find("instana", scenario)
            .map_or(f64::NAN, |figures| figures.background_instructions)
    }

    fn spans(&self) -> Vec<Target> {
        let whole_b = self.ours("b") + self.background("b");
        let mut targets = vec![
            Target::at_most("a, hot", self.ours("a"), 800.0),
            Target::at_most("b, hot", self.ours("b"), 2_400.0),
            Target::at_most("c, hot", self.ours("c"), 23_000.0),
            Target::at_most("d, hot", self.ours("d"), 350.0),
            Target::at_most("b, hot and background", whole_b, 0.65 * FASTRACE_B),
        ];
        // A segment of 32 KiB for hundreds of spans is an allocation, too.
        targets.extend(["a", "b", "c", "d"].into_iter().filter_map(|scenario| {
            let allocations = self.find("instana", scenario)?.hot_allocations;
            let name = format!("{scenario}, hot allocations");
            Some(Target::at_most(name, allocations, 0.0))
        }));
        targets
    }

    fn headers(&self) -> [Target; 6] {
        let (ours, added) = (|name| self.ours(name), |name| self.added(name));
        let timed = ours("poll-timed") - self.hot("none", "poll");
        let most = |name, figure, limit| Target::at_most(name, figure, limit);
        [
            most("inject, above bare headers", added("inject"), 2_800.0),
            most(
                "inject, foreign tracestate",
                added("inject-foreign"),
                4_200.0,
            ),
            most("extract", ours("extract"), 2_200.0),
            most(
                "extract, foreign tracestate",
                ours("extract-foreign"),
                3_300.0,
            ),
            most("poll, above the bare one", added("poll"), 30.0),
            most("poll, timed, above the bare one", timed, 70.0),
        ]
    }

    fn axum(&self) -> Vec<Target> {
        let (plain, headers) = (
            ("axum", 5_000.0, 8_000.0),
            ("axum-headers", 6_500.0, 9_500.0),
        );
        let mut targets = Vec::new();
        for (scenario, hot, whole) in [plain, headers] {
            let added = self.added(scenario);
            let name = |what: &str| format!("{scenario}, added, hot{what}");
            targets.push(Target::at_most(name(""), added, hot));
            let (and_background, both) = (name(" and background"), self.background(scenario));
            targets.push(Target::at_most(and_background, added + both, whole));
            let fastrace = self.hot("fastrace", scenario) - self.hot("none", scenario);
            if fastrace.is_finite() {
                let name = name(", 0.7 of fastrace-axum");
                targets.push(Target::at_most(name, added, 0.7 * fastrace));
            }
        }
        targets
    }
}

/// Shows them with verdicts.
pub(crate) fn show(report: &mut Report, title: &str, targets: &[Target]) {
    let mut table = Table::new("target|limit|figure|verdict");
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
    report.table(title, &table);
}
