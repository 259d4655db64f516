//! Exits of reqwest.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use instana::FutureExt;
use instana::span::Kind;
use instana::testing::{RecordedSpan, Recorder};
use instana_reqwest::{Client, RequestBuilderExt};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use tokio::net::TcpListener;

/// A server that answers `/echo` with the headers of the request, one a line,
/// and its address.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service_fn(answer));
            tokio::spawn(connection);
        }
    });
    address
}

async fn answer(
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let response = hyper::Response::builder().header("x-answer", "42");
    let (response, body) = match request.uri().path() {
        "/echo" | "/items/7" => (response, headers(request.headers())),
        "/moved" => (
            response.status(302).header("location", "/echo"),
            String::new(),
        ),
        "/slow" => std::future::pending().await,
        path => {
            let status: u16 = path.trim_start_matches('/').parse().unwrap_or(404);
            (response.status(status), String::new())
        }
    };
    Ok(response.body(Full::from(body)).unwrap())
}

fn headers(headers: &hyper::HeaderMap) -> String {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_request_is_an_exit_with_its_attributes() {
    let recorder = Recorder::builder()
        .extra_headers(["x-answer", "x-tenant"])
        .build();
    let server = server().await;
    let client = Client::from(reqwest::Client::new());
    let url = format!("http://{server}/items/7?id=7&secret=x#part");
    let request = client
        .get(url)
        .header("x-tenant", "a")
        .path_template("/items/{id}");
    let response = recorder
        .in_entry(async { request.send().await })
        .await
        .unwrap();
    assert_eq!(response.status(), 200);

    let span = recorder.span("http", Kind::Exit);
    let text = |key: &str| span.text(&format!("data.http.{key}")).unwrap_or_default();
    assert_eq!(text("method"), "GET");
    assert_eq!(text("url"), format!("http://{server}/items/7"));
    assert_eq!(text("params"), "id=7&secret=<redacted>");
    assert_eq!(text("path_tpl"), "/items/{id}");
    assert_eq!(text("header.x-answer"), "42");
    assert_eq!(text("header.x-tenant"), "a");
    assert_eq!(span.integer("data.http.status"), Some(200));
    assert_eq!(span.errors(), 0);
    assert_eq!(span.parent(), recorder.span("sdk", Kind::Entry).id());
}

#[tokio::test]
async fn the_callee_learns_trace_and_parent() {
    let recorder = Recorder::new();
    let url = format!("http://{}/echo", server().await);
    let client = Client::new();
    let response = recorder
        .in_entry(async { client.get(url).send().await })
        .await;
    let seen = response.unwrap().text().await.unwrap();
    let exit = recorder.span("http", Kind::Exit);
    let (trace, span) = (exit.trace(), exit.id());
    for line in [
        format!("x-instana-t: {trace}\n"),
        format!("x-instana-s: {span}\n"),
        "x-instana-l: 1\n".to_owned(),
        format!("traceparent: 00-0000000000000000{trace}-{span}-03\n"),
        format!("tracestate: in={trace};{span}\n"),
    ] {
        assert!(seen.contains(&line), "{line} in {seen}");
    }
}

/// The lines of the headers that continue a span.
fn continuing(span: &RecordedSpan) -> [String; 4] {
    let (trace, id) = (span.trace(), span.id());
    [
        format!("x-instana-t: {trace}\n"),
        format!("x-instana-s: {id}\n"),
        "x-instana-l: 1\n".to_owned(),
        format!("traceparent: 00-0000000000000000{trace}-{id}-03\n"),
    ]
}

#[instana::trace(kind = exit)]
async fn stock(client: Client, url: String) -> Result<String, reqwest::Error> {
    client.get(url).send().await?.text().await
}

#[tokio::test]
async fn below_an_exit_a_call_carries_the_ids_of_the_exit() {
    let url = format!("http://{}/echo", server().await);
    let client = Client::new();
    let in_span = async {
        let call = async { client.get(&url).send().await?.text().await };
        call.in_span(instana::exit_span("stock")).await
    };
    let service = async {
        let request = reqwest::Request::new(Method::GET, url.parse().unwrap());
        let exit = instana::exit_span("stock");
        let call = async { tower_service::Service::call(&mut &client, request).await };
        call.in_span(exit).await?.text().await
    };
    let plain = async {
        let request = reqwest::Client::new().get(&url);
        let call = async { request.send_traced().await?.text().await };
        call.in_span(instana::exit_span("stock")).await
    };
    type Call<'a> = std::pin::Pin<Box<dyn Future<Output = Result<String, reqwest::Error>> + 'a>>;
    let calls: [Call<'_>; 4] = [
        Box::pin(in_span),
        Box::pin(async { stock(client.clone(), url.clone()).await }),
        Box::pin(service),
        Box::pin(plain),
    ];
    for call in calls {
        let recorder = Recorder::new();
        let seen = recorder.in_entry(call).await.unwrap();
        let exit = recorder.span("sdk", Kind::Exit);
        assert_eq!(recorder.spans().len(), 2, "the job and its exit");
        for line in continuing(&exit) {
            assert_eq!(seen.matches(&line).count(), 1, "{line} in {seen}");
        }
    }
}

#[tokio::test]
async fn a_call_outside_of_entries_is_counted_where_it_is_made() {
    let url = format!("http://{}/echo", server().await);
    let recorder = Recorder::new();
    let client = Client::new();
    let line = line!() + 1;
    let calls = async { client.get(&url).send().await };
    recorder.scope(calls).await.unwrap();
    let lost = recorder.unrecorded();
    assert_eq!(
        (lost.len(), lost[0].name.as_str(), lost[0].count),
        (1, "http", 1)
    );
    let place = lost[0].place.clone().unwrap();
    assert_eq!(place, format!("{}:{line}", file!()));
}

#[tokio::test]
async fn credentials_are_not_recorded_but_sent() {
    let server = server().await;
    for in_url in [true, false] {
        let recorder = Recorder::builder().extra_headers(["x-answer"]).build();
        let client = Client::new();
        let request = if in_url {
            client.get(format!("http://me:geheim@{server}/echo"))
        } else {
            let request = client.get(format!("http://{server}/echo"));
            request.basic_auth("me", Some("geheim"))
        };
        let response = recorder
            .in_entry(async { request.send().await })
            .await
            .unwrap();
        assert!(
            response
                .text()
                .await
                .unwrap()
                .contains("authorization: Basic")
        );
        let exit = recorder.span("http", Kind::Exit).json();
        assert!(
            !exit.contains("geheim") && !exit.contains("Basic"),
            "{exit}"
        );
    }

    // A request of one's own keeps them in its URL.
    let recorder = Recorder::new();
    let url = format!("http://me:geheim@{server}/echo").parse().unwrap();
    let request = reqwest::Request::new(Method::GET, url);
    let client = Client::new();
    recorder
        .in_entry(async { client.execute(request).await })
        .await
        .unwrap();
    assert_eq!(
        recorder
            .span("http", Kind::Exit)
            .text("data.http.url")
            .unwrap(),
        format!("http://<redacted>:<redacted>@{server}/echo")
    );
}

#[tokio::test]
async fn redirects_are_one_exit_with_the_last_status() {
    let recorder = Recorder::new();
    let url = format!("http://{}/moved", server().await);
    let client = Client::new();
    recorder
        .in_entry(async { client.get(&url).send().await })
        .await
        .unwrap();
    let exit = recorder.span("http", Kind::Exit);
    assert_eq!(exit.integer("data.http.status"), Some(200));
    assert_eq!(exit.text("data.http.url").unwrap(), url);
}

#[tokio::test]
async fn a_status_from_500_on_is_an_error_and_404_is_none() {
    let server = server().await;
    for (status, errors) in [(404, 0), (500, 1), (503, 1)] {
        let recorder = Recorder::new();
        let client = Client::new();
        let request = client.get(format!("http://{server}/{status}"));
        let response = recorder
            .in_entry(async { request.send().await })
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(
            recorder.span("http", Kind::Exit).errors(),
            errors,
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_refused_connection_is_reqwests_error_and_recorded_with_its_cause() {
    let recorder = Recorder::new();
    // The port is free again when the listener is dropped.
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let client = Client::new();
    let request = client.get(format!("http://{address}/?id=7&api_key=geheim"));
    let error: reqwest::Error = recorder
        .in_entry(async { request.send().await })
        .await
        .unwrap_err();
    assert!(error.is_connect());
    let exit = recorder.span("http", Kind::Exit);
    assert_eq!(exit.errors(), 1);
    let text = exit.text("data.http.error").unwrap_or_default();
    assert!(text.contains("error sending request"), "{text}");
    assert!(
        text.contains("Connection refused"),
        "with its last cause: {text}"
    );
    assert!(!text.contains("geheim"), "{text}");
    assert!(!exit.has("data.http.status"));
}

#[tokio::test]
async fn a_long_url_leaves_room_for_the_first_and_the_last_cause() {
    let recorder = Recorder::new();
    let path = "orders/".repeat(40);
    let request = Client::new().get(format!("http://127.0.0.1:1/{path}?a=b"));
    recorder
        .in_entry(async { request.send().await })
        .await
        .unwrap_err();
    let exit = recorder.span("http", Kind::Exit);
    let text = exit.text("data.http.error").unwrap_or_default();
    assert!(
        text.starts_with("error sending request for url (http://127.0.0.1:1/…)"),
        "{text}"
    );
    assert!(
        text.ends_with("Connection refused (os error 111)"),
        "{text}"
    );
    let url = exit.text("data.http.url").unwrap();
    assert_eq!(
        url,
        format!("http://127.0.0.1:1/{path}"),
        "the URL itself is whole"
    );
}

#[tokio::test]
async fn a_client_of_the_builder_records() {
    let recorder = Recorder::new();
    let client = Client::builder()
        .user_agent("shop")
        .timeout(Duration::from_secs(60))
        .with(|builder| builder.no_proxy())
        .build()
        .unwrap();
    let request = client.get(format!("http://{}/echo", server().await));
    let response = recorder
        .in_entry(async { request.send().await })
        .await
        .unwrap();
    let sent = response.text().await.unwrap();
    assert!(sent.contains("user-agent: shop\n"), "{sent}");
    assert!(
        sent.contains(&recorder.span("http", Kind::Exit).id()),
        "{sent}"
    );
}

#[tokio::test]
async fn a_timeout_is_an_error_of_the_exit() {
    let recorder = Recorder::new();
    let client = Client::new();
    let request = client
        .get(format!("http://{}/slow", server().await))
        .timeout(Duration::from_millis(10));
    let error = recorder
        .in_entry(async { request.send().await })
        .await
        .unwrap_err();
    assert!(error.is_timeout());
    let exit = recorder.span("http", Kind::Exit);
    assert_eq!(exit.errors(), 1);
    assert!(
        exit.text("data.http.error")
            .unwrap_or_default()
            .contains("timed out"),
        "{}",
        exit.json()
    );
}

#[tokio::test]
async fn a_request_that_is_given_up_says_so() {
    let recorder = Recorder::new();
    let client = Client::new();
    let request = client.get(format!("http://{}/slow", server().await));
    recorder
        .in_entry(async {
            let mut sending = request.send();
            tokio::select! {
                biased;
                _ = &mut sending => unreachable!("the server never answers"),
                () = tokio::task::yield_now() => {}
            }
        })
        .await;
    let exit = recorder.span("http", Kind::Exit);
    assert_eq!(exit.errors(), 1);
    let text = exit.text("data.http.error").unwrap_or_default();
    assert!(text.starts_with("cancelled after "), "{text}");
}

#[tokio::test]
async fn a_request_that_cannot_be_built_fails_as_ever_and_is_no_exit() {
    let recorder = Recorder::new();
    let client = Client::new();
    let request = client.get("no url");
    let error = recorder
        .in_entry(async { request.send().await })
        .await
        .unwrap_err();
    assert!(error.is_builder());
    assert_eq!(recorder.spans().len(), 1, "the entry alone");
}

#[tokio::test]
async fn the_parent_is_that_of_the_call_and_not_of_the_poll() {
    let recorder = Recorder::new();
    let client = Client::new();
    let url = format!("http://{}/echo", server().await);
    let sending = recorder.enter(|| instana::entry_span("caller").enter(|| client.get(url).send()));
    recorder.in_entry(sending).await.unwrap();
    let caller = recorder
        .spans()
        .into_iter()
        .find(|span| span.text("data.sdk.name").as_deref() == Some("caller"))
        .unwrap();
    assert_eq!(recorder.span("http", Kind::Exit).parent(), caller.id());
}

#[tokio::test]
async fn below_a_suppressed_entry_the_callee_is_told_not_to_trace() {
    let recorder = Recorder::new();
    let url = format!("http://{}/echo", server().await);
    let call = async {
        let incoming = instana::propagation::Incoming::suppressed();
        let entry = instana::Span::entry(&instana::span::http::ENTRY, &incoming);
        async { Client::new().get(url).send().await }
            .in_span(entry)
            .await
    };
    let seen = recorder.scope(call).await.unwrap().text().await.unwrap();
    assert!(seen.contains("x-instana-l: 0\n"), "{seen}");
    assert!(!seen.contains("x-instana-t"), "{seen}");
    assert!(recorder.spans().is_empty());
}

#[tokio::test]
async fn without_an_entry_or_a_tracer_nothing_is_added() {
    let recorder = Recorder::new();
    let url = format!("http://{}/echo", server().await);
    let client = Client::new();
    for scoped in [true, false] {
        let sending = client.get(&url).send();
        let response = if scoped {
            recorder.scope(sending).await
        } else {
            sending.await
        };
        let seen = response.unwrap().text().await.unwrap();
        assert!(
            !seen.contains("instana") && !seen.contains("trace"),
            "{seen}"
        );
    }
    assert!(recorder.spans().is_empty());
}

#[tokio::test]
async fn every_method_and_shape_of_call_is_one_exit() {
    let recorder = Recorder::new();
    let url = format!("http://{}/echo", server().await);
    let plain = reqwest::Client::new();
    let client = Client::from(plain.clone());
    recorder
        .in_entry(async {
            for request in [
                client.get(&url),
                client.post(&url).body("a body"),
                client.put(&url).bearer_auth("token"),
                client.patch(&url).headers(HeaderMap::new()),
                client.delete(&url).version(http::Version::HTTP_11),
                client.head(&url),
                client.request(Method::OPTIONS, &url),
                client.get(&url).try_clone().unwrap(),
            ] {
                request.send().await.unwrap();
            }
            client
                .execute(plain.get(&url).build().unwrap())
                .await
                .unwrap();
            plain.get(&url).send_traced().await.unwrap();
            instana_reqwest::get(&url).await.unwrap();
            let (client, request) = client.get(&url).build_split();
            client.execute(request.unwrap()).await.unwrap();
        })
        .await;
    let methods: Vec<_> = recorder
        .spans()
        .iter()
        .filter_map(|span| span.text("data.http.method"))
        .collect();
    assert_eq!(
        methods,
        [
            "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "GET", "GET", "GET", "GET",
            "GET"
        ]
    );
    assert!(recorder.spans().iter().all(|span| span.errors() == 0));
}

#[tokio::test]
async fn futures_are_as_send_and_unpin_as_those_of_reqwest() {
    fn check<F: Future + Send + Sync + Unpin>(_: F) {}
    let client = reqwest::Client::new();
    check(client.get("http://a/").send());
    check(Client::from(client.clone()).get("http://a/").send());
    check(client.get("http://a/").send_traced());
}

#[tokio::test]
async fn a_captured_authorization_is_the_users_choice_and_others_are_not_seen() {
    let recorder = Recorder::new();
    let client = Client::new();
    let request = client
        .get(format!("http://{}/echo", server().await))
        .header(AUTHORIZATION, "Token geheim")
        .header("cookie", "session=geheim");
    recorder
        .in_entry(async { request.send().await })
        .await
        .unwrap();
    assert!(!recorder.span("http", Kind::Exit).has("data.http.header"));
}

#[tokio::test]
async fn builders_of_reqwests_features_are_there() {
    let recorder = Recorder::new();
    let url = format!("http://{}/echo", server().await);
    let client = Client::new();
    recorder
        .in_entry(async {
            let pairs = [("a", "b")];
            client.post(&url).json(&pairs).send().await.unwrap();
            client.post(&url).form(&pairs).send().await.unwrap();
            client.post(&url).query(&pairs).send().await.unwrap();
            let form = reqwest::multipart::Form::new().text("a", "b");
            client.post(&url).multipart(form).send().await.unwrap();
        })
        .await;
    let params: Vec<_> = recorder
        .spans()
        .iter()
        .filter_map(|span| span.text("data.http.params"))
        .collect();
    assert_eq!(params, ["a=b"]);
}

mod middleware {
    use std::pin::Pin;

    use instana_reqwest::{InstanaMiddleware, PathTemplate};
    use reqwest_middleware::{ClientBuilder, Error, Middleware, Next};

    use super::*;

    #[tokio::test]
    async fn a_request_of_the_middleware_is_an_exit() {
        let recorder = Recorder::new();
        let url = format!("http://{}/items/7", server().await);
        let client = ClientBuilder::new(reqwest::Client::new())
            .with(InstanaMiddleware::new())
            .build();
        let request = client
            .get(url)
            .with_extension(PathTemplate::new("/items/{id}"));
        let response = recorder
            .in_entry(async { request.send().await })
            .await
            .unwrap();
        let exit = recorder.span("http", Kind::Exit);
        let seen = response.text().await.unwrap();
        assert!(seen.contains(&format!("x-instana-s: {}\n", exit.id())));
        assert_eq!(
            exit.text("data.http.path_tpl").as_deref(),
            Some("/items/{id}")
        );
        assert_eq!(exit.integer("data.http.status"), Some(200));
    }

    /// A middleware around the traced client, and around another exit.
    #[tokio::test]
    async fn an_exit_inside_of_an_exit_sends_the_ids_of_the_outer_one() {
        let url = format!("http://{}/echo", server().await);
        let client = || {
            ClientBuilder::new(reqwest::Client::new())
                .with(InstanaMiddleware::new())
                .with(InstanaMiddleware::new())
                .build()
        };
        for (is_inside, name) in [(false, "http"), (true, "sdk")] {
            let recorder = Recorder::new();
            let call = async {
                let call = async { client().get(&url).send().await.unwrap().text().await };
                let outer = match is_inside {
                    true => instana::exit_span("stock"),
                    false => instana::Span::none(),
                };
                call.in_span(outer).await
            };
            let seen = recorder.in_entry(call).await.unwrap();
            let exit = recorder.span(name, Kind::Exit);
            assert_eq!(recorder.spans().len(), 2, "the job and its exit");
            for line in continuing(&exit) {
                assert_eq!(seen.matches(&line).count(), 1, "{line} in {seen}");
            }
        }
    }

    #[tokio::test]
    async fn an_error_of_the_middleware_is_recorded_and_passed_on() {
        let recorder = Recorder::new();
        let client = ClientBuilder::new(reqwest::Client::new())
            .with(InstanaMiddleware::new())
            .build();
        let request = client
            .get(format!("http://{}/slow", server().await))
            .timeout(Duration::from_millis(10));
        let result = recorder.in_entry(async { request.send().await }).await;
        assert!(matches!(result.unwrap_err(), Error::Reqwest(error) if error.is_timeout()));
        assert_eq!(recorder.span("http", Kind::Exit).errors(), 1);
    }

    /// Calls what follows inside a span, and waits for it outside.
    struct CallsInSpan;

    impl Middleware for CallsInSpan {
        fn handle<'s, 'e, 'n, 'f>(
            &'s self,
            request: reqwest::Request,
            extensions: &'e mut http::Extensions,
            next: Next<'n>,
        ) -> Pin<Box<dyn Future<Output = Result<reqwest::Response, Error>> + Send + 'f>>
        where
            's: 'f,
            'e: 'f,
            'n: 'f,
            Self: 'f,
        {
            instana::span("attempt").enter(|| next.run(request, extensions))
        }
    }

    #[tokio::test]
    async fn the_parent_in_the_middleware_is_that_of_the_call() {
        let recorder = Recorder::new();
        let url = format!("http://{}/echo", server().await);
        let client = ClientBuilder::new(reqwest::Client::new())
            .with(CallsInSpan)
            .with(InstanaMiddleware::new())
            .build();
        recorder
            .in_entry(async { client.get(url).send().await })
            .await
            .unwrap();
        assert_eq!(
            recorder.span("http", Kind::Exit).parent(),
            recorder.span("sdk", Kind::Intermediate).id()
        );
    }
}
