use std::fmt;
use std::time::Duration;

use instana::span::sql::Target;
use sqlx::{ConnectOptions, Connection};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::backend::Backend;
use crate::record::ROWS;

/// The target of sqlx's events.
const TARGET: &str = "sqlx::query";

/// A layer of `tracing-subscriber` that makes exits from the events in which sqlx reports
/// each statement, for applications that cannot change the type of their pools.
///
/// sqlx reports a statement when it has finished, and on the application's thread for
/// PostgreSQL and MySQL only. The events are of the level `DEBUG`, and of `WARN` for slow
/// statements (`log_statements` and `log_slow_statements` of the connect options set them).
/// They have the statement, its time and its rows, and neither an error nor the server: the
/// layer records the server it was made for, whichever pool it was. `BEGIN` is missing for
/// PostgreSQL; so are rollbacks of dropped transactions, and the time that a pool took.
///
/// Statements of a wrapped [`Pool`](crate::Pool) are recorded once.
///
/// ```
/// use instana_sqlx::InstanaLayer;
/// use tracing_subscriber::filter::{LevelFilter, Targets};
/// use tracing_subscriber::prelude::*;
///
/// # fn f() -> Result<(), sqlx::Error> {
/// let options: sqlx::postgres::PgConnectOptions = "postgres://shop@db/orders".parse()?;
/// let statements = Targets::new().with_target("sqlx::query", LevelFilter::DEBUG);
/// let layer = InstanaLayer::new(&options).with_filter(statements);
/// tracing_subscriber::registry().with(layer).init();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct InstanaLayer {
    target: Target,
}

impl InstanaLayer {
    /// The layer, for statements to the server of these options.
    pub fn new<DB, C, O>(options: &O) -> Self
    where
        DB: Backend<Connection = C>,
        C: Connection<Database = DB, Options = O>,
        O: ConnectOptions<Connection = C>,
    {
        Self {
            target: DB::target(&DB::place(options).address()),
        }
    }
}

impl<S: Subscriber> Layer<S> for InstanaLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == TARGET {
            self.record(event);
        }
    }
}

impl InstanaLayer {
    fn record(&self, event: &Event<'_>) {
        let mut span = self.target.exit_with(|| {
            let mut text = Text::default();
            event.record(&mut text);
            text.statement()
        });
        if span.is_recording() {
            let mut told = Told::default();
            event.record(&mut told);
            span.backdate(told.elapsed);
            span.tag(ROWS, told.rows());
        }
    }
}

/// The statement: a short one is its own summary.
#[derive(Default)]
struct Text {
    summary: String,
    statement: String,
}

impl Text {
    fn statement(self) -> String {
        let statement = self.statement.trim();
        if statement.is_empty() {
            self.summary
        } else {
            statement.to_owned()
        }
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.to_owned(),
            "db.statement" => self.statement = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// What it cost.
#[derive(Default)]
struct Told {
    elapsed: Duration,
    affected: u64,
    returned: u64,
}

impl Told {
    fn rows(&self) -> u64 {
        match self.returned {
            0 => self.affected,
            returned => returned,
        }
    }
}

impl Visit for Told {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.elapsed = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "rows_affected" => self.affected = value,
            "rows_returned" => self.returned = value,
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
