//! Tables of what is written, and properties for all texts.

mod linear;

use proptest::prelude::*;

use crate::secrets::*;

type Redact = fn(&Matcher, &str, &mut String);

fn applied(redact: Redact, text: &str) -> String {
    let mut out = String::new();
    redact(&Matcher::default(), text, &mut out);
    out
}

fn assert_table(redact: Redact, rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(applied(redact, text), *expected, "{text}");
        assert_eq!(applied(redact, expected), *expected, "again: {text}");
    }
}

#[test]
fn queries() {
    assert_table(
        query,
        &[
            ("", ""),
            ("?", ""),
            ("?a=1&b=2", "a=1&b=2"),
            ("z=1&password=x&a=%20+2", "z=1&password=<redacted>&a=%20+2"),
            (
                "password=a&password=b",
                "password=<redacted>&password=<redacted>",
            ),
            ("password=", "password=<redacted>"),
            ("password", "password"),
            ("%70assword=x", "%70assword=<redacted>"),
            ("my+key=x", "my+key=<redacted>"),
            ("a=1;secret=x;b=2", "a=1;secret=<redacted>;b=2"),
            ("secret=x;y?z&b=2", "secret=<redacted>&b=2"),
            ("to=/login?key=x&b", "to=/login?key=<redacted>&b"),
            ("key=a=b==", "key=<redacted>"),
            ("&&a&=key&", "&&a&=key&"),
            ("a=1#access_key=x", "a=1"),
            ("user[password]=x", "user[password]=<redacted>"),
            ("schlüssel=ü&KEYü=ß", "schlüssel=ü&KEYü=<redacted>"),
            (
                "to=https%3A%2F%2Fh%2F%3Fa%3D1%26key%3Dx&b=2",
                "to=<redacted>&b=2",
            ),
            ("to=%252F%253Fkey%253Dx", "to=<redacted>"),
            ("to=%25252F%25253Fkey%25253Dx", "to=<redacted>"),
            ("to=%2F%3Fpage%3D2+3&b", "to=%2F%3Fpage%3D2+3&b"),
            ("a%26key%3Dx;y&b", "<redacted>&b"),
            ("a%3Fpass%3Dx%26b=1", "<redacted>"),
            ("to=http://u:p;q@h;c=1", "to=<redacted>;c=1"),
            ("to=http%3A%2F%2Fu%3Ap%40h", "to=<redacted>"),
            ("to=http://h/x;c@d&e=1", "to=http://h/x;c@d&e=1"),
            ("f={\"key\":\"x\"}&b", "f=<redacted>&b"),
            ("f=%7B%22a%22%3A1%2C%22key%22%3A%22x%22%7D", "f=<redacted>"),
            ("sort=key:asc&v=monkey==", "sort=key:asc&v=monkey=="),
            ("mail=a@b&q=a%20b", "mail=a@b&q=a%20b"),
            ("a=b=key=x", "a=<redacted>"),
        ],
    );
}

#[test]
fn urls() {
    assert_table(
        url,
        &[
            ("", ""),
            ("http://h:80/a?b#c", "http://h:80/a"),
            ("http://h#c", "http://h"),
            ("http://u:p@h/a@b", "http://<redacted>:<redacted>@h/a@b"),
            ("http://token@h", "http://<redacted>:<redacted>@h"),
            ("http://u:p/?q#@h/a?b", "http://<redacted>:<redacted>@h/a"),
            ("//u:p@h/a", "//<redacted>:<redacted>@h/a"),
            ("u:p@h:1/a", "<redacted>:<redacted>@h:1/a"),
            ("/a/b@c", "/a/b@c"),
            ("/go?to=http://u:p@h", "/go"),
            ("http://[::1]:8/a", "http://[::1]:8/a"),
            (
                "http://h/a;key=x;v=1/b;%6bey=y",
                "http://h/a;key=<redacted>;v=1/b;%6bey=<redacted>",
            ),
            ("*", "*"),
        ],
    );
}

