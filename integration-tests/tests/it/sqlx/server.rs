// The tests of a server, for each of them: included where its names and SQL are.

use futures_util::{StreamExt, TryStreamExt};
use instana::span::Kind;
use sqlx::{AssertSqlSafe, Executor, QueryBuilder, SqlSafeStr, Statement};

fn options() -> ConnectOptions {
    variable(VARIABLE).parse().unwrap()
}

fn pool_options(connections: u32) -> PoolOptions {
    PoolOptions::new().max_connections(connections).acquire_timeout(LONG)
}

/// A pool. With one connection its temporary table stays.
async fn pool(connections: u32) -> Pool {
    let pool = pool_options(connections).connect_with(options()).await.unwrap();
    pool.into()
}

fn stmt(span: &RecordedSpan) -> String {
    assert_eq!((span.name().as_str(), span.kind()), (NAME, Kind::Exit));
    span.text(&format!("{SECTION}.stmt")).unwrap_or_default()
}

/// Statements and rows.
#[track_caller]
fn outline(recorder: &Recorder) -> Vec<(String, Option<i64>)> {
    let exits = exits(recorder);
    exits.iter().map(|exit| (stmt(exit), tag(exit, "rows"))).collect()
}

#[tokio::test]
async fn a_statement_says_where_it_went() {
    let pool = pool(1).await;
    let (recorder, row) = record(sqlx::query("SELECT 1").fetch_one(&pool)).await;
    row.unwrap();
    let exit = exit(&recorder);
    let options = options();
    for (field, expected) in [
        ("stmt", "SELECT 1"),
        ("host", options.get_host()),
        ("port", &options.get_port().to_string()),
        ("user", options.get_username()),
        ("db", options.get_database().unwrap()),
    ] {
        assert_eq!(exit.text(&format!("{SECTION}.{field}")).unwrap(), expected);
    }
    assert_eq!((exit.errors(), tag(&exit, "rows")), (0, Some(1)));
    assert!(tag(&exit, "pool_wait_ms").is_some());
}

async fn in_transaction(tx: &mut Transaction<'_>) -> i64 {
    by_connection(tx).await
}

async fn by_connection(connection: &mut Connection) -> i64 {
    let query = sqlx::query(INSERT).bind("oil");
    query.execute(&mut *connection).await.unwrap();
    generic(connection).await
}

async fn generic<'c>(executor: impl Executor<'c, Database = Database>) -> i64 {
    let query = sqlx::query_scalar("SELECT count(*) FROM item");
    query.fetch_one(executor).await.unwrap()
}

