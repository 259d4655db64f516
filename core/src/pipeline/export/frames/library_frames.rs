//! What is on every stack and says nothing about the application.

use crate::pipeline::export::frames::{name, path};

/// Crates whose frames are left out: the tracer and its instrumentation (also all
/// that begin with `instana_`), the standard library, executors, and what carries
/// requests between sockets and handlers.
const CRATES: &[&str] = &[
    "instana",
    // The standard library.
    "alloc",
    "core",
    "panic_unwind",
    "proc_macro",
    "std",
    "test",
    // Executors and their helpers.
    "async_executor",
    "async_global_executor",
    "async_io",
    "async_std",
    "async_task",
    "blocking",
    "crossbeam_channel",
    "crossbeam_utils",
    "futures",
    "futures_channel",
    "futures_core",
    "futures_executor",
    "futures_lite",
    "futures_task",
    "futures_util",
    "parking_lot",
    "pin_project",
    "pin_project_lite",
    "polling",
    "rayon",
    "rayon_core",
    "scoped_tls",
    "smol",
    "sync_wrapper",
    "tokio",
    "tokio_stream",
    "tokio_util",
    // Servers, clients and their middleware.
    "actix_http",
    "actix_rt",
    "actix_server",
    "actix_service",
    "actix_web",
    "aws_smithy_async",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "axum",
    "axum_core",
    "axum_extra",
    "h2",
    "http_body",
    "http_body_util",
    "hyper",
    "hyper_rustls",
    "hyper_timeout",
    "hyper_tls",
    "hyper_util",
    "reqwest",
    "reqwest_middleware",
    "tonic",
    "tower",
    "tower_http",
    "tower_layer",
    "tower_service",
    "warp",
    // Other instrumentation.
    "tracing",
    "tracing_core",
    "tracing_futures",
];

/// Functions by which the system starts a program or a thread, and which the
/// compiler adds.
const FUNCTIONS: &[&str] = &[
    "__clone",
    "__clone3",
    "__libc_start_call_main",
    "__libc_start_main",
    "_start",
    "clone",
    "clone3",
    "main",
    "rust_begin_unwind",
    "rust_panic",
    "start_thread",
];

/// Beginnings of such names.
const FUNCTION_PREFIXES: &[&str] = &["_Unwind_", "__libc_start_", "__rust_", "_dl_"];

/// Libraries of the system, by the beginning of their file's name.
const SYSTEM: &[&str] = &[
    "ld-linux",
    "ld-musl",
    "libc-",
    "libc.",
    "libgcc_s",
    "libpthread",
    "[vdso]",
];

/// Whether the code with this demangled name, in this file, is not the
/// application's.
pub(crate) fn is_library(function: &str, file: Option<&str>) -> bool {
    // Shims have the name of the function that they call.
    if function.contains("{shim:") || function.contains("vtable.shim") {
        return true;
    }
    match name::crate_of(function) {
        Some(of_name) if is_listed(of_name) => true,
        None if is_start(function) => true,
        _ => file.is_some_and(|file| path::crate_of(file).is_some_and(is_listed) || is_ours(file)),
    }
}

/// Whether it is a file of the tracer or of its instrumentation, where they are
/// not from a registry: with line tables only, functions that were inlined have
/// names without crates.
fn is_ours(file: &str) -> bool {
    // As the compiler got the path: absolute, or below the workspace.
    let sources = file!().trim_end_matches("pipeline/export/frames/library_frames.rs");
    let is_core = |at: usize| {
        at == 0 || !sources.starts_with('/') && file.as_bytes().get(at - 1) == Some(&b'/')
    };
    file.contains("/instrumentation/instana-") || file.find(sources).is_some_and(is_core)
}

/// Whether it is a library of the system.
pub(crate) fn is_system(module: &str) -> bool {
    let name = path::file_name(module);
    SYSTEM.iter().any(|start| name.starts_with(start))
}

/// With `-` or `_` in the name.
fn is_listed(name: &str) -> bool {
    let name = name.replace('-', "_");
    name.starts_with("instana_") || CRATES.contains(&name.as_str())
}

fn is_start(function: &str) -> bool {
    FUNCTIONS.contains(&function)
        || FUNCTION_PREFIXES
            .iter()
            .any(|prefix| function.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_is_told_from_the_rest() {
        const REGISTRY: &str = "/h/.cargo/registry/src/index-0";
        for (function, file, expected) in [
            ("shop::main", None, false),
            ("shop::main", Some("/home/me/shop/src/main.rs"), false),
            ("instana::span::Span::exit", None, true),
            ("instana_sqlx::pool::fetch", None, true),
            ("instanaz::main", None, false),
            ("tokio::runtime::park::block_on", None, true),
            ("tokio_postgres::query", None, false),
            ("<shop::Svc as tower::Service<R>>::call", None, false),
            (
                "<shop::Svc as tower::Service<R>>::call",
                Some("/rustc/0/library/core/src/x.rs"),
                true,
            ),
            (
                "<shop::Svc as tower::Service<R>>::call::{shim:vtable#0}",
                None,
                true,
            ),
            (
                "sqlx_core::query",
                Some("REGISTRY/sqlx-core-0.8.1/src/query.rs"),
                false,
            ),
            (
                "{unknown}",
                Some("REGISTRY/hyper-util-0.1.10/src/lib.rs"),
                true,
            ),
            ("{unknown}", None, false),
            ("main", None, true),
            ("__libc_start_call_main", None, true),
            ("__rust_begin_short_backtrace", None, true),
            ("qsort", None, false),
        ] {
            let file = file.map(|file| file.replace("REGISTRY", REGISTRY));
            let is = is_library(function, file.as_deref());
            assert_eq!(is, expected, "{function} in {file:?}");
        }
    }

    #[test]
    fn libraries_of_the_system_are_known() {
        let libraries = [
            "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "/lib/ld-musl-x86_64.so.1",
            "[vdso]",
        ];
        assert!(libraries.into_iter().all(is_system));
        assert!(!is_system("/opt/shop/libcatalogue.so"));
    }
}
