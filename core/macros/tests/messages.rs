//! What the compiler says where the attribute is not used as it is meant.
//!
//! `TRYBUILD=overwrite cargo test -p instana-macros --test messages` writes the
//! messages anew.

#[test]
fn messages_tell_what_to_do() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
