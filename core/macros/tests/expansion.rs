//! Functions of every form expand to code that compiles, without a warning and
//! without a finding of clippy's pedantic lints, and does what it did.
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What the attribute's code names is not what is here.
mod hostile {
    /// Not the crate.
    pub(crate) mod instana {}
    /// Not the crate.
    pub(crate) mod core {}
    /// Not the crate.
    pub(crate) mod std {}

    type Result<T> = ::core::result::Result<T, u8>;

    /// Its variables are its own.
    #[::instana::trace(tags(span, output))]
    pub(crate) fn sync(span: u8, output: u8) -> Result<u8> {
        let future = span;
        Ok(future + output)
    }

    /// Its variables are its own.
    #[::instana::trace(tags(future))]
    pub(crate) async fn r#async(future: u8) -> Result<u8> {
        let span = future;
        let output = span;
        Ok(output)
    }
}

struct Basket<T> {
    items: Vec<T>,
}

impl<T: Clone + Debug> Basket<T> {
    /// An attribute below and one above, and a `where`.
    #[must_use]
    #[instana::trace]
    #[inline]
    fn first<'a>(&'a self, or: &'a T) -> &'a T
    where
        T: PartialEq,
    {
        self.items.first().unwrap_or(or)
    }

    #[instana::trace(tags(count = self.items.len()))]
    fn last(&mut self) -> Option<&mut T> {
        self.items.last_mut()
    }

    #[instana::trace]
    fn into_items(mut self) -> Vec<T> {
        self.items.reverse();
        self.items
    }

    #[instana::trace]
    fn shared(self: Arc<Self>) -> usize {
        self.items.len()
    }

    #[instana::trace]
    async fn pinned(self: Pin<&mut Self>) -> usize {
        ready().await;
        self.items.len()
    }

    #[instana::trace(tags(more = items.len()))]
    async fn add(&mut self, items: &[T]) -> &mut Self {
        ready().await;
        self.items.extend_from_slice(items);
        self
    }

    #[instana::trace]
    async fn show(&self) -> impl Display + use<'_, T> {
        ready().await;
        format!("{:?}", self.items)
    }

    #[instana::trace]
    fn each(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }
}

trait Shop {
    /// A method with a default.
    #[instana::trace(tags(n))]
    fn open(&self, n: u32) -> u32 {
        n + self.number()
    }

    fn number(&self) -> u32;

    fn visit(&self) -> impl Future<Output = u32> + Send;
}

impl Shop for u32 {
    #[instana::trace(name = "number", tags("a name" = *self))]
    fn number(&self) -> u32 {
        *self
    }

    #[instana::trace]
    async fn visit(&self) -> u32 {
        ready().await;
        *self
    }
}

#[async_trait::async_trait]
trait Boxed {
    async fn call(&self, text: &str) -> Result<usize, fmt::Error>;
}

#[async_trait::async_trait]
impl Boxed for u32 {
    #[instana::trace(tags(text))]
    async fn call(&self, text: &str) -> Result<usize, fmt::Error> {
        ready().await;
        Ok(text.len())
    }
}

