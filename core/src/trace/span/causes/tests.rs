//! Which part of an error's chain is kept.

use std::sync::Arc;

use super::*;

/// Texts, each the source of the one before.
#[derive(Debug)]
struct Layers(String, Option<Box<Layers>>);

impl Layers {
    fn of<T: Into<String>>(
        texts: impl IntoIterator<Item = T, IntoIter: DoubleEndedIterator>,
    ) -> Self {
        let layers = texts
            .into_iter()
            .rev()
            .fold(None, |inner, text| Some(Box::new(Self(text.into(), inner))));
        *layers.unwrap()
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Layers {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

fn redacted(text: &str) -> String {
    let mut out = String::new();
    crate::secrets::text(&crate::secrets::Matcher::default(), text, &mut out);
    out
}

fn text(error: &dyn Error, limit: u16) -> String {
    Causes::of_error(error, limit).into_text(&redacted).0
}

fn texts(texts: &[&str], limit: u16) -> String {
    text(&Layers::of(texts.iter().copied()), limit)
}

const REFUSED: &str = "Connection refused (os error 111)";

#[test]
fn each_text_stands_once() {
    for (chain, expected) in [
        (&["a"][..], "a"),
        (&["a", "b", "c"], "a: b: c"),
        (&["a: b", "b", "c"], "a: b: c"),
        (&["a (b) failed", "b"], "a (b) failed"),
        (&["a: b: c", "b: c", "c"], "a: b: c"),
        (&["a", "a", "b", "a"], "a: b"),
        (&["", "b"], "b"),
        (&["a", "", "c"], "a: c"),
        (&["a", "b: a"], "a: b: a"),
        (&["", ""], ""),
    ] {
        assert_eq!(texts(chain, 200), expected);
    }
}

#[test]
fn the_first_and_the_last_cause_survive_the_limit() {
    let long = "x".repeat(5_000);
    let words = "so many words ".repeat(50);
    for chain in [
        &["client error (Connect)", &long, REFUSED][..],
        &[
            "client error (Connect)",
            &words,
            &words,
            "tcp connect error",
            REFUSED,
        ],
        &[
            "client error (Connect)",
            "tcp connect error",
            &long,
            &long,
            REFUSED,
        ],
        &[
            "client error (Connect)",
            &["a", REFUSED, &long].concat(),
            REFUSED,
        ],
    ] {
        let text = texts(chain, 200);
        assert!(text.len() <= 200, "{text}");
        assert!(text.starts_with("client error (Connect): "), "{text}");
        assert!(text.ends_with(REFUSED), "{text}");
    }
    let text = texts(&[&words, REFUSED], 200);
    assert!(text.starts_with("so many words so many"), "{text}");
    assert!(text.ends_with(&format!("…: {REFUSED}")), "{text}");
    assert!((150..=200).contains(&text.len()), "{text}");
    // What the outer error quotes of its source is cut off with the rest of it.
    let quoted = format!("{words}: {REFUSED}");
    assert!(texts(&[&quoted, REFUSED], 200).ends_with(REFUSED));
    // A last cause without end leaves half of the room to the first.
    let text = texts(&[&words, &words.replace("words", "more")], 200);
    assert!(text.contains("so many words so many"), "{text}");
    assert!(text.contains("…: so many more"), "{text}");
    assert!(text.len() <= 200);
}

#[test]
fn urls_are_shortened_first() {
    let path = "y/".repeat(150);
    let query = "a=b&".repeat(80);
    for (url, short) in [
        (format!("http://stock:8080/{path}"), "http://stock:8080/…"),
        (format!("https://stock/?{query}"), "https://stock/…"),
        (format!("https://stock?{query}"), "https://stock/…"),
        (format!("https://me:word@stock/{path}"), "https://stock/…"),
        (format!("http://[::1]:80/{path}#a"), "http://[::1]:80/…"),
        (format!("postgres://db:5432/{path}"), "postgres://db:5432/…"),
    ] {
        let outer = format!("error sending request for url ({url})");
        let expected = format!("error sending request for url ({short})");
        let chain = [
            &outer,
            "client error (Connect)",
            "tcp connect error",
            REFUSED,
        ];
        assert_eq!(
            texts(&chain, 200),
            format!("{expected}: client error (Connect): tcp connect error: {REFUSED}")
        );
        // In one text, too, which nobody sees the parts of.
        let one = format!("{outer}: {REFUSED}");
        assert_eq!(texts(&[&one], 200), format!("{expected}: {REFUSED}"));
        let bare = Causes::of_text(&format!("at {url}: {REFUSED}"), 200).into_text(&redacted);
        assert_eq!(bare, (format!("at {short}: {REFUSED}"), true));
    }
    let fits = "at http://stock/a/b/c?d=e";
    assert_eq!(texts(&[fits, REFUSED], 200), format!("{fits}: {REFUSED}"));
}

#[test]
fn nothing_is_cut_that_shows_what_is_secret() {
    let long = "x".repeat(300);
    for outer in [
        format!("at {} https://me:hunter{long}@stock/", "w".repeat(100)),
        format!("at {} https://me:hun/ter{long}@stock/", "w".repeat(100)),
        format!("at {} me:hunter{long}@stock", "w ".repeat(60)),
        format!("{} Pwd=hunter and {long};Uid=x", "w ".repeat(60)),
        format!("{} Pwd: hunter and {long};Uid=x", "w ".repeat(60)),
        format!("{} pass=\"hunter {long}\"", "w ".repeat(60)),
    ] {
        let text = texts(&[&outer, REFUSED], 200);
        assert!(!text.contains("hun"), "{text}");
        assert!(text.ends_with(REFUSED), "{text}");
    }
}

#[test]
fn chains_are_bounded() {
    let numbers = |count: u32| Layers::of((0..count).map(|at| format!("layer {at}.")));
    assert_eq!(
        text(&numbers(10), 4_000),
        "layer 0.: layer 1.: layer 2.: layer 3.: layer 4.: layer 5.: layer 6.: layer 7.: layer 8.: layer 9."
    );
    let deep = text(&numbers(1_000), 4_000);
    assert!(deep.ends_with(": layer 8.: …: layer 999."), "{deep}");

    /// Its own source.
    #[derive(Debug)]
    struct Ring;
    impl fmt::Display for Ring {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("round")
        }
    }
    impl Error for Ring {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }
    assert_eq!(text(&Ring, 200), "round");
}

#[test]
fn sources_are_found_in_what_they_are_wrapped_in() {
    #[derive(Debug)]
    struct Outer<E>(E);
    impl<E> fmt::Display for Outer<E> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    macro_rules! outer {
        ($($inner:ty),* $(,)?) => {$(
            impl Error for Outer<$inner> {
                fn source(&self) -> Option<&(dyn Error + 'static)> {
                    let source: &$inner = &self.0;
                    Some(source.as_error())
                }
            }
        )*};
    }
    trait AsError {
        fn as_error(&self) -> &(dyn Error + 'static);
    }
    impl AsError for Box<dyn Error + Send + Sync> {
        fn as_error(&self) -> &(dyn Error + 'static) {
            &**self
        }
    }
    impl AsError for Arc<dyn Error + Send + Sync> {
        fn as_error(&self) -> &(dyn Error + 'static) {
            self
        }
    }
    impl AsError for std::io::Error {
        fn as_error(&self) -> &(dyn Error + 'static) {
            self
        }
    }
    outer!(
        Box<dyn Error + Send + Sync>,
        Arc<dyn Error + Send + Sync>,
        std::io::Error
    );

    let inner = || Layers::of(["middle", "root"]);
    assert_eq!(
        text(&Outer(std::io::Error::other(inner())), 200),
        "outer: middle: root"
    );
    assert_eq!(
        text(
            &Outer::<Box<dyn Error + Send + Sync>>(Box::new(inner())),
            200
        ),
        "outer: middle: root"
    );
    assert_eq!(
        text(
            &Outer::<Arc<dyn Error + Send + Sync>>(Arc::new(inner())),
            200
        ),
        "outer: middle: root"
    );
}

#[test]
fn errors_that_are_none_are_displayed_with_their_sources() {
    /// As anyhow's and eyre's.
    struct Report;
    impl fmt::Display for Report {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(if f.alternate() {
                "outer: root"
            } else {
                "outer"
            })
        }
    }
    assert_eq!(
        Causes::of_text(&Report, 200).into_text(&redacted).0,
        "outer: root"
    );
}

#[test]
fn endless_texts_are_given_up() {
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("äöü")?;
            }
        }
    }
    let (text, is_cut) = Causes::of_text(&Endless, 100).into_text(&redacted);
    let kept = usize::from(kept(100));
    assert!(
        (kept + 1..=kept + 4).contains(&text.len()),
        "{}",
        text.len()
    );
    assert!(!is_cut, "it is when it is written");
}

