//! The figures of one library in one scenario, and how they are measured.

use serde_json::{Map, Value, json};

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

/// All figures; per iteration of the scenario.
#[derive(Clone, Debug, Default)]
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

/// Instructions and allocations; `None` where the library has no such scenario.
pub(crate) fn measure(
    programs: &Programs,
    library: &str,
    scenario: &str,
) -> Result<Option<Figures>, String> {
    measure_by(&[], programs, library, scenario)
}

/// One call of a client; the scenario is its name.
pub(crate) fn measure_calls(
    programs: &Programs,
    library: &str,
    client: &str,
) -> Result<Figures, String> {
    measure_by(&["calls"], programs, library, client)?
        .ok_or_else(|| format!("no figures of {client} with {library}"))
}

/// `words` of the command line say what kind of scenario it is.
fn measure_by(
    words: &[&str],
    programs: &Programs,
    library: &str,
    scenario: &str,
) -> Result<Option<Figures>, String> {
    let Some(mut figures) = instructions(words, programs, library, scenario)? else {
        return Ok(None);
    };
    let agent = programs.agent(false)?;
    let options = ["--bursts", BURSTS, "--agent", &agent.address];
    let what = ["allocations", library, scenario];
    let answer = programs.run_counting(&[words, &what, &options].concat())?;
    let at = |at: usize| answer.get(at).and_then(Value::as_f64).unwrap_or_default();
    figures.hot_allocations = at(0);
    figures.hot_bytes = at(1);
    figures.background_allocations = at(2);
    figures.background_bytes = at(3);
    Ok(Some(figures))
}

fn instructions(
    words: &[&str],
    programs: &Programs,
    library: &str,
    scenario: &str,
) -> Result<Option<Figures>, String> {
    let run = |bursts: u64| {
        let agent = programs.agent(false)?;
        let bursts = bursts.to_string();
        let options = ["--bursts", &bursts, "--agent", &agent.address];
        programs.count(&[words, &["count", library, scenario], &options].concat())
    };
    let (few, answer) = run(FEW)?;
    if answer.is_null() {
        return Ok(None);
    }
    let (many, answer_many) = run(MANY)?;
    let iterations = |answer: &Value| answer.get("iterations").and_then(Value::as_u64);
    let (Some(from), Some(to)) = (iterations(&answer), iterations(&answer_many)) else {
        return Err(format!("{library} {scenario}: no number of iterations"));
    };
    if few.hot == 0 {
        return Err(format!(
            "{library} {scenario}: the measured function was not found"
        ));
    }
    let per = |few: u64, many: u64| (many as f64 - few as f64) / (to - from) as f64;
    Ok(Some(Figures {
        library: library.to_owned(),
        scenario: scenario.to_owned(),
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
    Ok((
        (many.hot - few.hot) as f64 / ((MANY - FEW) * 250) as f64,
        bytes.unwrap_or_default(),
    ))
}

impl Figures {
    /// For `bench.json` and the baseline.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "library": self.library,
            "scenario": self.scenario,
            "hot_instructions": rounded(self.hot_instructions),
            "background_instructions": rounded(self.background_instructions),
            "json_instructions": rounded(self.json_instructions),
            "hot_allocations": thousandths(self.hot_allocations),
            "hot_bytes": rounded(self.hot_bytes),
            "background_allocations": thousandths(self.background_allocations),
            "background_bytes": rounded(self.background_bytes),
            "wall_ns": self.wall_ns.map(rounded),
        })
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    pub(crate) fn from_json(value: &Map<String, Value>) -> Self {
        let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = |key| value.get(key).and_then(Value::as_f64);
        Self {
            library: text("library").to_owned(),
            scenario: text("scenario").to_owned(),
            hot_instructions: number("hot_instructions").unwrap_or_default(),
            background_instructions: number("background_instructions").unwrap_or_default(),
            json_instructions: number("json_instructions").unwrap_or_default(),
            hot_allocations: number("hot_allocations").unwrap_or_default(),
            hot_bytes: number("hot_bytes").unwrap_or_default(),
            background_allocations: number("background_allocations").unwrap_or_default(),
            background_bytes: number("background_bytes").unwrap_or_default(),
            wall_ns: number("wall_ns"),
        }
    }
}

fn rounded(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}

fn thousandths(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}
