//! Bodies of responses: their ends, and what they leave when they are dropped.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_streaming_body_stays_streaming_and_ends_the_entry() {
    let recorder = Recorder::new();
    let (mut sender, service) = streaming(StatusCode::OK);
    let response = layer(&recorder)
        .layer(service)
        .oneshot(get("/"))
        .await
        .unwrap();
    let mut body = response.into_body();
    assert!(!body.is_end_stream());
    assert!(poll(Box::pin(body.frame()).as_mut()).is_pending());

    sender.send_data(Bytes::from("first")).await.unwrap();
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "first");
    assert!(recorder.spans().is_empty(), "the second is not there yet");

    sender.send_data(Bytes::from("second")).await.unwrap();
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    sender.send_trailers(trailers).await.unwrap();
    drop(sender);
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "second");
    let trailers = body.frame().await.unwrap().unwrap();
    assert_eq!(trailers.trailers_ref().unwrap()["grpc-status"], "0");
    assert!(body.frame().await.is_none());
    assert_eq!(recorder.span("g.http", Kind::Entry).errors(), 0);
}

#[tokio::test]
async fn a_body_is_polled_and_dropped_inside_the_entry() {
    struct Tells;
    impl Body for Tells {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut TaskContext<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            instana::current(|span| span.tag("polled", true));
            Poll::Ready(Some(Ok(Frame::data(Bytes::from("abc")))))
        }
    }
    impl Drop for Tells {
        fn drop(&mut self) {
            instana::current(|span| span.tag("dropped", true));
        }
    }
    let recorder = Recorder::new();
    let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(Tells)));
    let response = layer(&recorder).layer(service).oneshot(get("/")).await;
    let mut body = response.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.boolean("data.sdk.custom.tags.polled"), Some(true));
    assert_eq!(entry.boolean("data.sdk.custom.tags.dropped"), Some(true));
}

/// What comes of a body: its header, the frames that it has, how many of them somebody
/// takes, and the error.
struct Ending {
    headers: &'static [(&'static str, &'static str)],
    frames: &'static [&'static str],
    /// The sender goes away after the frames.
    is_over: bool,
    /// `None`: nobody asks for one.
    taken: Option<usize>,
    error: &'static str,
}

const LENGTH: &[(&str, &str)] = &[("content-length", "10")];
const EVENTS: &[(&str, &str)] = &[("content-type", "text/event-stream; charset=utf-8")];
const EVENTS_OF_LENGTH: &[(&str, &str)] = &[
    ("content-type", "text/event-stream"),
    ("content-length", "10"),
];

#[tokio::test]
async fn the_end_of_a_body_decides() {
    let ending = |headers, frames, is_over, taken, error| Ending {
        headers,
        frames,
        is_over,
        taken,
        error,
    };
    for (at, ending) in [
        // Of a known length.
        ending(LENGTH, &["12345", "67890"], false, Some(2), ""),
        ending(LENGTH, &["12345", "678901"], false, Some(2), ""),
        ending(
            LENGTH,
            &["123"],
            true,
            Some(2),
            "response body ended after 3 of 10 bytes",
        ),
        ending(
            LENGTH,
            &[],
            true,
            Some(1),
            "response body ended after 0 of 10 bytes",
        ),
        ending(
            LENGTH,
            &["123"],
            false,
            Some(1),
            "response body dropped after N ms, 3 of 10 bytes sent",
        ),
        ending(
            LENGTH,
            &["123"],
            false,
            Some(2),
            "response body dropped after N ms, 3 of 10 bytes sent",
        ),
        ending(
            LENGTH,
            &[],
            false,
            Some(1),
            "response body dropped after N ms, 0 of 10 bytes sent",
        ),
        ending(
            LENGTH,
            &["123"],
            true,
            Some(1),
            "response body dropped after N ms, 3 of 10 bytes sent",
        ),
        // Replaced by a layer around it.
        ending(LENGTH, &["123"], true, None, ""),
        ending(&[], &["123"], false, None, ""),
        // Without an end of its own.
        ending(&[], &["123"], false, Some(1), ""),
        ending(&[], &["123"], false, Some(2), ""),
        ending(&[], &["123"], true, Some(2), ""),
        ending(EVENTS, &["data: 1"], false, Some(2), ""),
        ending(EVENTS, &[], false, Some(1), ""),
        ending(EVENTS_OF_LENGTH, &["data: 1"], false, Some(1), ""),
        // Nobody knows how long these are.
        ending(&[("content-length", "ten")], &["123"], true, Some(2), ""),
        ending(&[("content-length", "")], &["123"], true, Some(2), ""),
        ending(&[("content-length", "3, 10")], &["123"], true, Some(2), ""),
    ]
    .into_iter()
    .enumerate()
    {
        let recorder = Recorder::new();
        let (mut sender, body) = Channel::<Bytes, BoxError>::new(4);
        let mut response = Response::builder().status(404);
        for (name, value) in ending.headers {
            response = response.header(*name, *value);
        }
        let mut response = Some(response.body(body).unwrap());
        let service =
            service_fn(move |_| std::future::ready(Ok::<_, Infallible>(response.take().unwrap())));
        for frame in ending.frames {
            sender.send_data(Bytes::from(*frame)).await.unwrap();
        }
        let sender = (!ending.is_over).then_some(sender);
        let response = layer(&recorder).layer(service).oneshot(get("/")).await;
        let mut body = response.unwrap().into_body();
        for _ in 0..ending.taken.unwrap_or_default() {
            let _ = poll(Box::pin(body.frame()).as_mut());
        }
        drop(body);
        drop(sender);
        let entry = recorder.span("g.http", Kind::Entry);
        let is_error = !ending.error.is_empty();
        let text = entry.text("data.http.error").unwrap_or_default();
        let (start, end) = ending.error.split_once('N').unwrap_or((ending.error, ""));
        assert!(
            text.starts_with(start) && text.ends_with(end),
            "{at}: {text}"
        );
        assert_eq!(!text.is_empty(), is_error, "{at}: {text}");
        assert_eq!(entry.errors(), u64::from(is_error), "{at}: {text}");
        assert_eq!(entry.integer("data.http.status"), Some(404));
    }
}

