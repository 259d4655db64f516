//! Operations that fail, and those that never end.

use async_graphql::Request;
use futures_util::{FutureExt as _, StreamExt as _, poll};
use instana::span::Kind;
use instana::testing::Recorder;

use crate::ask;
use crate::shop::shop;

#[tokio::test]
async fn errors_are_counted_and_joined() {
    let recorder = Recorder::new();
    let shop = shop();
    let response = ask(&recorder, &shop, "{ missing secret hello }").await;
    assert_eq!(response.errors.len(), 2);
    let entry = recorder.span("graphql.server", Kind::Entry);
    assert_eq!(entry.errors(), 2);
    assert_eq!(
        entry.text("data.graphql.errors").as_deref(),
        Some("no such order, cannot reach postgres://<redacted>:<redacted>@db/shop")
    );
}

#[tokio::test]
async fn aliases_stand_in_no_message() {
    let shop = shop();
    for query in [
        "{ hunter2: hello hunter2: missing }",
        "{ hunter2: order(id: 1) { id } hunter2: order(id: 2) { id } }",
        "{ hunter2: hello { hunter2: id } }",
        "{ hunter2: missing }",
        "{ hunter2: helo }",
        "{ hunter2: order(id: \"a\") { hunter2: id } }",
    ] {
        let recorder = Recorder::new();
        let response = ask(&recorder, &shop, query).await;
        assert!(!response.errors.is_empty(), "{query}");
        let entry = recorder.span("graphql.server", Kind::Entry);
        assert!(entry.errors() > 0, "{query}");
        assert!(!entry.json().contains("hunter2"), "{}", entry.json());
    }
}

#[tokio::test]
async fn what_cannot_be_read_or_is_wrong_is_recorded_without_its_values() {
    let shop = shop();
    for (query, asked, name, errors) in [
        (
            "query Login { login(pass: \"hunter2\" }",
            Some("Login"),
            Some("Login"),
            "syntax error at 1:37: expected",
        ),
        (
            "query Login { login(pass: \"hunter2\" }",
            None,
            None,
            "syntax error at 1:37: expected",
        ),
        (
            "query Typo { helo }",
            None,
            Some("Typo"),
            "Unknown field \"helo\" on type \"Query\"",
        ),
        (
            "query Wrong { order(id: \"hunter2\") { id } }",
            None,
            Some("Wrong"),
            "Invalid value for argument \"id\"",
        ),
        (
            "query A { hello } query B { hello }",
            Some("C"),
            Some("C"),
            "Unknown operation named \"C\"",
        ),
        (
            "query A { hello } query B { hello }",
            None,
            None,
            "Operation name required in request.",
        ),
        ("", None, None, "syntax error at 1:1: expected"),
    ] {
        let recorder = Recorder::new();
        let mut request = Request::new(query);
        if let Some(asked) = asked {
            request = request.operation_name(asked);
        }
        let response = ask(&recorder, &shop, request).await;
        assert!(response.is_err(), "{query}");
        let entry = recorder.span("graphql.server", Kind::Entry);
        assert_eq!(entry.errors(), response.errors.len() as u64);
        assert_eq!(
            entry.text("data.graphql.operationName").as_deref(),
            name,
            "{query}"
        );
        let text = entry.error_text().unwrap();
        assert!(text.starts_with(errors), "{text}");
        assert!(!entry.json().contains("hunter2"), "{}", entry.json());
    }
}

#[tokio::test]
async fn an_operation_that_is_given_up_or_panics_says_so() {
    let recorder = Recorder::new();
    let shop = shop();
    let own = recorder.scope(async {
        let mut execution = Box::pin(shop.execute("query Forever { forever }"));
        assert!(poll!(&mut execution).is_pending());
    });
    own.await;
    let given_up = recorder.span("graphql.server", Kind::Entry);
    assert_eq!(
        given_up.text("data.graphql.operationName").as_deref(),
        Some("Forever")
    );
    let error = given_up.error_text().unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
    recorder.clear();

    let own = recorder.scope(async { shop.execute("{ panics }").await });
    let result = std::panic::AssertUnwindSafe(own).catch_unwind().await;
    assert!(result.is_err());
    assert_eq!(
        recorder
            .span("graphql.server", Kind::Entry)
            .error_text()
            .as_deref(),
        Some("panicked")
    );
    recorder.clear();

    let stream = recorder.scope(async { shop.execute_stream("{ forever }").boxed() });
    let mut stream = stream.await;
    assert!(poll!(stream.next()).is_pending());
    drop(stream);
    let error = recorder
        .span("graphql.server", Kind::Entry)
        .error_text()
        .unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
}
