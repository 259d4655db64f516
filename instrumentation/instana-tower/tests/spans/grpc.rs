//! gRPC, whose status is not that of HTTP.

use http::HeaderMap;

use super::*;

const GRPC: &str = "application/grpc";

fn status(code: &'static str, message: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", code.parse().unwrap());
    if !message.is_empty() {
        headers.insert("grpc-message", message.parse().unwrap());
    }
    headers
}

/// The entry of a call that is answered with these headers, data and trailers.
async fn recorded(
    content_type: &str,
    head: HeaderMap,
    data: &[&'static str],
    trailers: Option<HeaderMap>,
) -> RecordedSpan {
    let recorder = Recorder::new();
    let (mut sender, body) = Channel::<Bytes, BoxError>::new(8);
    let mut response = Response::new(body);
    *response.headers_mut() = head;
    let headers = response.headers_mut();
    headers.insert("content-type", content_type.parse().unwrap());
    let mut response = Some(response);
    let service =
        service_fn(move |_| std::future::ready(Ok::<_, Infallible>(response.take().unwrap())));
    for data in data {
        sender.send_data(Bytes::from(*data)).await.unwrap();
    }
    if let Some(trailers) = trailers {
        sender.send_trailers(trailers).await.unwrap();
    }
    drop(sender);
    call(layer(&recorder).layer(service), get("/shop.Orders/Get")).await;
    recorder.span("g.http", Kind::Entry)
}

#[tokio::test]
async fn the_status_of_a_call_is_in_its_trailers() {
    for (code, message, expected) in [
        ("0", "", ""),
        ("5", "no%20such order", "NOT_FOUND: no such order"),
        ("1", "", "CANCELLED"),
        ("13", "f%C3%BCr", "INTERNAL: für"),
        ("9999", "%zz", "UNKNOWN: %zz"),
        ("x", "", "UNKNOWN"),
    ] {
        let errors = u64::from(!expected.is_empty());
        for content_type in [GRPC, "application/grpc+proto", "Application/GRPC; a=b"] {
            let trailers = Some(status(code, message));
            let entry = recorded(content_type, HeaderMap::new(), &["a", "b"], trailers).await;
            assert_eq!(entry.text("data.http.error").unwrap_or_default(), expected);
            assert_eq!(entry.errors(), errors);
            assert_eq!(entry.integer("data.http.status"), Some(200));
            // Without a message, in the head alone.
            let entry = recorded(content_type, status(code, message), &[], None).await;
            assert_eq!(entry.text("data.http.error").unwrap_or_default(), expected);
            assert_eq!(entry.errors(), errors);
        }
    }
}

#[tokio::test]
async fn a_call_without_a_status_is_an_error() {
    for trailers in [None, Some(HeaderMap::new())] {
        let entry = recorded(GRPC, HeaderMap::new(), &["a"], trailers).await;
        assert_eq!(
            entry.text("data.http.error").unwrap_or_default(),
            "UNKNOWN: no grpc-status"
        );
    }
    let web = "application/grpc-web+proto";
    let entry = recorded(web, HeaderMap::new(), &["a"], None).await;
    assert_eq!(entry.errors(), 0, "its trailers are part of the body");
    let entry = recorded(web, status("5", ""), &[], None).await;
    assert_eq!(
        entry.text("data.http.error").unwrap_or_default(),
        "NOT_FOUND"
    );
}

#[tokio::test]
async fn of_other_content_it_is_a_header_as_any() {
    let trailers = Some(status("5", "a"));
    for content_type in ["application/json", "application/grpcx", "text/plain"] {
        let entry = recorded(content_type, status("5", "a"), &["a"], trailers.clone()).await;
        assert_eq!(entry.errors(), 0, "{content_type}");
    }
}

#[tokio::test]
async fn a_client_may_leave_a_stream_and_secrets_are_hidden() {
    let recorder = Recorder::new();
    let (mut sender, body) = Channel::<Bytes, BoxError>::new(8);
    let response = Response::builder().header("content-type", GRPC);
    let mut response = Some(response.body(body).unwrap());
    let service =
        service_fn(move |_| std::future::ready(Ok::<_, Infallible>(response.take().unwrap())));
    sender.send_data(Bytes::from("a")).await.unwrap();
    let response = layer(&recorder).layer(service).oneshot(get("/")).await;
    let mut body = response.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(recorder.span("g.http", Kind::Entry).errors(), 0);

    let trailers = Some(status("16", "password=hunter2 is%20wrong"));
    let entry = recorded(GRPC, HeaderMap::new(), &[], trailers).await;
    assert_eq!(
        entry.text("data.http.error").unwrap_or_default(),
        "UNAUTHENTICATED: password=<redacted> is wrong"
    );
}
