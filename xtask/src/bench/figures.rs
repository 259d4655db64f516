//! The figures of one library in one scenario, and how they are measured.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::program::Programs;

/// Scenarios in the order of the tables.
pub(crate) const SCENARIOS: [&str; 12] = [
    "a",
    "b",
    "c",
    "d",
    "poll",
    "poll-timed",
    "inject",
    "inject-foreign",
    "extract",
    "extract-foreign",
    "axum",
    "axum-headers",
];

/// Bursts of the two runs that are subtracted from each other.
const FEW: u64 = 4;
const MANY: u64 = 16;

/// Bursts in which allocations are counted.
const BURSTS: &str = "10";

/// Rounds of wall time, in which every library has its turn, and the bursts of each.
const WALL_ROUNDS: usize = 5;
const WALL_BURSTS: &str = "100";

/// All figures, per iteration of the scenario, for `bench.json` and the baseline.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Figures {
    pub(crate) library: String,
    pub(crate) scenario: String,
    pub(crate) hot_instructions: f64,
    pub(crate) background_instructions: f64,
    pub(crate) json_instructions: f64,
    pub(crate) hot_allocations: f64,
    pub(crate) hot_bytes: f64,
    pub(crate) background_allocations: f64,
    pub(crate) background_bytes: f64,
    pub(crate) wall_ns: Option<f64>,
}

/// `None` where the library has no such scenario.
type Measured = Result<Option<Figures>, String>;

/// Instructions and allocations. `words` of the
/// command line say what kind of scenario it is.
pub(super) fn measure(programs: &Programs, words: &[&str], library: &str, case: &str) -> Measured {
    let Some(mut figures) = instructions(programs, words, library, case)? else {
        return Ok(None);
    };
    let agent = programs.agent(false)?;
    let options = ["--bursts", BURSTS, "--agent", &agent.address];
    let what = ["allocations", library, case];
    let answer = programs.run_counting(&[words, &what, &options].concat())?;
    let at = |at: usize| answer.get(at).and_then(Value::as_f64).unwrap_or_default();
    figures.hot_allocations = rounded(at(0), 1_000.0);
    figures.hot_bytes = rounded(at(1), 10.0);
    figures.background_allocations = rounded(at(2), 1_000.0);
    figures.background_bytes = rounded(at(3), 10.0);
    Ok(Some(figures))
}

fn instructions(programs: &Programs, words: &[&str], library: &str, case: &str) -> Measured {
    let run = |bursts: u64| {
        let agent = programs.agent(false)?;
        let bursts = bursts.to_string();
        let options = ["--bursts", &bursts, "--agent", &agent.address];
        programs.count(&[words, &["count", library, case], &options].concat())
    };
    let (few, answer) = run(FEW)?;
    if answer.is_null() {
        return Ok(None);
    }
    let (many, answer_many) = run(MANY)?;
    let iterations = |answer: &Value| answer.get("iterations").and_then(Value::as_u64);
    let (Some(from), Some(to)) = (iterations(&answer), iterations(&answer_many)) else {
        return Err(format!("{library} {case}: no number of iterations"));
    };
    if few.hot == 0 {
        return Err(format!("{library} {case}: no measured function"));
    }
    let per = |few: u64, many: u64| rounded((many as f64 - few as f64) / (to - from) as f64, 10.0);
    Ok(Some(Figures {
        library: library.to_owned(),
        scenario: case.to_owned(),
        hot_instructions: per(few.hot, many.hot),
        background_instructions: per(few.background, many.background),
        json_instructions: per(few.json, many.json),
        ..Figures::default()
    }))
}

/// The JSON of one request by `serde_json`: instructions and bytes.
pub(crate) fn documents(programs: &Programs) -> Result<(f64, f64), String> {
    let run = |bursts: u64| programs.count(&["documents", "--bursts", &bursts.to_string()]);
    let (few, answer) = run(FEW)?;
    let (many, _) = run(MANY)?;
    let bytes = answer.get("bytes").and_then(Value::as_f64);
    let each = (many.hot - few.hot) as f64 / ((MANY - FEW) * 250) as f64;
    Ok((each, bytes.unwrap_or_default()))
}

/// Fills in the wall times.
pub(crate) fn measure_wall(programs: &Programs, all: &mut [Figures]) -> Result<(), String> {
    let mut rounds: Vec<Vec<f64>> = vec![Vec::new(); all.len()];
    for _ in 0..WALL_ROUNDS {
        for (figures, times) in all.iter().zip(&mut rounds) {
            let agent = programs.agent(false)?;
            let (library, scenario) = (figures.library.as_str(), figures.scenario.as_str());
            let words = [
                "wall",
                library,
                scenario,
                "--bursts",
                WALL_BURSTS,
                "--agent",
            ];
            let answer = programs.run(&[&words[..], &[&agent.address]].concat())?;
            times.extend(answer.as_f64());
        }
    }
    for (figures, times) in all.iter_mut().zip(rounds) {
        figures.wall_ns = (!times.is_empty()).then(|| rounded(median(times), 10.0));
    }
    Ok(())
}

/// A median and its ratio to fastrace's.
pub(crate) fn wall_cell(figures: &Figures, all: &[Figures]) -> String {
    let Some(own) = figures.wall_ns else {
        return String::new();
    };
    let fastrace = all
        .iter()
        .find(|other| other.library == "fastrace" && other.scenario == figures.scenario)
        .and_then(|other| other.wall_ns);
    match fastrace {
        Some(fastrace) => format!("{own:.0} ({:.2})", own / fastrace),
        None => format!("{own:.0}"),
    }
}

fn rounded(figure: f64, parts: f64) -> f64 {
    (figure * parts).round() / parts
}

/// Of several measurements; not a number where there are none.
pub(super) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
