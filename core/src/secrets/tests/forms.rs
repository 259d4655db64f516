//! Forms in which the pair of a key and its value stands in other texts.

use crate::secrets::tests::*;

#[test]
fn names_behind_escaped_separators_are_keys() {
    let token = Matcher::parse("equals:token", &mut Vec::new()).unwrap();
    for (matcher, given) in [
        (
            Matcher::default(),
            r#"{"url":"http://h/?a=1\u0026X-Amz-Signature=hunter2"}"#,
        ),
        (
            Matcher::default(),
            r#"{"url":"http://h/?a=1\u0026sig=hunter2"}"#,
        ),
        (
            Matcher::default(),
            "<Message>https://h/?se=1&amp;sig=hunter2</Message>",
        ),
        (Matcher::default(), "https://h/?se=1;sig=hunter2"),
        (Matcher::default(), r"GET /?password\u003dhunter2 failed"),
        (
            Matcher::default(),
            r#"{"url":"http://h/?a=1\u0026api_key\u003Dhunter2"}"#,
        ),
        (token.clone(), r"http://h/?a=1\u0026token=hunter2"),
        (token.clone(), r#""a\ntoken=hunter2""#),
        (token, r"http://h/?a=1\u0026token\u003dhunter2"),
    ] {
        let mut out = String::new();
        text(&matcher, given, &mut out);
        assert!(
            !out.contains("hunter2") && out.contains(REDACTED),
            "{given}: {out}"
        );
        assert!(may_hold_secret(&matcher, given), "{given}");
    }
}

#[test]
fn pairs_of_debug_output_are_pairs() {
    assert_table(
        text,
        &[
            (
                r#"[("grant_type", "password"), ("password", "hunter2")]"#,
                r#"[("grant_type", "password"), ("password", "<redacted>")]"#,
            ),
            (
                r#"query: [("api_key", "hunter2")], x"#,
                r#"query: [("api_key", "<redacted>")], x"#,
            ),
            (
                r#"[("authorization", "Bearer hunter2")]"#,
                r#"[("authorization", "<redacted>")]"#,
            ),
            (
                r#"[(\"password\", \"hunter2\")]"#,
                r#"[(\"password\", \"<redacted>\")]"#,
            ),
            (
                r#"[["password", "hunter2"], ["a", "b"]]"#,
                r#"[["password", "<redacted>"], ["a", "b"]]"#,
            ),
            (
                r#"("password", Some("hunter2"), 1)"#,
                r#"("password", <redacted>, 1)"#,
            ),
            (
                r#"Header { name: "x-api-key", value: "hunter2" }"#,
                r#"Header { name: "x-api-key", value: "<redacted>" }"#,
            ),
            (
                r#"{"name":"password","value":"hunter2"}"#,
                r#"{"name":"password","value":"<redacted>"}"#,
            ),
            (
                r#"Header { key: "password", value: "hunter2" }"#,
                r#"Header { key: "<redacted>", value: "<redacted>" }"#,
            ),
            (r#"("a", "b"), ["c", "d"]"#, r#"("a", "b"), ["c", "d"]"#),
            (
                "one of 'password', 'token', expected",
                "one of 'password', 'token', expected",
            ),
            (
                r#"name: "users", value: "b""#,
                r#"name: "users", value: "b""#,
            ),
        ],
    );
    assert!(may_hold_secret(&Matcher::default(), r#"("password", "x")"#));
}

#[test]
fn values_end_where_their_form_says() {
    assert_table(
        text,
        &[
            ("password: “a hunter2” x", "password: <redacted> x"),
            ("password: „a hunter2“ x", "password: <redacted> x"),
            ("password=«a hunter2» x", "password=<redacted> x"),
            ("password: ‘a hunter2’, x", "password: <redacted>, x"),
            ("password: “a hunter2", "password: <redacted>"),
            ("“password”: hunter2", "“password”: <redacted>"),
            (
                r#"password: Wrapper<a::T, U<V>> { v: "a hunter2" } x"#,
                "password: <redacted> x",
            ),
            (
                r#"password: Wrapper::<T>("a hunter2") x"#,
                "password: <redacted> x",
            ),
            (
                "passwords:\n  - a b\n  - hunter2\nother: c",
                "passwords:\n  <redacted>\nother: c",
            ),
            (
                "passwords:\n- a b\n- hunter2\nother: c",
                "passwords:\n<redacted>\nother: c",
            ),
            (
                "a:\n  password: |\n    hunter2\n\n    and more\n  other: c",
                "a:\n  password: |\n    <redacted>\n  other: c",
            ),
            (
                "password: >-\n  a b\n  hunter2\nother: c",
                "password: >-\n  <redacted>\nother: c",
            ),
            (
                "passwords:\n  a: b c\n  d:\n    - hunter2\nother: c",
                "passwords:\n  <redacted>\nother: c",
            ),
            ("a: |\n  b\n  c", "a: |\n  b\n  c"),
        ],
    );
}

#[test]
fn users_cookies_and_dotted_names_are_found() {
    assert_table(
        text,
        &[
            (
                "user.access_token=hunter2 x",
                "user.access_token=<redacted> x",
            ),
            (
                "dial user:hun/ter2@tcp(h)/d: refused",
                "dial <redacted>:<redacted>@tcp(h)/d: refused",
            ),
            ("at 10:30/a@b", "at 10:30/a@b"),
        ],
    );
    assert_table(
        query,
        &[
            ("filter={'password':'hunter2'}&b=1", "filter=<redacted>&b=1"),
            ("filter={password:hunter2}&b=1", "filter=<redacted>&b=1"),
            (
                "filter=%7Bpassword%3Ahunter2%7D&b=1",
                "filter=<redacted>&b=1",
            ),
            ("authorization=Bearer%20hunter2", "authorization=<redacted>"),
            ("filter={'a':'b'}&b={c:d}", "filter={'a':'b'}&b={c:d}"),
        ],
    );
    let mut out = String::new();
    let cookie = r#"a=1; filter={"password":"hunter2"}; c=2"#;
    header(&Matcher::default(), "cookie", cookie, &mut out);
    assert_eq!(out, r#"a=1; filter={"password":"<redacted>"}; c=2"#);
    for name in ["http.request.header.authorization", "http.access_token"] {
        assert!(is_secret_name(&Matcher::default(), name), "{name}");
    }
}