#[test]
fn paths() {
    assert_table(
        path,
        &[
            ("/", "/"),
            (
                "/a;key=x/b;c=1;secret=y?z=1",
                "/a;key=<redacted>/b;c=1;secret=<redacted>",
            ),
            ("/a;key=x;y/b", "/a;key=<redacted>/b"),
            ("/key/x#f", "/key/x"),
            ("http://u:p@h/a?b", "http://<redacted>:<redacted>@h/a"),
            ("//u:p@h/a", "//<redacted>:<redacted>@h/a"),
            ("/a/http://b@c", "/a/http://b@c"),
        ],
    );
}

#[test]
fn texts() {
    assert_table(
        text,
        &[
            (
                "connection refused (os error 111)",
                "connection refused (os error 111)",
            ),
            ("std::key::Error: no", "std::key::Error: no"),
            (
                "GET https://u:p@h:1/a?key=x&b=2: timed out",
                "GET https://<redacted>:<redacted>@h:1/a?key=<redacted>&b=2: timed out",
            ),
            (
                "cannot open \"postgres://u:p/w@h/db\", giving up",
                "cannot open \"postgres://<redacted>:<redacted>@h/db\", giving up",
            ),
            ("tcp://h:1;password=x y", "tcp://h:1;password=<redacted> y"),
            (r#"["a?key=x","b"]"#, r#"["a?key=<redacted>","b"]"#),
            ("(http://key:80/a)", "(http://key:80/a)"),
            (
                "bad password=hunter2, sorry",
                "bad password=<redacted>, sorry",
            ),
            ("PWD=a b c;Server=d", "PWD=<redacted>;Server=d"),
            ("password=a&b c", "password=<redacted> c"),
            ("wrong password: hunter2", "wrong password: <redacted>"),
            (
                r#"{"password": "a \" b", "user": "c"}"#,
                r#"{"password": "<redacted>", "user": "c"}"#,
            ),
            (
                r#"{\"password\":\"a b\",\"user\":\"c\"}"#,
                r#"{\"password\":\"<redacted>\",\"user\":\"c\"}"#,
            ),
            (
                r#"Config { password: Some("a b"), port: 1 }"#,
                "Config { password: <redacted>, port: 1 }",
            ),
            ("secret => 'a''b' c", "secret => '<redacted>' c"),
            ("env[\"API_KEY\"] = abc", "env[\"API_KEY\"] = <redacted>"),
            ("password=", "password="),
            ("password='' x=1", "password='' x=1"),
            ("password=abc is wrong; retry", "password=<redacted>; retry"),
            ("%70assword=x y", "%70assword=<redacted> y"),
            ("KeyError: 'users'", "KeyError: 'users'"),
            ("NoSuchKey: none here", "NoSuchKey: none here"),
            (
                "no such key: users, password: x",
                "no such key: users, password: <redacted>",
            ),
            ("api_key: abc123", "api_key: <redacted>"),
            ("bad api key: abc123", "bad api key: <redacted>"),
            ("KeyError=x", "KeyError=<redacted>"),
            ("{\"KeyError\": \"x\"}", "{\"KeyError\": \"<redacted>\"}"),
            ("Authorization: Bearer abc def", "Authorization: <redacted>"),
            (
                "dial u:p@w@tcp(h:1)/db: refused",
                "dial <redacted>:<redacted>@tcp(h:1)/db: refused",
            ),
            ("h:5000/image@sha256:ab", "h:5000/image@sha256:ab"),
            ("from bob@h: refused", "from bob@h: refused"),
        ],
    );
}

#[test]
fn all_of_a_value_is_hidden() {
    assert_table(
        text,
        &[
            (
                r#"password: Some("a b"), x: 1"#,
                "password: <redacted>, x: 1",
            ),
            (r#"password: Password("a b") x"#, "password: <redacted> x"),
            (
                r#"Login { password: Secret { inner: "a b" }, n: 1 }"#,
                "Login { password: <redacted>, n: 1 }",
            ),
            (r#"password: Ok("a b")"#, "password: <redacted>"),
            (r#"password: Some(Secret("a)b"))]"#, "password: <redacted>]"),
            (
                r#"passwords: ["a b", "c d"], x: 1"#,
                "passwords: <redacted>, x: 1",
            ),
            (
                r#"passwords: ("a b", 'c d'); x"#,
                "passwords: <redacted>; x",
            ),
            (
                r#"password: "a b", "c d" end"#,
                r#"password: "<redacted>" end"#,
            ),
            (
                r#"{"password": "a", "user": "b"}"#,
                r#"{"password": "<redacted>", "user": "b"}"#,
            ),
            (r#"password: b"a b" x"#, "password: <redacted> x"),
            ("password: [1, 2, 3] x", "password: <redacted> x"),
            (
                "{\n  \"secrets\": {\n    \"a\": \"b c\",\n    \"d\": [\"e\"]\n  },\n  \"f\": 1\n}",
                "{\n  \"secrets\": <redacted>,\n  \"f\": 1\n}",
            ),
            (
                r#"{\"secrets\":{\"a\":\"b}\",\"c\":\"d\"},\"e\":1}"#,
                r#"{\"secrets\":<redacted>,\"e\":1}"#,
            ),
            ("password:\n  a b", "password:\n  <redacted> b"),
            ("password: Some(\"a b", "password: <redacted>"),
            ("keys: {a: b", "keys: <redacted>"),
            // Keys in all forms.
            (
                r#"{"pass\u0077ord":"a b","c":1}"#,
                r#"{"pass\u0077ord":"<redacted>","c":1}"#,
            ),
            (
                r#"{"\u0070ass":"a b","c":1}"#,
                r#"{"\u0070ass":"<redacted>","c":1}"#,
            ),
            (
                r#"{\"pass\\u0077ord\":\"a b\"}"#,
                r#"{\"pass\\u0077ord\":\"<redacted>\"}"#,
            ),
            (
                r#"{"my secret thing": "a b"}"#,
                r#"{"my secret thing": "<redacted>"}"#,
            ),
            ("a[password][0]=b&c", "a[password][0]=<redacted>"),
            // Schemes of all kinds.
            (
                "Authorization: Negotiate a b, c",
                "Authorization: <redacted>",
            ),
            (
                "Authorization: Bearer a b\nX: 1",
                "Authorization: <redacted>\nX: 1",
            ),
            (
                "proxy-authorization: AWS4-HMAC-SHA256 Credential=a, Signature=b",
                "proxy-authorization: <redacted>",
            ),
            (
                r#"{"authorization": "Digest a b", "x": "y"}"#,
                r#"{"authorization": "<redacted>", "x": "y"}"#,
            ),
            // Addresses without a scheme, and as JSON writes them.
            ("url=//u:x@h/a", "url=//<redacted>:<redacted>@h/a"),
            ("url=//x@h/a", "url=//<redacted>:<redacted>@h/a"),
            (
                r#"{"a":"http:\/\/u:x@h\/b"}"#,
                r#"{"a":"http:\/\/<redacted>:<redacted>@h\/b"}"#,
            ),
            // Percent-encoded.
            ("no https%3A%2F%2Fu%3Ax%40h here", "no <redacted> here"),
            ("no /?to=%2F%3Fpassword%3Dx here", "no <redacted> here"),
            ("100% of a%20b", "100% of a%20b"),
        ],
    );
}

#[test]
fn prose_stays() {
    for text_of in [
        "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.",
        "NoSuchKey: The specified key does not exist.",
        "InvalidKeyFormat: Please use another one",
        "SecretNotFound: Secrets Manager can't find it",
        "no such key: users",
        "duplicate key value: 1",
        "KeyError: 'users'",
        "monkey business",
        "code: 5 (code=1), signature: none, sig=1",
        "exit code: 5",
        "std::key::Error: no",
        "a {b: c} d [e] (f: g)",
        "it was 10:30, ok?",
    ] {
        assert_eq!(applied(text, text_of), text_of);
    }
    for (text_of, expected) in [
        (
            "InvalidAccessKeyId: AKIAX",
            "InvalidAccessKeyId: <redacted>",
        ),
        (
            "InvalidAccessKeyId: AKIA4X is no key",
            "InvalidAccessKeyId: <redacted> is no key",
        ),
        (
            "InvalidPassword: Hunter is it",
            "InvalidPassword: <redacted> is it",
        ),
        ("ApiKey: Hunter is it", "ApiKey: <redacted> is it"),
    ] {
        assert_eq!(applied(text, text_of), expected);
    }
}

#[test]
fn what_signs_a_url_is_hidden() {
    let names = [
        "X-Amz-Signature",
        "X-Amz-Credential",
        "X-Amz-Security-Token",
        "Signature",
        "sig",
        "code",
        "X-Goog-Signature",
        "x-goog-credential",
        "id_token",
        "access_token",
        "refresh_token",
        "AWSAccessKeyId",
        "GoogleAccessId",
        "SAMLResponse",
        "x%2Damz-signature",
    ];
    let on = Matcher::parse("equals:none-of-them", &mut Vec::new()).unwrap();
    let off = on.clone().with_signed_urls(false);
    for name in names {
        for (redact, before, behind) in [
            (query as Redact, "a=1&", "&b=2"),
            (query, "", ""),
            (text, "GET https://h/p?a=1&", "&b=2: refused"),
            (text, "to /p?", " failed"),
            (text, "to https://h/cb#", ""),
            (dsn, "https://h/p?", ""),
        ] {
            let whole = format!("{before}{name}=HUNTER%2F2{behind}");
            let mut out = String::new();
            redact(&on, &whole, &mut out);
            assert_eq!(out, format!("{before}{name}=<redacted>{behind}"));
            out.clear();
            redact(&off, &whole, &mut out);
            assert_eq!(out, whole);
        }
        let nested = format!("to=https%3A%2F%2Fh%2F%3F{name}%3DHUNTER");
        let mut out = String::new();
        query(&on, &nested, &mut out);
        assert_eq!(out, "to=<redacted>");
        let mut out = String::new();
        header(&on, "location", &format!("/cb?{name}=HUNTER"), &mut out);
        assert_eq!(out, format!("/cb?{name}=<redacted>"));
    }
}

#[test]
fn connection_strings() {
    assert_table(
        dsn,
        &[
            (
                "postgres://u:p@h/db?sslmode=a&password=b",
                "postgres://<redacted>:<redacted>@h/db?sslmode=a&password=<redacted>",
            ),
            (
                "redis://:p@h:6379/0",
                "redis://<redacted>:<redacted>@h:6379/0",
            ),
            ("mysql://u:p@s/w@h/db", "mysql://<redacted>:<redacted>@h/db"),
            (
                "mongodb://u:p@a,b/db",
                "mongodb://<redacted>:<redacted>@a,b/db",
            ),
            (
                "postgres://secret-db:5432/db",
                "postgres://secret-db:5432/db",
            ),
            (
                "jdbc:sqlserver://h:1433;user=a;password=p@s;x=1",
                "jdbc:sqlserver://h:1433;user=a;password=<redacted>;x=1",
            ),
            (
                "Server=a b;Uid=c;Pwd=d e",
                "Server=a b;Uid=c;Pwd=<redacted>",
            ),
            (
                "Server=a;Pwd=\"d;e\";X=1",
                "Server=a;Pwd=\"<redacted>\";X=1",
            ),
            ("Server=a;Pwd={d;}}e};X=1", "Server=a;Pwd={<redacted>};X=1"),
            ("Password=a;Server=b", "Password=<redacted>;Server=b"),
            (
                "url=amqp://u:p@h;Password=a",
                "url=amqp://<redacted>:<redacted>@h;Password=<redacted>",
            ),
            ("Password=a", "Password=<redacted>"),
            (
                "host=a password=b;c user=d",
                "host=a password=<redacted> user=d",
            ),
            (
                r"host=a password='b \' c' x=1",
                "host=a password='<redacted>' x=1",
            ),
            (
                r"host=a password=b\ c x=1",
                "host=a password=<redacted> x=1",
            ),
            (
                "u:p@w@tcp(h:3306)/db?a=1&secret=x",
                "<redacted>:<redacted>@tcp(h:3306)/db?a=1&secret=<redacted>",
            ),
            (":p@h:6379", "<redacted>:<redacted>@h:6379"),
            ("u/p@//h:1521/s", "<redacted>:<redacted>@//h:1521/s"),
            (
                "(DESCRIPTION=(HOST=h)(PASSWORD=x)(USER=y))",
                "(DESCRIPTION=(HOST=h)(PASSWORD=<redacted>)(USER=y))",
            ),
            ("secret-db:5432", "secret-db:5432"),
            ("file:a.db?key=x", "file:a.db?key=<redacted>"),
            ("", ""),
        ],
    );
}

#[test]
fn headers() {
    for (name, value, expected) in [
        ("X-Api-Key", "abc", "<redacted>"),
        ("Authorization", "Bearer x", "<redacted>"),
        ("accept", "text/html; q=0.9", "text/html; q=0.9"),
        ("location", "/cb?key=x&a=1", "/cb?key=<redacted>&a=1"),
        (
            "referer",
            "http://u:p@h/",
            "http://<redacted>:<redacted>@h/",
        ),
        (
            "Cookie",
            "a=1; pass=b&c d; e=2",
            "a=1; pass=<redacted>; e=2",
        ),
    ] {
        let mut out = String::new();
        header(&Matcher::default(), name, value, &mut out);
        assert_eq!(out, expected, "{name}: {value}");
    }
}

#[test]
fn passwords_in_texts_are_secret_to_every_matcher() {
    let none = Matcher::parse("none", &mut Vec::new()).unwrap();
    for redact in [text as Redact, dsn] {
        let mut out = String::new();
        redact(&none, "Key=a;Pwd=b", &mut out);
        assert_eq!(out, "Key=a;Pwd=<redacted>");
    }
    let mut out = String::new();
    query(&none, "password=b", &mut out);
    assert_eq!(out, "password=b");
}

/// A matcher, and a key that it finds.
fn secret_key() -> impl Strategy<Value = (Matcher, String)> {
    let default = (
        "[a-z_.-]{0,5}",
        "(?i)(key|pass|secret|%70ass|%6bey|s%65cret|%2573ecret)",
        "[A-Z0-9_-]{0,5}",
    )
        .prop_map(|(before, word, after)| (Matcher::default(), before + &word + &after));
    let own = (0..5_usize, "[a-z][a-z_-]{1,6}", "[a-z]{0,3}").prop_map(|(mode, term, more)| {
        let (matcher, key) = match mode {
            0 => (format!("equals:{term}"), term),
            1 => (format!("equals-ignore-case:{term}"), term.to_uppercase()),
            2 => (format!("contains:{term}"), format!("{more}{term}{more}")),
            3 => {
                let key = format!("{more}{}", term.to_uppercase());
                (format!("contains-ignore-case:{term}"), key)
            }
            _ => (format!("regex:^{term}[a-z]*$"), term + &more),
        };
        (Matcher::parse(&matcher, &mut Vec::new()).unwrap(), key)
    });
    prop_oneof![default, own]
}

/// A value that is found again in the output if any part of it stays.
fn secret_value() -> impl Strategy<Value = String> {
    prop_oneof![
        r"([A-Z][A-Z0-9ÄßЖ!$*/_.~^|()-]{0,8})?HUNTER[A-Z0-9%+]{1,8}",
        r"([A-Z][A-Z0-9ÄßЖ!$*_.~^|@()-]{0,8})?HUNTER[A-Z0-9%+@]{1,8}",
    ]
}

/// Texts made of what the scanners react to.
fn crafted() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("key".to_owned()),
        Just("password".to_owned()),
        Just("<redacted>".to_owned()),
        Just("://".to_owned()),
        Just("u:p@h".to_owned()),
        Just("Some(\"".to_owned()),
        Just("authorization".to_owned()),
        Just("%3D".to_owned()),
        Just("\\u0070ass".to_owned()),
        Just("\", \"".to_owned()),
        Just("sig=".to_owned()),
        "[=:;&?/#@ \"'`\\\\,(){}\\[\\]<>%+\n]",
        "[a-z]{1,3}",
        "[ßЖ\u{0}\u{301}]",
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

const ALL: [Redact; 6] = [query, url, path, text, dsn, |m, value, out| {
    header(m, "cookie", value, out);
}];

#[test]
fn a_path_that_loses_its_user_is_looked_at_again() {
    let once = applied(path, "://\\u0070asssig=#u:p@h");
    assert_eq!(once, "://\\u0070asssig=<redacted>");
    assert_eq!(applied(path, &once), once);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_panics_and_redaction_is_idempotent(
        text in prop_oneof![crafted(), any::<String>()],
    ) {
        for (index, redact) in ALL.into_iter().enumerate() {
            let once = applied(redact, &text);
            prop_assert_eq!(&applied(redact, &once), &once, "function {}", index);
        }
    }

    #[test]
    fn no_secret_survives(
        (matcher, key) in secret_key(),
        value in secret_value(),
        before in "[a-z]{1,4}",
    ) {
        let plain = value.replace(['/', '?', '#', '@'], "");
        let rows: [(Redact, String); 17] = [
            (query, format!("{before}=1&{key}={value}")),
            (query, format!("?{before}=1;{key}={value}&{before}")),
            (url, format!("https://{before}:{value}@host/{before}")),
            (url, format!("https://h/{before}?{key}={value}")),
            (url, format!("https://h/{before};{key}={plain};v=1/b")),
            (path, format!("/{before};v=1;{key}={plain}/b")),
            (text, format!("{before} https://{before}:{value}@host/ failed")),
            (text, format!("{before} https://h/{before}?{key}={value}&a=1: failed")),
            (text, format!("{before}: {key}={value} failed")),
            (text, format!("{before}: {key}: {value}, failed")),
            (text, format!("{{\"{key}\":\"{before} {value}\",\"a\":1}}")),
            (text, format!("{before} {{ {key}: Some(\"{before} {value}\") }}")),
            (dsn, format!("postgres://{before}:{value}@host/db")),
            (dsn, format!("Server={before};{key}={before} {value};Uid=a")),
            (dsn, format!("host={before} {key}={value} user=a")),
            (dsn, format!("{before}:{value}@tcp(host:3306)/db?a=b")),
            (dsn, format!("postgres://host/db?a=1&{key}={value}")),
        ];
        for (redact, text) in rows {
            let mut out = String::new();
            redact(&matcher, &text, &mut out);
            prop_assert!(!out.contains("HUNTER"), "{} -> {}", text, out);
        }
        let mut out = String::new();
        header(&matcher, &key, &value, &mut out);
        prop_assert_eq!(out, REDACTED);
    }

    #[test]
    fn what_is_not_secret_stays(pairs in "([ab]=[0-9]{0,3}&){0,4}c", host in "[a-e]{1,8}") {
        prop_assert_eq!(&applied(query, &pairs), &pairs);
        let plain = format!("https://{host}/{host};v=1");
        prop_assert_eq!(&applied(url, &plain), &plain);
        let sentence = format!("{host}: cannot reach {plain}?{pairs} (code=1)");
        prop_assert_eq!(applied(text, &sentence), sentence);
    }
}

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
fn further_forms_of_pairs_and_users() {
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

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn blocks_and_pairs_are_settled(
        text in "(\\n  |\\n|- |: |\\||>|password|key|a|b c|\\(\"|\", \"|\"\\)|, |value: \"|name: \"|“|”|«|<|A<B> \\{ |\\}|\\\\u0026|\\\\u003d|=|@tcp\\(|/|<redacted>){0,16}",
    ) {
        for (index, redact) in ALL.into_iter().enumerate() {
            let once = applied(redact, &text);
            prop_assert_eq!(&applied(redact, &once), &once, "function {}", index);
        }
    }
}

#[test]
fn new_forms_take_the_time_of_their_length() {
    for piece in [
        "(\"password\",",
        "\",'",
        "name: \"key\", value",
        "key:\n  - ",
        "key: |\n",
        "key:\n a: ",
        "key:A<",
        "key: “",
        "a:b/@tcp(",
        "\\u0026key",
        "key\\u003da ",
    ] {
        let whole = piece.repeat(16 * 1_024 / piece.len());
        for redact in [text as Redact, query, dsn] {
            let mut out = String::new();
            work_counter::take();
            redact(&Matcher::default(), &whole, &mut out);
            let steps = work_counter::take();
            assert!(
                steps <= 48 * (whole.len() + out.len()),
                "{piece:?}: {steps}"
            );
        }
    }
}
