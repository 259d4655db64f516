//! What is recorded of a statement.

use futures_util::TryStreamExt;
use instana::span::Kind;
use instana::testing::Recorder;
use instana_sqlx::{Pool, StatementMode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, QueryBuilder, Sqlite};

use super::*;

#[tokio::test]
async fn a_statement_is_a_generic_sql_span() {
    let pool = pool().await;
    let query = sqlx::query_scalar("SELECT name FROM item WHERE id = ?").bind(2);
    let recorder = Recorder::new();
    let name = recorder.in_entry(query.fetch_one(&pool)).await;
    let name: String = name.unwrap();
    assert_eq!(name, "milk");
    let exit = exit(&recorder);
    assert_eq!(
        (exit.name().as_str(), exit.kind(), exit.errors()),
        ("sdk", Kind::Exit, 0)
    );
    let mut json: Value = serde_json::from_str(&exit.json()).unwrap();
    let tags = json["data"]["sdk"]["custom"]["tags"]
        .as_object_mut()
        .unwrap();
    assert!(tags.remove("pool_wait_ms").unwrap().as_u64().unwrap() < 30_000);
    assert_eq!(
        json["data"],
        json!({"sdk": {"name": "sdk.database", "type": "exit", "custom": {"tags": {
            "db.instance": ":memory:", "db.type": "sql",
            "db.statement": "SELECT name FROM item WHERE id = ?", "rows": 1,
        }}}})
    );
}

#[tokio::test]
async fn rows_are_those_fetched_or_changed() {
    let pool = pool().await;
    let rows = |recorder: &Recorder| exit(recorder).integer("data.sdk.custom.tags.rows");
    let recorder = Recorder::new();
    let all = recorder
        .in_entry(sqlx::query("SELECT * FROM item").fetch_all(&pool))
        .await;
    assert_eq!((all.unwrap().len(), rows(&recorder)), (3, Some(3)));
    assert!(
        exit(&recorder)
            .integer("data.sdk.custom.tags.first_row_ms")
            .is_some()
    );

    let update = sqlx::query("UPDATE item SET name = name || '!' WHERE id < 3");
    let recorder = Recorder::new();
    let changed = recorder.in_entry(update.execute(&pool)).await;
    assert_eq!(
        (changed.unwrap().rows_affected(), rows(&recorder)),
        (2, Some(2))
    );
    assert!(
        exit(&recorder)
            .integer("data.sdk.custom.tags.first_row_ms")
            .is_none()
    );

    // SQLite itself still tells of the two.
    let none = sqlx::query("SELECT * FROM item WHERE id = 9");
    let recorder = Recorder::new();
    let none = recorder.in_entry(none.fetch_all(&pool)).await;
    assert_eq!((none.unwrap().len(), rows(&recorder)), (0, Some(0)));

    let with = sqlx::query("WITH n AS (SELECT 'w') INSERT INTO item (name) SELECT * FROM n");
    let recorder = Recorder::new();
    let changed = recorder.in_entry(with.execute(&pool)).await;
    assert_eq!(
        (changed.unwrap().rows_affected(), rows(&recorder)),
        (1, Some(1))
    );

    let returning = sqlx::query("INSERT INTO item (name) VALUES ('x'), ('y') RETURNING id");
    let recorder = Recorder::new();
    let ids = recorder.in_entry(returning.fetch_all(&pool)).await;
    assert_eq!((ids.unwrap().len(), rows(&recorder)), (2, Some(2)));

    let several = sqlx::raw_sql("SELECT * FROM item; SELECT 1; SELECT 2");
    let recorder = Recorder::new();
    let all = recorder
        .in_entry(async { several.fetch_all(&pool).await })
        .await;
    assert_eq!((all.unwrap().len(), rows(&recorder)), (8, Some(8)));

    let nothing = sqlx::query("SELECT * FROM item WHERE id = 9");
    let recorder = Recorder::new();
    let nothing = recorder.in_entry(nothing.fetch_optional(&pool)).await;
    assert!(nothing.unwrap().is_none());
    assert_eq!(rows(&recorder), Some(0));
}