#[tokio::test]
async fn a_length_that_nothing_follows_is_an_error_and_a_head_none() {
    for (method, status, text) in [
        (Method::GET, 200, "response body ended after 0 of 7 bytes"),
        (Method::HEAD, 200, ""),
        (Method::GET, 304, ""),
        (Method::GET, 204, ""),
        (Method::CONNECT, 200, ""),
    ] {
        let recorder = Recorder::new();
        let service = service_fn(async |_| {
            let response = Response::builder()
                .status(status)
                .header("content-length", "7");
            Ok::<_, Infallible>(response.body(Empty::<Bytes>::new()).unwrap())
        });
        let mut request = get("/");
        *request.method_mut() = method.clone();
        call(layer(&recorder).layer(service), request).await;
        assert_eq!(
            recorder
                .span("g.http", Kind::Entry)
                .text("data.http.error")
                .unwrap_or_default(),
            text,
            "{method} {status}"
        );
    }
}

#[tokio::test]
async fn a_header_counts_against_the_length_that_the_body_knows() {
    let recorder = Recorder::new();
    let service = service_fn(async |_| {
        let response = Response::builder().header("content-length", "10");
        Ok::<_, Infallible>(response.body(Full::new(Bytes::from("abc"))).unwrap())
    });
    call(layer(&recorder).layer(service), get("/")).await;
    assert_eq!(
        recorder
            .span("g.http", Kind::Entry)
            .text("data.http.error")
            .unwrap_or_default(),
        "response body ended after 3 of 10 bytes"
    );
}

#[tokio::test]
async fn a_status_that_is_no_answer_is_recorded_as_what_is_sent() {
    for (version, code, sent) in [
        (http::Version::HTTP_10, 103, 500),
        (http::Version::HTTP_11, 103, 500),
        (http::Version::HTTP_11, 100, 500),
        (http::Version::HTTP_2, 103, 103),
    ] {
        let recorder = Recorder::new();
        let (_sender, service) = streaming(StatusCode::from_u16(code).unwrap());
        let mut request = get("/");
        *request.version_mut() = version;
        let response = layer(&recorder).layer(service).oneshot(request).await;
        assert_eq!(response.unwrap().status(), code, "it is passed on");
        let entry = recorder.span("g.http", Kind::Entry);
        assert_eq!(entry.integer("data.http.status"), Some(sent));
        assert_eq!(entry.errors(), 1);
        let text = format!("the handler answered with status {code}, which is no final one");
        assert_eq!(entry.text("data.http.error").unwrap_or_default(), text);
    }
}