#[tokio::test]
async fn all_call_forms_are_statements() {
    let pool = pool(1).await;
    let work = async {
        pool.execute(TABLE).await.unwrap();
        for name in ["tea", "milk"] {
            let insert = sqlx::query(INSERT).bind(name);
            assert_eq!(insert.execute(&pool).await.unwrap().rows_affected(), 1);
        }
        let all = sqlx::query("SELECT * FROM item").fetch_all(&pool).await.unwrap();
        let id: i32 = sqlx::query_scalar(BY_NAME).bind("milk").fetch_one(&pool).await.unwrap();
        let none: Option<(i32,)> =
            sqlx::query_as(BY_NAME).bind("salt").fetch_optional(&pool).await.unwrap();
        assert_eq!((all.len(), id, none), (2, 2, None));
        let mut built = QueryBuilder::<Database>::new("SELECT * FROM item WHERE id IN (");
        built.separated(", ").push_bind(1).push_bind(2);
        let built = built.push(")").build().fetch_all(&pool).await.unwrap();
        assert_eq!(built.len(), 2);
        let raw = sqlx::raw_sql("SELECT 1; SELECT 2").fetch_all(&pool).await.unwrap();
        assert_eq!(raw.len(), 2);
        let mut connection = pool.acquire().await.unwrap();
        let prepared = connection.prepare(BY_NAME.into_sql_str()).await.unwrap();
        let row = prepared.query().bind("tea").fetch_one(&mut *connection).await.unwrap();
        assert_eq!(row.get::<i32, _>(0), 1);
        connection.ping().await.unwrap();
        let mut tx = connection.begin().await.unwrap();
        assert_eq!(in_transaction(&mut tx).await, 3);
        let mut inner = tx.begin().await.unwrap();
        inner.execute("DELETE FROM item").await.unwrap();
        inner.rollback().await.unwrap();
        assert_eq!(generic(&mut *tx).await, 3);
        drop(tx);
        assert_eq!(generic(&mut *connection).await, 2, "it was rolled back");
    };
    let (recorder, ()) = record(work).await;
    let placeholders = if NAME == "postgres" { "$1, $2" } else { "?, ?" };
    let built = format!("SELECT * FROM item WHERE id IN ({placeholders})");
    let count = ("SELECT count(*) FROM item", Some(1));
    // A statement with the word "key" shows no literal, numbers included.
    let table = TABLE.replace("60", "<redacted>");
    let expected = [
        (&*table, Some(0)),
        (INSERT, Some(1)),
        (INSERT, Some(1)),
        ("SELECT * FROM item", Some(2)),
        (BY_NAME, Some(1)),
        (BY_NAME, Some(0)),
        (&built, Some(2)),
        ("SELECT 1; SELECT 2", Some(2)),
        (BY_NAME, Some(1)),
        ("BEGIN", None),
        (INSERT, Some(1)),
        count,
        ("SAVEPOINT _sqlx_savepoint_1", None),
        ("DELETE FROM item", Some(3)),
        ("ROLLBACK TO SAVEPOINT _sqlx_savepoint_1", None),
        count,
        ("ROLLBACK", None),
        count,
    ];
    assert_eq!(outline(&recorder), expected.map(|(stmt, rows)| (stmt.to_owned(), rows)));
    assert!(exits(&recorder).iter().all(|exit| exit.errors() == 0));
}

#[tokio::test]
async fn ten_thousand_rows_are_one_statement() {
    let pool = pool(1).await;
    let work = async {
        let rows = sqlx::query_scalar::<_, i64>(SERIES).fetch(&pool);
        let sum = rows.try_fold(0, |sum, row| async move { Ok(sum + row) });
        let sum = sum.await.unwrap();
        let some = sqlx::query_scalar::<_, i64>(SERIES).fetch(&pool).take(3);
        (sum, some.count().await)
    };
    let (recorder, sums) = record(work).await;
    assert_eq!(sums, (50_005_000, 3));
    let expected = [(SERIES.to_owned(), Some(10_000)), (SERIES.to_owned(), Some(3))];
    assert_eq!(outline(&recorder), expected);
    for exit in exits(&recorder) {
        assert!(tag(&exit, "first_row_ms").is_some() && exit.errors() == 0);
    }
}