#[tokio::test]
async fn values_are_never_recorded() {
    let pool = pool().await;
    let work = async {
        let insert = sqlx::query("INSERT INTO item (name) VALUES (?)");
        insert.bind("hunter2").execute(&pool).await.unwrap();
        let mut built = QueryBuilder::<Sqlite>::new("SELECT id FROM item WHERE name IN (");
        built
            .separated(", ")
            .push_bind("hunter2")
            .push_bind("hunter3");
        built.push(")").build().fetch_all(&pool).await.unwrap();
        let blob = sqlx::query("SELECT ?").bind(&[0xff_u8, 0, 0xfe][..]);
        blob.fetch_one(&pool).await.unwrap();
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let expected = [
        "INSERT INTO item (name) VALUES (?)",
        "SELECT id FROM item WHERE name IN (?, ?)",
        "SELECT ?",
    ];
    assert_eq!(outline(&recorder), expected);
    let spans = recorder.spans();
    assert!(spans.iter().all(|span| !span.json().contains("hunter")));
}

#[tokio::test]
async fn failures_are_errors_and_no_row_is_none() {
    let pool = pool().await;
    let recorder = Recorder::new();
    let result = recorder
        .in_entry(sqlx::query("SELEC 1").execute(&pool))
        .await;
    let told = result.unwrap_err().to_string();
    let exit_span = exit(&recorder);
    assert_eq!(exit_span.errors(), 1);
    let error = exit_span.error_text().unwrap();
    assert!(told.contains("near \"SELEC\": syntax error"), "{told}");
    assert!(error.contains("near …: syntax error"), "{error}");
    assert_eq!(exit_span.integer("data.sdk.custom.tags.rows"), None);

    let open = sqlx::query("SELECT 'hunter2").execute(&pool);
    let recorder = Recorder::new();
    let result = recorder.in_entry(open).await;
    assert!(result.unwrap_err().to_string().contains("hunter2"));
    let error = exit(&recorder).error_text().unwrap();
    assert!(error.ends_with("unrecognized token: …"), "{error}");

    let insert = sqlx::query("INSERT INTO item (name) VALUES (?)").bind("tea");
    let recorder = Recorder::new();
    let result = recorder.in_entry(insert.execute(&pool)).await;
    assert!(
        result
            .unwrap_err()
            .as_database_error()
            .unwrap()
            .is_unique_violation()
    );
    assert_eq!(exit(&recorder).errors(), 1);

    let none = sqlx::query("SELECT * FROM item WHERE id = 9");
    let recorder = Recorder::new();
    let result = recorder.in_entry(none.fetch_one(&pool)).await;
    assert!(matches!(result, Err(sqlx::Error::RowNotFound)));
    assert_eq!(exit(&recorder).errors(), 0);

    // A column of another type is the application's mistake, behind the statement.
    let wrong = sqlx::query_scalar::<_, i64>("SELECT name FROM item").fetch_one(&pool);
    let recorder = Recorder::new();
    let result = recorder.in_entry(wrong).await;
    assert!(matches!(result, Err(sqlx::Error::ColumnDecode { .. })));
    assert_eq!(exit(&recorder).errors(), 0);
}

#[tokio::test]
async fn a_long_statement_is_cut_at_a_character() {
    let pool = pool().await;
    let long = format!("SELECT '{}'", "漢".repeat(350_000));
    assert!(long.len() > 1_000_000);
    let query = sqlx::query_scalar(AssertSqlSafe(long));
    let recorder = Recorder::new();
    let text: Result<String, _> = recorder.in_entry(query.fetch_one(&pool)).await;
    assert_eq!(text.unwrap().chars().count(), 350_000);
    // Nobody has looked whether a secret word stands behind the cut.
    assert_eq!(statement(&exit(&recorder)), "SELECT '<redacted>");

    let long = format!("SELECT 1 AS {}", "漢".repeat(4_500));
    let expected = long.replace('1', "<redacted>");
    let expected: String = expected.chars().take(4_000).collect();
    let query = sqlx::query_scalar(AssertSqlSafe(long));
    let recorder = Recorder::new();
    let one: Result<i64, _> = recorder.in_entry(query.fetch_one(&pool)).await;
    assert_eq!(one.unwrap(), 1);
    assert_eq!(statement(&exit(&recorder)), expected);
}

#[tokio::test]
async fn the_application_may_say_what_is_recorded() {
    let inner = pool().await.into_inner();
    for (mode, expected) in [
        (
            StatementMode::Full,
            "SELECT 'a', \"b\", 7 FROM item WHERE id = 1",
        ),
        (
            StatementMode::Masked,
            "SELECT ?, ?, ? FROM item WHERE id = ?",
        ),
        (StatementMode::Off, ""),
    ] {
        let pool = Pool::builder(inner.clone())
            .statement(mode)
            .database("shop")
            .build();
        let query = sqlx::query("SELECT 'a', \"b\", 7 FROM item WHERE id = 1");
        let recorder = Recorder::new();
        let row = recorder.in_entry(query.fetch_one(&pool)).await;
        row.unwrap();
        let exit = exit(&recorder);
        assert_eq!(statement(&exit), expected);
        assert_eq!(
            exit.text("data.sdk.custom.tags.db.instance").unwrap(),
            "shop"
        );
    }
}

#[tokio::test]
async fn the_address_follows_the_options() {
    let pool = pool().await;
    let clone = pool.clone();
    let instance = || async {
        let recorder = Recorder::new();
        let _ = recorder
            .in_entry(sqlx::query("SELECT 1").execute(&clone))
            .await;
        exit(&recorder)
            .text("data.sdk.custom.tags.db.instance")
            .unwrap()
    };
    assert_eq!(instance().await, ":memory:");
    pool.set_connect_options("sqlite:other.db".parse().unwrap());
    assert_eq!(instance().await, "other.db");
    pool.set_connect_options("sqlite::memory:".parse().unwrap());
    assert_eq!(instance().await, ":memory:");
}

#[tokio::test]
async fn prepared_statements_are_recorded_when_they_are_executed() {
    let pool = pool().await;
    let work = async {
        let sql = "SELECT name FROM item WHERE id = ?";
        let prepared = (&pool)
            .prepare(sqlx::SqlSafeStr::into_sql_str(sql))
            .await
            .unwrap();
        for id in [1, 2] {
            use sqlx::Statement;
            let query = prepared.query_scalar::<String>().bind(id);
            query.fetch_one(&pool).await.unwrap();
        }
        let sql = sqlx::SqlSafeStr::into_sql_str("SELEC 1");
        assert!((&pool).prepare(sql).await.is_err());
        let sql = sqlx::SqlSafeStr::into_sql_str("SELECT name FROM item");
        assert_eq!((&pool).describe(sql).await.unwrap().columns.len(), 1);
        let sql = sqlx::SqlSafeStr::into_sql_str("SELEC 2");
        assert!((&pool).describe(sql).await.is_err());
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let query = "SELECT name FROM item WHERE id = ?";
    assert_eq!(outline(&recorder), [query, query, "SELEC 1 !", "SELEC 2 !"]);
}

#[tokio::test]
async fn arguments_that_cannot_be_encoded_fail_as_with_sqlx() {
    struct Broken;
    impl sqlx::Type<Sqlite> for Broken {
        fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
            <i64 as sqlx::Type<Sqlite>>::type_info()
        }
    }
    impl sqlx::Encode<'_, Sqlite> for Broken {
        fn encode_by_ref(
            &self,
            _: &mut sqlx::sqlite::SqliteArgumentsBuffer,
        ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
            Err("on purpose".into())
        }
    }
    let pool = pool().await;
    let recorder = Recorder::new();
    let traced = recorder
        .in_entry(sqlx::query("SELECT ?").bind(Broken).execute(&pool))
        .await;
    let plain = sqlx::query("SELECT ?")
        .bind(Broken)
        .execute(pool.inner())
        .await;
    assert_eq!(
        traced.unwrap_err().to_string(),
        plain.unwrap_err().to_string()
    );
    assert_eq!(outline(&recorder), ["SELECT ? !"]);
}

#[tokio::test]
async fn without_a_trace_nothing_is_recorded() {
    let pool = pool().await;
    let query = || sqlx::query_scalar::<_, i64>("SELECT count(*) FROM item");
    assert_eq!(
        query().fetch_one(&pool).await.unwrap(),
        3,
        "without a tracer"
    );

    let recorder = Recorder::new();
    let count = recorder.scope(query().fetch_one(&pool)).await;
    assert_eq!(count.unwrap(), 3);
    recorder.assert_empty();

    let suppressed = async {
        let mut tx = pool.begin().await.unwrap();
        let rows: Vec<_> = query().fetch(&mut *tx).try_collect().await.unwrap();
        tx.commit().await.unwrap();
        rows
    };
    assert_eq!(recorder.scope(suppressed.suppress()).await, [3]);
    recorder.assert_empty();

    let recorder = Recorder::new();
    let count = recorder
        .in_entry(async {
            let outer = instana::exit_span("outer");
            query().fetch_one(&pool).in_span(outer).await
        })
        .await;
    assert_eq!(count.unwrap(), 3);
    recorder.assert_tree("entry job\n  exit outer");
    assert!(!recorder.labelled("outer").json().contains("pool_wait_ms"));
}