async fn ready() {
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

#[instana::trace(tags(x, y, first = rest.0))]
fn destructured(Point { x, y: Y(y) }: Point, rest @ (a, [b, ..]): (u8, [u8; 3])) -> u8 {
    let (c, _) = rest;
    x + y + a + b + c
}

struct Point {
    x: u8,
    y: Y,
}

struct Y(u8);

#[instana::trace]
fn generic<const N: usize, T>(items: [T; N], mut map: impl FnMut(T) -> T) -> [T; N]
where
    T: Copy,
{
    items.map(&mut map).map(map)
}

#[instana::trace]
fn early(number: i32) -> Result<i32, Box<dyn std::error::Error>> {
    if number < 0 {
        return Ok(0);
    }
    let parsed: i32 = "3".parse()?;
    Ok(parsed + number)
}

#[instana::trace]
async fn early_async(number: i32) -> Result<impl Display + Debug, Box<dyn std::error::Error>> {
    if number < 0 {
        return Ok(0);
    }
    ready().await;
    let parsed: i32 = "3".parse()?;
    Ok(parsed + number)
}

#[instana::trace]
fn unit(text: &mut String) {
    #![expect(clippy::semicolon_if_nothing_returned, reason = "an attribute inside")]
    text.push('x')
}

#[instana::trace]
async fn unit_async(text: &mut String) {
    ready().await;
    text.push('y');
}

#[instana::trace]
fn never() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

#[instana::trace]
async fn never_async() -> ! {
    ready().await;
    std::panic::resume_unwind(Box::new("on purpose"))
}

#[instana::trace(errors = false)]
fn future(text: &str, fail: bool) -> impl Future<Output = Option<&str>> + Send + use<'_> {
    if fail {
        return maybe(None);
    }
    maybe(Some(text))
}

#[instana::trace]
fn future_of_nothing(_: &str) -> impl Future<Output = usize> + use<> {
    async { 3 }
}

async fn maybe(text: Option<&str>) -> Option<&str> {
    ready().await;
    text
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[instana::trace]
fn aliased(text: &str) -> BoxFuture<'_, usize> {
    Box::pin(async move {
        ready().await;
        text.len()
    })
}

#[instana::trace(crate = instana, kind = exit)]
fn unsized_error() -> Result<Box<dyn Fn() -> u8>, &'static str> {
    Ok(Box::new(|| 3))
}

fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

const fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn functions_do_what_they_did() {
    assert_eq!(hostile::sync(1, 2), Ok(3));
    assert_eq!(finish(hostile::r#async(4)), Ok(4));
    let point = Point { x: 1, y: Y(2) };
    assert_eq!(destructured(point, (3, [4, 5, 6])), 13);
    assert_eq!(generic([1, 2], |item| item * 2), [4, 8]);
    assert_eq!(early(-1).ok(), Some(0));
    assert_eq!(early(4).ok(), Some(7));
    let mut text = String::new();
    unit(&mut text);
    finish(is_send(unit_async(&mut text)));
    assert_eq!(text, "xy");
    assert_eq!(unsized_error().map(|value| value()), Ok(3));
    assert!(std::panic::catch_unwind(|| -> () { never() }).is_err());
    assert!(std::panic::catch_unwind(|| -> () { finish(never_async()) }).is_err());
}

#[test]
fn futures_do_what_they_did() {
    assert_eq!(
        finish(early_async(-1))
            .map(|n| n.to_string())
            .ok()
            .as_deref(),
        Some("0")
    );
    assert_eq!(
        finish(early_async(4))
            .map(|n| n.to_string())
            .ok()
            .as_deref(),
        Some("7")
    );
    assert_eq!(finish(is_send(future("a", false))), Some("a"));
    assert_eq!(finish(future("a", true)), None);
    let of_nothing = future_of_nothing(&String::from("gone"));
    assert_eq!(finish(of_nothing), 3);
    assert_eq!(finish(is_send(aliased("four"))), 4);
    assert_eq!(finish(is_send(7_u32.visit())), 7);
    assert_eq!(finish(is_send(7_u32.call("abc"))), Ok(3));
}

#[test]
fn methods_do_what_they_did() {
    let mut basket = Basket { items: vec![1, 2] };
    assert_eq!(*basket.first(&0), 1);
    *basket.last().unwrap() = 5;
    assert_eq!(finish(basket.add(&[6])).items, [1, 5, 6]);
    assert_eq!(format!("{}", finish(basket.show())), "[1, 5, 6]");
    assert_eq!(basket.each().sum::<i32>(), 12);
    assert_eq!(finish(Pin::new(&mut basket).pinned()), 3);
    assert_eq!(basket.into_items(), [6, 5, 1]);
    assert_eq!(Arc::new(Basket { items: vec![0] }).shared(), 1);
    assert_eq!(3_u32.open(4), 7);
}
