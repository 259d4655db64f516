//! What the spans of traced functions say.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use instana::Span;
use instana::propagation::Incoming;
use instana::span::Kind;
use instana::span::http::ENTRY;
use instana::testing::{RecordedSpan, Recorder};

/// Runs `f` inside an entry; returns the spans below it.
fn below<R>(f: impl FnOnce() -> R) -> (R, Vec<RecordedSpan>) {
    let recorder = Recorder::new();
    let result = recorder.enter_entry(f);
    let entry = recorder.span("sdk", Kind::Entry);
    let mut spans = recorder.spans();
    spans.retain(|span| span.id() != entry.id());
    (result, spans)
}

/// As [`below`], for one span.
fn only<R>(f: impl FnOnce() -> R) -> (R, RecordedSpan) {
    let (result, mut spans) = below(f);
    assert_eq!(spans.len(), 1, "{spans:?}");
    (result, spans.remove(0))
}

fn name(span: &RecordedSpan) -> String {
    span.text("data.sdk.name").unwrap_or_default()
}

fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

async fn pending_once() {
    let mut polled = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut polled, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[instana::trace]
fn plain(secret: &str) -> usize {
    instana::span("inside").end();
    secret.len()
}

#[test]
fn a_function_is_an_intermediate_span_without_its_arguments() {
    let (len, spans) = below(|| plain("hunter2"));
    assert_eq!(len, 7);
    let [inside, span] = spans.as_slice() else {
        panic!("{spans:?}");
    };
    assert_eq!(name(span), "spans::plain");
    assert_eq!(span.kind(), Kind::Intermediate);
    assert_eq!(inside.parent(), span.id());
    assert!(!span.json().contains("hunter2") && !span.has("data.sdk.custom"));
}

struct User {
    id: u64,
    name: String,
}

#[instana::trace(
    name = "load",
    kind = exit,
    tags(count, user = user.id, "user.name" = user.name, text = kind.to_string(), r#type)
)]
fn named(count: i8, user: &User, kind: fmt::Arguments<'_>, r#type: String) -> String {
    assert!(count < 0 && user.id > 0 && kind.as_str().is_none());
    r#type
}

#[test]
fn tags_are_arguments_and_expressions() {
    let user = User {
        id: 7,
        name: "ada".to_owned(),
    };
    let (kind, n) = ("a", 3);
    let (result, span) = only(|| named(-1, &user, format_args!("{kind}{n}"), "b".to_owned()));
    assert_eq!(result, "b");
    assert_eq!((name(&span).as_str(), span.kind()), ("load", Kind::Exit));
    assert_eq!(span.integer("data.sdk.custom.tags.count"), Some(-1));
    assert_eq!(span.integer("data.sdk.custom.tags.user"), Some(7));
    assert!(span.json().contains(r#""user.name":"ada""#), "{span:?}");
    assert_eq!(span.tag("text").as_deref(), Some("\"a3\""));
    assert_eq!(span.tag("type").as_deref(), Some("\"b\""));
}

thread_local! {
    static EVALUATED: Cell<u32> = const { Cell::new(0) };
}

fn evaluated() -> u32 {
    EVALUATED.set(EVALUATED.get() + 1);
    EVALUATED.get()
}

#[instana::trace(tags(n = evaluated()))]
fn counted() -> u32 {
    3
}

#[test]
fn tags_are_not_evaluated_for_nothing() {
    assert_eq!(counted(), 3, "without a tracer");
    let recorder = Recorder::new();
    recorder.enter(|| {
        assert_eq!(counted(), 3, "without an entry");
        let mut suppressed = Span::entry(&ENTRY, &Incoming::suppressed());
        assert_eq!(suppressed.enter(counted), 3, "suppressed");
    });
    assert_eq!(EVALUATED.get(), 0);
    let (_, span) = only(counted);
    assert_eq!(span.integer("data.sdk.custom.tags.n"), Some(1));
}

#[instana::trace(kind = entry)]
async fn job() {
    pending_once().await;
    instana::exit_span("call").end();
}

#[test]
fn an_async_entry_is_entered_at_each_poll() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut job = pin!(job());
        assert!(poll(job.as_mut()).is_pending());
        assert!(instana::current_ids().is_none());
        assert!(poll(job.as_mut()).is_ready());
    });
    let job = recorder.span("sdk", Kind::Entry);
    assert_eq!(name(&job), "spans::job");
    assert_eq!(recorder.span("sdk", Kind::Exit).parent(), job.id());
}

#[instana::trace(kind = exit, tags(to))]
async fn call(to: &str) -> usize {
    std::future::pending::<()>().await;
    to.len()
}

#[test]
fn an_async_exit_that_is_dropped_is_cancelled() {
    let ((), span) = only(|| assert!(poll(pin!(call("stock"))).is_pending()));
    assert_eq!(span.tag("to").as_deref(), Some("\"stock\""));
    let error = span.error_text().unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
}

#[test]
fn an_async_function_that_is_never_polled_is_no_span() {
    let ((), spans) = below(|| drop(call("stock")));
    assert!(spans.is_empty(), "{spans:?}");
}

