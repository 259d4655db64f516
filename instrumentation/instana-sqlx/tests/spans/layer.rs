//! Exits of sqlx's own events.

use std::time::Duration;

use instana::span::Kind;
use instana::testing::Recorder;
use instana_sqlx::InstanaLayer;
use tracing_subscriber::prelude::*;

fn layer() -> InstanaLayer {
    // With one subscriber alone, tracing may settle what is of interest by asking a thread
    // that has none.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    let options: sqlx::postgres::PgConnectOptions = "postgres://u:secret@db/shop".parse().unwrap();
    InstanaLayer::new(&options)
}

/// What sqlx says of a statement.
fn say(summary: &str, statement: &str, rows: (u64, u64), elapsed: Duration) {
    tracing::event!(
        target: "sqlx::query",
        tracing::Level::DEBUG,
        summary,
        db.statement = statement,
        rows_affected = rows.0,
        rows_returned = rows.1,
        ?elapsed,
        elapsed_secs = elapsed.as_secs_f64(),
    );
}

async fn told(work: impl FnOnce()) -> Recorder {
    let subscriber = tracing_subscriber::registry().with(layer());
    let recorder = Recorder::new();
    let work = async { tracing::subscriber::with_default(subscriber, work) };
    recorder.in_entry(work).await;
    recorder
}

#[tokio::test]
async fn an_event_is_an_exit_that_began_before() {
    let long = "\n\nSELECT a, b, c FROM item WHERE id = $1\n";
    let elapsed = Duration::from_millis(1_500);
    let recorder = told(|| say("SELECT a, b, c …", long, (0, 3), elapsed)).await;
    let exit = recorder.span("postgres", Kind::Exit);
    for (field, expected) in [
        ("stmt", "SELECT a, b, c FROM item WHERE id = $1"),
        ("host", "db"),
        ("port", "5432"),
        ("user", "u"),
        ("db", "shop"),
    ] {
        assert_eq!(exit.text(&format!("data.pg.{field}")).unwrap(), expected);
    }
    assert_eq!(exit.integer("data.sdk.custom.tags.rows"), Some(3));
    assert!(
        (1_499..1_600).contains(&exit.duration()),
        "{}",
        exit.duration()
    );

    let recorder = told(|| say("COMMIT", "", (2, 0), Duration::ZERO)).await;
    let exit = recorder.span("postgres", Kind::Exit);
    assert_eq!(exit.text("data.pg.stmt").unwrap(), "COMMIT");
    assert_eq!(exit.integer("data.sdk.custom.tags.rows"), Some(2));
}

#[tokio::test]
async fn other_events_and_those_inside_an_exit_are_left_out() {
    let work = || {
        tracing::debug!(summary = "SELECT 1", "not of sqlx");
        instana::exit_span("wrapped").enter(|| say("SELECT 1", "", (0, 1), Duration::ZERO));
    };
    told(work).await.assert_tree("entry job\n  exit wrapped");
    let recorder = Recorder::new();
    let subscriber = tracing_subscriber::registry().with(layer());
    recorder.enter(|| {
        tracing::subscriber::with_default(subscriber, || {
            say("SELECT 1", "", (0, 1), Duration::ZERO);
        });
    });
    recorder.assert_empty();
}
