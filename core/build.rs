//! `links = "instana"` in the manifest makes Cargo refuse two copies of the
//! tracer in one binary; Cargo wants a build script beside it. It also hands
//! the compiler's version and the target to the snapshot.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