#[tokio::test]
async fn a_megabyte_of_statement_and_bytes_of_no_text_arrive() {
    let pool = pool(1).await;
    let long = format!("SELECT '{}'", "漢".repeat(350_000));
    // Nobody has looked whether a secret word stands behind the cut.
    let shown = "SELECT '<redacted>".to_owned();
    let work = async {
        let query = sqlx::query_scalar::<_, String>(AssertSqlSafe(long));
        assert_eq!(query.fetch_one(&pool).await.unwrap().chars().count(), 350_000);
        let bytes: &[u8] = &[0xff, 0, 0xfe, b'\'', 0x80];
        let echoed: Vec<u8> = sqlx::query_scalar(BYTES).bind(bytes).fetch_one(&pool).await.unwrap();
        assert_eq!(echoed, bytes);
    };
    let (recorder, ()) = record(work).await;
    assert_eq!(outline(&recorder), [(shown, Some(1)), (BYTES.to_owned(), Some(1))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_exit_of_64_tasks_has_a_foreign_parent() {
    let (pool, recorder) = (pool(8).await, Recorder::new());
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let pool = pool.clone();
            let work = async move {
                let sql = |text: &str| AssertSqlSafe(format!("{text} AS n{number}"));
                sqlx::query(sql("SELECT 1")).execute(&pool).await.unwrap();
                let mut tx = pool.begin().await.unwrap();
                sqlx::query(sql("SELECT 2")).fetch_all(&mut *tx).await.unwrap();
                let mut inner = tx.begin().await.unwrap();
                sqlx::query(sql("SELECT 3")).fetch_one(&mut *inner).await.unwrap();
                inner.commit().await.unwrap();
                tx.commit().await.unwrap();
            };
            tokio::spawn(recorder.scope(async move {
                work.in_span(instana::entry_span(&format!("job {number}"))).await;
            }))
        })
        .collect();
    for task in tasks {
        tokio::time::timeout(LONG, task).await.unwrap().unwrap();
    }
    let ours = ["BEGIN", "SAVEPOINT", "RELEASE", "COMMIT"];
    for number in 0..64 {
        let entry = recorder.labelled(&format!("job {number}"));
        let exits = recorder.children(&entry);
        assert_eq!(exits.len(), 7, "{number}");
        for exit in exits {
            let stmt = stmt(&exit);
            let is_own = stmt.ends_with(&format!(" AS n{number}"));
            assert!(is_own || ours.iter().any(|word| stmt.starts_with(word)), "{stmt}");
            assert_eq!((exit.errors(), exit.trace()), (0, entry.trace()));
        }
    }
}

/// The only exit is that of a statement that hung, until its server was gone.
#[track_caller]
fn is_broken_off(recorder: &Recorder) {
    let exits = exits(recorder);
    let hung: Vec<_> = exits.iter().filter(|exit| stmt(exit) == HANG).collect();
    assert_eq!(hung.len(), 1);
    assert_eq!(hung[0].errors(), 1);
    assert!(!hung[0].error_text().unwrap().is_empty());
    assert!(hung[0].duration() < 10_000, "{}", hung[0].duration());
}

#[tokio::test]
async fn a_reset_in_the_middle_is_an_error() {
    let server = format!("{}:{}", options().get_host(), options().get_port());
    let proxy = Proxy::start(server, HANG.as_bytes()).await;
    let pool = pool_options(1).connect_with(options().port(proxy.port())).await.unwrap();
    let pool = Pool::from(pool);
    let hung = sqlx::query(HANG).execute(&pool);
    let (recorder, (result, ())) = record(async { tokio::join!(hung, proxy.cut()) }).await;
    assert!(result.is_err());
    is_broken_off(&recorder);
    // The pool finds a new connection.
    assert!(sqlx::query("SELECT 1").execute(&pool).await.is_ok());
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_an_error() {
    let (pool, other) = (pool(1).await, pool(1).await);
    let work = async {
        let mut tx = pool.begin().await.unwrap();
        let me: i64 = sqlx::query_scalar(ME).fetch_one(&mut *tx).await.unwrap();
        let kill = async {
            let other = other.inner();
            let busy = || sqlx::query_scalar::<_, i64>(BUSY).bind(me).fetch_one(other);
            while busy().await.unwrap() == 0 {}
            sqlx::query(KILL).bind(me).execute(other).await.unwrap();
        };
        let (result, ()) = tokio::join!(sqlx::query(HANG).execute(&mut *tx), kill);
        assert!(result.is_err());
        assert!(tx.commit().await.is_err());
    };
    let (recorder, ()) = record(work).await;
    is_broken_off(&recorder);
    let exits = exits(&recorder);
    let commit = exits.iter().find(|exit| stmt(exit) == "COMMIT").unwrap();
    assert_eq!(commit.errors(), 1);
}

#[tokio::test]
async fn who_is_not_let_in_is_told_and_no_password_is() {
    let options = options().password("hidden-1");
    let work = async {
        assert!(Pool::connect_with(options.clone()).await.is_err());
        assert!(Connection::connect_with(&options).await.is_err());
        let lazy = Pool::from(pool_options(1).connect_lazy_with(options.clone()));
        assert!(sqlx::query("SELECT 1").execute(&lazy).await.is_err());
        assert!(lazy.begin().await.is_err());
        assert!(lazy.acquire().await.is_err());
    };
    let (recorder, ()) = record(work).await;
    let exits = exits(&recorder);
    let statements: Vec<_> = exits.iter().map(stmt).collect();
    assert_eq!(statements, ["", "", "SELECT 1", "BEGIN", ""]);
    for exit in exits {
        assert_eq!(exit.errors(), 1);
        assert!(exit.error_text().unwrap().contains(options.get_username()));
        assert!(!exit.json().contains("hidden"));
    }
}

#[tokio::test]
async fn nobody_at_the_port_is_an_error() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let options = options().port(port);
    let moment = pool_options(1).acquire_timeout(Duration::from_millis(100));
    let lazy = Pool::from(moment.connect_lazy_with(options.clone()));
    let work = async {
        assert!(sqlx::query("SELECT 1").execute(&lazy).await.is_err());
        assert!(Connection::connect_with(&options).await.is_err());
    };
    let (recorder, ()) = record(work).await;
    let errors: Vec<_> = exits(&recorder).iter().map(|exit| exit.error_text().unwrap()).collect();
    assert!(errors[0].contains("timed out") && errors[1].contains("refused"), "{errors:?}");
}

/// What the spans tell of an error in which the server quotes a value, that the application
/// sees.
async fn told_of<T: std::fmt::Debug>(work: impl Future<Output = sqlx::Result<T>>) -> String {
    let (recorder, result) = record(work).await;
    let error = result.unwrap_err().to_string();
    assert!(error.contains("hunter2"), "{error}");
    let told = exit(&recorder).error_text().unwrap();
    told.trim_start_matches("error returned from database: ").to_owned()
}

#[tokio::test]
async fn a_statement_that_is_given_up_is_an_error() {
    let pool = pool(1).await;
    let hung = tokio::time::timeout(Duration::from_millis(50), sqlx::query(HANG).execute(&pool));
    let (recorder, result) = record(hung).await;
    assert!(result.is_err());
    let error = exit(&recorder).error_text().unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
}

#[tokio::test]
async fn a_layer_makes_exits_of_what_sqlx_says_itself() {
    use tracing_subscriber::layer::SubscriberExt;

    // With one subscriber alone, tracing may settle what is of interest by asking a thread
    // that has none.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    let plain = pool_options(1).connect_with(options()).await.unwrap();
    let wrapped = Pool::from(plain.clone());
    let layer = instana_sqlx::InstanaLayer::new(&options());
    let subscriber = tracing_subscriber::registry().with(layer);
    let work = async {
        let _default = tracing::subscriber::set_default(subscriber);
        sqlx::query(SERIES).fetch_all(&plain).await.unwrap();
        sqlx::query("SELECT 1").fetch_one(&plain).await.unwrap();
        sqlx::query("SELECT 2").fetch_one(&wrapped).await.unwrap();
        let mut tx = wrapped.begin().await.unwrap();
        sqlx::query("SELECT 3").fetch_all(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    let (recorder, ()) = record(work).await;
    let expected = [
        (SERIES, Some(10_000)),
        ("SELECT 1", Some(1)),
        ("SELECT 2", Some(1)),
        ("BEGIN", None),
        ("SELECT 3", Some(1)),
        ("COMMIT", None),
    ];
    assert_eq!(outline(&recorder), expected.map(|(stmt, rows)| (stmt.to_owned(), rows)));
    let host = exits(&recorder)[0].text(&format!("{SECTION}.host"));
    assert_eq!(host.as_deref(), Some(options().get_host()));
}