#[tokio::test]
async fn polls_of_the_response_and_its_body_are_timed_on_request() {
    for (on, polls) in [(false, None), (true, Some(3))] {
        let recorder = Recorder::builder()
            .poll_timing(on)
            .slow_poll(Duration::from_secs(60))
            .build();
        let service = service_fn(async |_| {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("abc"))))
        });
        let response = layer(&recorder).layer(service).oneshot(get("/")).await;
        response
            .unwrap()
            .into_body()
            .frame()
            .await
            .unwrap()
            .unwrap();
        let polled = recorder
            .span("g.http", Kind::Entry)
            .integer("data.sdk.custom.tags.poll_count");
        assert_eq!(polled, polls);
    }
}

#[tokio::test]
async fn a_body_that_fails_is_an_error() {
    let recorder = Recorder::new();
    let (sender, service) = streaming(StatusCode::OK);
    let response = layer(&recorder).layer(service).oneshot(get("/")).await;
    let mut body = response.unwrap().into_body();
    sender.abort("disk is gone".into());
    assert_eq!(
        body.frame().await.unwrap().unwrap_err().to_string(),
        "disk is gone"
    );
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.errors(), 1);
    assert_eq!(
        entry.text("data.http.error").unwrap_or_default(),
        "disk is gone"
    );
    assert_eq!(entry.integer("data.http.status"), Some(200));
}

#[tokio::test]
async fn a_body_that_panics_is_an_error() {
    struct Panics;
    impl Body for Panics {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut TaskContext<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            panic!("on purpose")
        }
    }
    let recorder = Recorder::new();
    let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(Panics)));
    let response = layer(&recorder).layer(service).oneshot(get("/")).await;
    let task = tokio::spawn(response.unwrap().into_body().collect());
    assert!(task.await.unwrap_err().is_panic());
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(
        entry.text("data.http.error").unwrap_or_default(),
        "panicked"
    );
    assert_eq!(
        entry.integer("data.http.status"),
        Some(200),
        "which was sent already"
    );
}

#[tokio::test]
async fn a_body_that_is_not_due_may_be_dropped() {
    let cases = [
        (Method::HEAD, 200),
        (Method::GET, 204),
        (Method::GET, 304),
        (Method::GET, 101),
        (Method::CONNECT, 200),
    ];
    for (method, status) in cases {
        let recorder = Recorder::new();
        let (_sender, service) = streaming(StatusCode::from_u16(status).unwrap());
        let mut request = get("/");
        *request.method_mut() = method.clone();
        let response = layer(&recorder).layer(service).oneshot(request).await;
        drop(response.unwrap());
        let entry = recorder.span("g.http", Kind::Entry);
        assert_eq!(
            entry.errors(),
            0,
            "{method} {status}: {}",
            entry.text("data.http.error").unwrap_or_default()
        );
    }
}

#[tokio::test]
async fn an_upgraded_connection_ends_its_entry_at_the_head() {
    let recorder = Recorder::new();
    let (_sender, service) = streaming(StatusCode::SWITCHING_PROTOCOLS);
    let response = layer(&recorder).layer(service).oneshot(get("/")).await;
    assert_eq!(
        recorder
            .span("g.http", Kind::Entry)
            .integer("data.http.status"),
        Some(101)
    );
    drop(response);
}

#[tokio::test]
async fn a_complete_body_may_be_dropped() {
    // `Full` is at its end after one frame, and needs no poll for it.
    let recorder = Recorder::new();
    let service = layer(&recorder).layer(service_fn(hello));
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(recorder.span("g.http", Kind::Entry).errors(), 0);

    // An empty one ends with the head.
    let recorder = Recorder::new();
    let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())));
    let response = layer(&recorder).layer(service).oneshot(get("/")).await;
    assert_eq!(recorder.span("g.http", Kind::Entry).errors(), 0);
    drop(response);

    // A server stops at the length that was announced.
    let recorder = Recorder::new();
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    let mut response = Some(
        Response::builder()
            .header("content-length", "5")
            .body(body)
            .unwrap(),
    );
    let service =
        service_fn(move |_| std::future::ready(Ok::<_, Infallible>(response.take().unwrap())));
    let response = layer(&recorder).layer(service).oneshot(get("/")).await;
    let mut body = response.unwrap().into_body();
    sender.send_data(Bytes::from("12345")).await.unwrap();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(recorder.span("g.http", Kind::Entry).errors(), 0);
}

#[tokio::test]
async fn size_and_end_of_the_body_are_its_own() {
    let recorder = Recorder::new();
    let service = layer(&recorder).layer(service_fn(hello));
    let body = service.oneshot(get("/")).await.unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(5));
    assert!(!body.is_end_stream());
}
