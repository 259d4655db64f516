//! Tables of what is written of each kind of text.

mod forms;
mod linear;
mod properties;

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
