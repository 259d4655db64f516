//! What tracing adds to one call of a database or messaging client.

use super::baseline::Tools;
use super::figures::{self, Figures};
use super::program::Programs;
use super::table::{Report, Table, thousands};
use super::{Options, count};
use crate::programs::{self, VALGRIND};

/// Call, library, and the feature of `benchmarks` that has both. What is added is the difference
/// to the same client by itself.
const CALLS: [(&str, &str, &str); 4] = [
    ("sqlx-select", "instana", "sqlx"),
    ("sqlx-0.8-select", "sqlx-tracing", "sqlx-tracing"),
    ("redis-get", "instana", "redis"),
    ("kafka-send", "instana", "kafka"),
];

/// Where the clients' own threads answer early or late, a call takes a poll more
/// or less: the median of so many measurements is shown, and their spread.
const ROUNDS: usize = 3;

/// Builds the clients, measures them and shows the table; of all, or of the call
/// that is asked for.
pub(super) fn measure(options: &Options) -> Result<String, String> {
    programs::ensure(&VALGRIND)?;
    let only = options.only.as_deref();
    let is_meant = |call: &str, library: &str| match only {
        Some(only) => only == call,
        None => !options.ours || library == "instana",
    };
    let calls: Vec<_> = CALLS
        .into_iter()
        .filter(|(call, library, _)| is_meant(call, library))
        .collect();
    if calls.is_empty() {
        return Err(format!("{} is no call", only.unwrap_or("nothing")));
    }
    let features: Vec<&str> = calls.iter().map(|(_, _, feature)| *feature).collect();
    let programs = Programs::build(&features)?;
    let mut table = Table::new(
        "call|library|instructions without|instructions added|\
         spread|allocations (bytes) without|allocations (bytes) added|background instructions added",
    );
    for (call, library, _) in &calls {
        println!("counting: {call}, {library}");
        let without = Rounds::measure(&programs, "none", call)?;
        let with = Rounds::measure(&programs, library, call)?;
        table.row(row(call, library, &without, &with));
    }
    let mut report = Report::default();
    report.say(&Tools::describe());
    report.table("Clients: what one call adds", &table);
    // The page shows all.
    if options.docs && calls.len() == CALLS.len() {
        report.write("clients")?;
    }
    Ok(format!("{} calls", calls.len()))
}

fn row(call: &str, library: &str, without: &Rounds, with: &Rounds) -> Vec<String> {
    let before = |figure: fn(&Figures) -> f64| without.median(figure);
    let added = |figure: fn(&Figures) -> f64| with.median(figure) - without.median(figure);
    let spread = (without.spread() + with.spread()) / 2.0;
    let cell = |number, bytes| format!("{} ({})", count(number), thousands(bytes));
    vec![
        call.to_owned(),
        library.to_owned(),
        thousands(before(|f| f.hot_instructions)),
        thousands(added(|f| f.hot_instructions)),
        format!("± {}", thousands(spread)),
        cell(before(|f| f.hot_allocations), before(|f| f.hot_bytes)),
        cell(added(|f| f.hot_allocations), added(|f| f.hot_bytes)),
        thousands(added(|f| f.background_instructions)),
    ]
}

/// The same, measured several times.
#[derive(Debug)]
struct Rounds(Vec<Figures>);

impl Rounds {
    fn measure(programs: &Programs, library: &str, call: &str) -> Result<Self, String> {
        let missing = || format!("no figures of {call} with {library}");
        let measure =
            |_| figures::measure(programs, &["calls"], library, call)?.ok_or_else(missing);
        (0..ROUNDS).map(measure).collect::<Result<_, _>>().map(Self)
    }

    fn median(&self, figure: impl Fn(&Figures) -> f64) -> f64 {
        figures::median(self.0.iter().map(figure))
    }

    /// Of the instructions on the calling thread.
    fn spread(&self) -> f64 {
        let figures = || self.0.iter().map(|figures| figures.hot_instructions);
        let most = figures().fold(f64::MIN, f64::max);
        let least = figures().fold(f64::MAX, f64::min);
        most - least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_the_difference_of_medians() {
        let rounds = |hot: [f64; 3], allocations: f64| {
            let figures = hot.map(|hot_instructions| Figures {
                hot_instructions,
                hot_allocations: allocations,
                ..Figures::default()
            });
            Rounds(figures.to_vec())
        };
        let (without, with) = (
            rounds([1_000.0, 900.0, 1_010.0], 3.0),
            rounds([1_500.0, 1_510.0, 9_000.0], 4.0),
        );
        let row = row("redis-get", "instana", &without, &with);
        assert_eq!(row[2..6], ["1,000", "510", "± 3,805", "3 (0)"]);
        assert_eq!(row[6], "1 (0)");
    }
}
