//! Headers and attributes, without any library of servers or clients.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response};
use http_body_util::{Empty, Full};
use instana::span::{Family, Kind};
use instana::testing::Recorder;
use instana::{Span, span};
use instana_http::server::{Options, TracedBody};
use instana_http::{client, inject_context, record_response};

type Body = Full<&'static [u8]>;

/// Serves one request; the future is ready at once.
fn serve(
    recorder: &Recorder,
    request: Request<()>,
    response: Response<Body>,
) -> Response<TracedBody<Body>> {
    let options = Options::new().tracer(recorder.tracer());
    let future = options.serve(request, |_| ready(Ok::<_, Infallible>(response)));
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => unreachable!("ready"),
    }
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect()
}

fn request(pairs: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::new(());
    *request.headers_mut() = headers(pairs);
    request
}

#[test]
fn a_request_is_an_entry_that_continues_its_headers() {
    let recorder = Recorder::new();
    let sent = [
        ("X-INSTANA-T", "1234fa2375d711a4ca0f"),
        ("X-Instana-S", "37cb2d6e9b1c078a"),
        ("X-Instana-Synthetic", "1"),
    ];
    serve(&recorder, request(&sent), Response::new(Full::default()));
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.trace(), "fa2375d711a4ca0f");
    assert_eq!(entry.parent(), "37cb2d6e9b1c078a");
    assert_eq!(entry.boolean("sy"), Some(true));
    assert!(entry.has("lt"));
}

#[test]
fn an_exit_writes_headers_that_an_entry_continues() {
    let (caller, callee) = (Recorder::new(), Recorder::new());
    let mut call = Request::get("http://stock/").body(()).unwrap();
    caller.enter_entry(|| client::exit(&mut call).end());
    let exit = caller.span("http", Kind::Exit);
    serve(&callee, call, Response::new(Full::default()));
    let entry = callee.span("g.http", Kind::Entry);
    assert_eq!(entry.trace(), exit.trace());
    assert_eq!(entry.parent(), exit.id());
    assert!(!entry.has("tp"), "continued by our own headers");
}

#[test]
fn a_context_writes_the_same_headers_as_its_span() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let entry = instana::entry_span("job");
        let (mut by_span, mut by_context) = (HeaderMap::new(), HeaderMap::new());
        instana_http::inject(&entry, &mut by_span);
        inject_context(&entry.context(), &mut by_context);
        assert_eq!(by_span, by_context);
        assert_eq!(by_span.len(), 5);
    });
}

#[test]
fn a_map_that_is_full_stays_as_it_is() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let entry = Span::entry(&span::http::ENTRY, &instana::propagation::Incoming::none());
        for (names, added) in [(24_571, 5), (24_572, 0), (24_576, 0)] {
            let mut headers: HeaderMap = (0..names)
                .map(|at| {
                    let name = HeaderName::try_from(format!("x-{at}")).unwrap();
                    (name, HeaderValue::from_static("some"))
                })
                .collect();
            instana_http::inject(&entry, &mut headers);
            assert_eq!(headers.keys_len(), names + added);
        }
        entry.end();
    });
}

#[test]
fn headers_are_captured_as_the_settings_of_their_tracer_say() {
    let sent = [
        ("x-one", "1"),
        ("x-one", "2"),
        ("x-two", "3"),
        ("x-latin", "x"),
    ];
    for (names, captured) in [
        (vec!["X-One"], vec![("x-one", "1, 2")]),
        (vec!["x-two"], vec![("x-two", "3")]),
        (vec![], vec![]),
        (
            vec!["x-one", "x-latin"],
            vec![("x-one", "1, 2"), ("x-latin", "\u{fffd}")],
        ),
    ] {
        let recorder = Recorder::builder().extra_headers(names).build();
        let mut request = request(&sent);
        let latin = HeaderValue::from_bytes(b"\xe4").unwrap();
        request.headers_mut().insert("x-latin", latin);
        serve(&recorder, request, Response::new(Full::default()));
        let entry = recorder.span("g.http", Kind::Entry);
        for (name, value) in &captured {
            let path = format!("data.http.header.{name}");
            assert_eq!(entry.text(&path).as_deref(), Some(*value));
        }
        assert_eq!(entry.has("data.http.header"), !captured.is_empty());
    }
}

