//! What every library records.

/// The request's method; constant, as libraries have it from an enum.
pub(crate) const METHOD: &str = "GET";
/// The route's template.
pub(crate) const TEMPLATE: &str = "/api/products/{id}";
/// The request's path.
pub(crate) const PATH: &str = "/api/products/12345";
/// The request's host.
pub(crate) const HOST: &str = "shop.example.com:8080";
/// The query.
pub(crate) const PARAMS: &str = "category=books&page=2";
/// The response's status.
pub(crate) const STATUS: u16 = 200;

/// The statement of an exit: 80 bytes.
pub(crate) const STATEMENT: &str =
    "select id, name, price from products where category = $1 order by price limit 20";
/// The connection of an exit: 40 bytes.
pub(crate) const CONNECTION: &str = "postgres-primary.shop.example.com:5432/a";
/// The user of an exit; constant.
pub(crate) const USER: &str = "shop";
/// The database of an exit; constant.
pub(crate) const DATABASE: &str = "catalogue";

const _: () = assert!(STATEMENT.len() == 80 && CONNECTION.len() == 40);

/// The low half of the trace that comes in.
pub(crate) const TRACE_ID: &str = "a3ce929d0e0e4736";
/// The caller's span.
pub(crate) const PARENT_ID: &str = "00f067aa0ba902b7";
/// Both, as the W3C writes them.
pub(crate) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// Our own member of `tracestate`.
pub(crate) const TRACESTATE: &str = "in=a3ce929d0e0e4736;00f067aa0ba902b7";
/// A foreign member behind our own.
pub(crate) const TRACESTATE_FOREIGN: &str =
    "in=a3ce929d0e0e4736;00f067aa0ba902b7,congo=t61rcWkgMzE,rojo=00f067aa0ba902b7";
/// A header that is captured.
pub(crate) const CAPTURED: &str = "x-a";
/// Another, which no request has.
pub(crate) const CAPTURED_ABSENT: &str = "x-b";