#[instana::trace]
fn returns_future(fail: bool) -> impl Future<Output = Result<u8, fmt::Error>> {
    instana::span("at once").end();
    async move {
        pending_once().await;
        instana::span("later").end();
        if fail { Err(fmt::Error) } else { Ok(3) }
    }
}

#[instana::trace]
fn returns_boxed() -> Pin<Box<dyn Future<Output = Result<u8, fmt::Error>> + Send>> {
    Box::pin(async {
        pending_once().await;
        Err(fmt::Error)
    })
}

#[test]
fn a_function_that_returns_a_future_is_a_span_until_its_end() {
    let (result, spans) = below(|| finish(returns_future(true)));
    assert_eq!(result, Err(fmt::Error));
    let [at_once, later, span] = spans.as_slice() else {
        panic!("{spans:?}");
    };
    assert_eq!(at_once.parent(), span.id());
    assert_eq!(later.parent(), span.id());
    assert_eq!(span.errors(), 1);
    let (result, span) = only(|| finish(returns_boxed()));
    assert_eq!(result, Err(fmt::Error));
    assert_eq!(span.errors(), 1);
}

#[derive(Debug)]
struct Refused(fmt::Error);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// As in `anyhow`: no error, but it lends one.
struct Anyhow(Refused);

impl fmt::Display for Anyhow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("in a context")
    }
}

impl AsRef<dyn Error + Send + Sync> for Anyhow {
    fn as_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &self.0
    }
}

impl AsRef<dyn Error> for Anyhow {
    fn as_ref(&self) -> &(dyn Error + 'static) {
        &self.0
    }
}

struct Unknown;

type Alias<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[instana::trace]
fn error() -> Result<(), Refused> {
    Err(Refused(fmt::Error))
}

#[instana::trace]
fn boxed() -> Alias<()> {
    Err(Refused(fmt::Error).into())
}

#[instana::trace]
fn boxed_local() -> Result<(), Box<dyn Error>> {
    Err(Refused(fmt::Error))?
}

#[instana::trace]
fn lent() -> Result<(), Anyhow> {
    Err(Anyhow(Refused(fmt::Error)))
}

#[instana::trace]
fn displayed() -> Result<(), &'static str> {
    Err("refused")
}

#[instana::trace]
fn generic<E: Error>(error: E) -> Result<(), E> {
    Err(error)
}

#[instana::trace]
async fn in_async() -> Result<impl fmt::Debug, Refused> {
    pending_once().await;
    if true {
        return Err(Refused(fmt::Error));
    }
    Ok(3)
}

#[test]
fn errors_are_recorded_as_far_as_they_are_known() {
    let whole = "refused: an error occurred when formatting an argument";
    type Failing = fn() -> bool;
    let table: [(Failing, &str, Option<&str>); 7] = [
        (|| error().is_err(), whole, Some("spans::Refused")),
        (|| boxed().is_err(), whole, None),
        (|| boxed_local().is_err(), whole, None),
        (|| lent().is_err(), whole, None),
        (|| displayed().is_err(), "refused", None),
        (
            || generic(Refused(fmt::Error)).is_err(),
            whole,
            Some("spans::Refused"),
        ),
        (
            || finish(in_async()).is_err(),
            whole,
            Some("spans::Refused"),
        ),
    ];
    for (failing, text, type_name) in table {
        let (is_error, span) = only(failing);
        assert!(is_error);
        assert_eq!(span.error_text().as_deref(), Some(text), "{span:?}");
        assert_eq!(span.errors(), 1);
        let expected = type_name.map(|name| format!(r#""error.type":"{name}""#));
        let json = span.json();
        assert!(expected.is_none_or(|tag| json.contains(&tag)), "{json}");
        assert_eq!(json.contains("error.type"), type_name.is_some(), "{json}");
    }
}

#[instana::trace]
fn unknown() -> Result<u8, Unknown> {
    Err(Unknown)
}

#[instana::trace]
fn by_hand() -> Result<u8, Refused> {
    instana::current(|span| span.error("no card"));
    Err(Refused(fmt::Error))
}

#[instana::trace(errors = false)]
fn expected() -> Result<u8, Refused> {
    Err(Refused(fmt::Error))
}

#[instana::trace]
fn fine() -> Result<u8, Refused> {
    Ok(3)
}

#[test]
fn errors_can_be_said_otherwise() {
    let (_, span) = only(unknown);
    assert_eq!((span.errors(), span.error_text()), (1, None));
    let (_, span) = only(by_hand);
    assert_eq!(span.error_text().as_deref(), Some("no card"));
    assert_eq!(span.errors(), 1);
    let (_, span) = only(expected);
    assert_eq!((span.errors(), span.error_text()), (0, None));
    let (_, span) = only(fine);
    assert_eq!((span.errors(), span.error_text()), (0, None));
}

#[instana::trace]
fn panics() {
    std::panic::resume_unwind(Box::new("on purpose"));
}

#[test]
fn a_panic_goes_on() {
    let (result, span) = only(|| std::panic::catch_unwind(panics));
    assert!(result.is_err());
    assert_eq!(span.error_text().as_deref(), Some("panicked"));
}

#[test]
fn without_a_tracer_functions_do_what_they_did() {
    assert_eq!(plain("abc"), 3);
    assert_eq!(finish(returns_future(false)), Ok(3));
    assert!(error().is_err());
}