#[test]
fn a_4xx_is_an_error_of_exits_where_the_settings_say_so() {
    for (all, listed, erroneous) in [
        (false, vec![], vec![]),
        (true, vec![], vec![400, 404, 499]),
        (false, vec![404], vec![404]),
        (true, vec![404], vec![404]),
    ] {
        let recorder = Recorder::builder()
            .client_errors(all)
            .client_error_statuses(listed.clone())
            .build();
        for status in [200, 399, 400, 404, 499, 500] {
            let code = http::StatusCode::from_u16(status).unwrap();
            recorder.enter(|| {
                let incoming = instana::propagation::Incoming::none();
                let mut entry = Span::entry(&span::http::ENTRY, &incoming);
                entry.enter(|| {
                    let mut exit = Span::exit(&span::http::EXIT);
                    record_response(&mut exit, code, &HeaderMap::new());
                });
                record_response(&mut entry, code, &HeaderMap::new());
            });
            let exit = recorder.span("http", Kind::Exit);
            let expected = status >= 500 || erroneous.contains(&status);
            assert_eq!(
                exit.errors(),
                u64::from(expected),
                "{status} {all} {listed:?}"
            );
            let entry = recorder.span("g.http", Kind::Entry);
            assert_eq!(entry.errors(), u64::from(status >= 500), "{status}");
            recorder.clear();
        }
    }
}

#[test]
fn a_request_that_is_dropped_is_cancelled() {
    let recorder = Recorder::new();
    let options = Options::new().tracer(recorder.tracer());
    let never = std::future::pending::<Result<Response<Body>, Infallible>>;
    drop(options.serve(request(&[]), |_| never()));
    let error = recorder
        .span("g.http", Kind::Entry)
        .text("data.http.error")
        .unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
}

#[test]
fn a_suppressed_request_records_nothing_and_tells_its_callees() {
    let recorder = Recorder::new();
    let options = Options::new().tracer(recorder.tracer());
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let mut call = Request::get("http://stock/").body(()).unwrap();
    let incoming = request(&[("x-instana-l", "0"), ("traceparent", traceparent)]);
    drop(options.serve(incoming, |_| {
        client::exit(&mut call).end();
        ready(Ok::<_, Infallible>(Response::new(Empty::<&[u8]>::new())))
    }));
    assert_eq!(
        call.headers(),
        &headers(&[("x-instana-l", "0"), ("traceparent", traceparent)])
    );
    assert!(recorder.spans().is_empty());
}

#[test]
fn an_ignored_request_goes_on_unsampled_in_the_same_w3c_trace() {
    let recorder = Recorder::new();
    let options = Options::new().tracer(recorder.tracer()).ignore(|_| true);
    let mut call = Request::get("http://stock/").body(()).unwrap();
    let incoming = request(&[
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("tracestate", "rojo=1"),
    ]);
    drop(options.serve(incoming, |_| {
        client::exit(&mut call).end();
        ready(Ok::<_, Infallible>(Response::new(Empty::<&[u8]>::new())))
    }));
    let sent = call.headers();
    let traceparent = sent["traceparent"].to_str().unwrap();
    assert!(traceparent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
    assert!(traceparent.ends_with("-00"), "{traceparent}");
    assert!(!traceparent.contains("b7ad6b7169203331"), "a new parent");
    assert_eq!(sent["tracestate"], "rojo=1");
    assert_eq!(sent["x-instana-l"], "0");
    assert!(recorder.spans().is_empty());
}

#[test]
fn without_a_tracer_nothing_happens() {
    let mut call = Request::get("http://stock/").body(()).unwrap();
    let span = client::exit(&mut call);
    assert!(!span.is_recording());
    assert!(call.headers().is_empty());
    let served = Options::new().serve(request(&[("x-instana-l", "0")]), |request| {
        assert_eq!(request.headers().len(), 1);
        assert!(!instana::Context::current().is_suppressed());
        ready(Ok::<_, Infallible>(Response::new(Body::default())))
    });
    drop(served);
}

#[test]
fn an_entry_that_is_no_longer_http_is_not_judged_by_its_status() {
    instana::section! {
        struct Graph = "graphql" {
            errors: error(200),
        }
    }
    static SERVER: Family = Family::new("graphql.server", Kind::Entry, Graph::SECTION, "protocols");
    let recorder = Recorder::new();
    let options = Options::new().tracer(recorder.tracer());
    let mut response = Response::new(Body::new(b"half of it"));
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    let future = options.serve(request(&[]), |_| {
        instana::current(|span| assert!(span.rename(&SERVER)));
        ready(Ok::<_, Infallible>(response))
    });
    let polled = pin!(future).poll(&mut TaskContext::from_waker(Waker::noop()));
    assert!(polled.is_ready());
    drop(polled);
    let entry = recorder.span("graphql.server", Kind::Entry);
    assert_eq!(entry.integer("data.http.status"), Some(500));
    assert_eq!(entry.errors(), 0);
}