#[test]
fn what_a_database_quotes_is_left_out_of_long_chains_too() {
    let outer = "GET /customers/4711/orders failed: could not load orders of customer 4711 from \
                 the primary database";
    for sources in [
        &[
            "error returned from database: invalid input syntax for type uuid: \"hunter2\"",
            "invalid input syntax for type uuid: \"hunter2\"",
        ][..],
        &[
            "error returned from database: 1062 (23000): Duplicate entry 'hunter2' for key 'x'",
            "Duplicate entry 'hunter2' for key 'x'",
        ],
        &["db error", "ERROR: no such thing: \"hunter2\""],
        &[
            "db error: ERROR: no such: \"hunter2\"",
            "ERROR: no such: \"hunter2\"",
        ],
        &[
            "db error",
            "ERROR: no such",
            "DETAIL: Key (a)=(hunter2) exists",
        ],
    ] {
        let chain: Vec<&str> = [outer, "repository: select orders by customer"]
            .into_iter()
            .chain(sources.iter().copied())
            .collect();
        for limit in [120, 200, 240, 4_000] {
            let causes = Causes::of_error(&Layers::of(chain.iter().copied()), limit);
            let text = causes.without_database_values().into_text(&redacted).0;
            assert!(!text.contains("unter2"), "{limit}: {text}");
            assert!(text.starts_with("GET /customers/4711/orders"), "{text}");
        }
    }
    let chain = Layers::of(["no \"a\" in 17", "no \"b\" in 18"]);
    let causes = Causes::of_error(&chain, 200).without_database_values();
    assert_eq!(
        causes.into_text(&redacted).0,
        "no \"a\" in 17: no \"b\" in 18"
    );
}

#[test]
fn the_last_cause_is_left_out_where_it_is_a_value_of_another() {
    let long = "x ".repeat(65);
    for chain in [
        &[
            &long,
            "the upstream refused the request with api_key=hunter2",
            "api_key=hunter2",
            "hunter2",
        ][..],
        &[
            &long,
            "the upstream refused it with token=hunter2",
            "hunter2",
        ],
        &[
            &long,
            "the upstream refused the password: hunter2",
            "hunter2",
        ],
        &[&long, "the upstream refused this password", "hunter2"],
        &[&long, "Config { password: Some(\"a hunter2\") }", "hunter2"],
        &[
            &long,
            "http://bob:hunter2@stock did not answer it",
            "hunter2",
        ],
    ] {
        let text = texts(chain, 160);
        assert!(!text.contains("unter2"), "{text}");
        assert!(text.ends_with('…'), "{text}");
    }
}
