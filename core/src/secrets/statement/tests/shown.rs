//! What is shown of statements, in full and masked.

use crate::secrets::statement::tests::*;

#[test]
fn what_is_shown_of_secret_statements() {
    for (dialect, text, expected) in [
        (
            Postgres,
            "CREATE USER bob WITH ENCRYPTED PASSWORD 'x y' VALID UNTIL '2030'",
            "CREATE USER bob WITH ENCRYPTED PASSWORD '?' VALID UNTIL '?'",
        ),
        (
            Postgres,
            "select u.\"passwd\", $1 from \"users\" u where n = 'x' limit 20",
            "select u.\"passwd\", $1 from \"users\" u where n = '?' limit ?",
        ),
        (
            Postgres,
            "select E'a', $$b$$, $q$c$q$, key",
            "select E'?', $$?$$, $q$?$q$, key",
        ),
        (
            MySql,
            "select `key`, \"a\", 5--1",
            "select `key`, \"?\", ?--?",
        ),
        (
            MySql,
            "/*!50000 select */ `key`, @p, ?",
            "/*!50000 select */ `key`, @p, ?",
        ),
        (
            Sqlite,
            "select [a key], ?12, :name, @p, $x, :1",
            "select [a key], ?12, :name, @p, $x, :1",
        ),
        (
            Sqlite,
            "select \"u\".\"key\" from \"t\" where a = \"b\"",
            "select \"u\".\"key\" from \"t\" where a = \"?\"",
        ),
        (
            Generic,
            "select key /* a */ from t -- b",
            "select key   from t  ",
        ),
        (
            Generic,
            "select /*+ INDEX(t key) */ 'a'",
            "select /*+ INDEX(t key) */ '?'",
        ),
        (
            Postgres,
            "where password = 'unfinished",
            "where password = '?",
        ),
        (
            MySql,
            r"select 'c:\' and password = 'x' limit 1",
            "select '?'",
        ),
        (
            Generic,
            "insert into t (key, a) values (?, ?), ($1, :a)",
            "insert into t (key, a) values (?, ?), ($1, :a)",
        ),
        (
            Generic,
            "create table u (password varchar(20))",
            "create table u (password varchar(?))",
        ),
        (
            Postgres,
            "SET search_path TO pass_app",
            "SET search_path TO ?",
        ),
    ] {
        // A question mark alone is a parameter.
        let expected = expected
            .replace("'?", "'<redacted>")
            .replace("\"?", "\"<redacted>")
            .replace("$?", "$<redacted>")
            .replace("?--?", "<redacted>--<redacted>")
            .replace("limit ?", "limit <redacted>")
            .replace("(?))", "(<redacted>))")
            .replace("TO ?", "TO <redacted>");
        assert_eq!(shown(dialect, text), expected, "{dialect:?}");
    }
}

#[test]
fn statements_without_a_secret_word_keep_their_literals() {
    for (dialects, text) in [
        (&ALL as &[Dialect], ""),
        (
            &ALL,
            "SELECT * FROM orders WHERE id = $1 AND name = 'bob''s' LIMIT 20",
        ),
        (&ALL, "select 'it is 10:30', now(), '12:00', 1.5e-3"),
        (&ALL, "select a /*+ INDEX(t i1) */ from t where b = 'c'"),
        (&ALL, "insert into t (a, b) values (?, 'x'), (1, :name)"),
        (
            &ALL,
            "select 'mask', 'eye' from t where a in ('mon', 'keen')",
        ),
        (&ALL, "select 'https://h/a?b=1', 'a@b', '100%'"),
        (&ALL, "select 'ß', a.b from t"),
        (
            &[Postgres],
            "select \"äöü\", 'ß' from \"Tür\" where a = E'it\\'s' or $$b$$ = $1",
        ),
        (
            &[Postgres],
            "select $1::jsonb #>> '{a,b}', a[1:2], b ? 'c', my$tab$col, 'd'",
        ),
        (&[Sqlite], "select 'c:\\', [it's], 'b'"),
        (&[MySql], "select \"a\", `b`, 5--1, @c, 'x'"),
        (&[MySql], "/*!50000 select 'a' */"),
        (
            &[Sqlite, Postgres, Generic],
            "select '%default%', '\\d+' from t",
        ),
        (&ALL, "SET statement_timeout = 5000"),
    ] {
        for dialect in dialects {
            assert_eq!(shown(*dialect, text), text, "{dialect:?}");
        }
    }
}

#[test]
fn names_in_double_quotes_stay() {
    for (dialect, text) in [
        (
            Postgres,
            "SELECT \"u\".\"id\", \"u\".\"password_hash\" FROM \"users\" AS \"u\" WHERE \"u\".\"id\" IN ($1) AND \"email\" = $2::\"Mail\" GROUP BY \"key\" ORDER BY \"u\".\"name\" ASC, \"email\"",
        ),
        (
            Postgres,
            "INSERT INTO \"users\" (\"name\", \"password\") VALUES ($1, $2), ($3, $4) RETURNING \"id\", \"name\"",
        ),
        (
            Postgres,
            "UPDATE \"users\" SET \"password\" = $1, \"a\" = $2 WHERE \"id\" BETWEEN $3 AND $4 AND \"b\" IS NULL",
        ),
        (
            Postgres,
            "SELECT \"a\" FROM \"keys\" JOIN \"b\" ON \"keys\".\"id\" = \"b\".\"id\"",
        ),
        (
            Sqlite,
            "SELECT `u`.`password`, [a key] FROM \"users\" AS u JOIN \"b\" WHERE u.\"id\" = ?",
        ),
        (
            MySql,
            "SELECT `u`.`password` FROM `users` AS `u` WHERE `id` = ? ORDER BY `name`",
        ),
    ] {
        assert_eq!(shown(dialect, text), text);
        let hidden = masked(dialect, text);
        assert_eq!(hidden, text, "masked");
    }
}

#[test]
fn comments_are_left_out() {
    for (dialects, text, expected) in [
        (&ALL as &[Dialect], "a -- b\n, c", "a  , c"),
        (&ALL, "a /* b 'c */ d", "a   d"),
        (&ALL, "a /* b", "a  "),
        (&[Postgres], "a /* b /* c */ d */ e", "a   e"),
        (&[MySql, Sqlite], "a /* b /* c */ d", "a   d"),
        (&[MySql], "a # b\nc", "a  c"),
        (&[Sqlite, Postgres], "a --b\nc", "a  c"),
        (&[MySql], "a --b\nc", "a --b\nc"),
        (&[Postgres, Sqlite], "a /*! b */ c", "a   c"),
    ] {
        for dialect in dialects {
            assert_eq!(shown(*dialect, text), expected, "{dialect:?}: {text}");
        }
    }
}

#[test]
fn words_are_those_of_the_matcher() {
    for (matcher, text, hides) in [
        ("equals:token", "select 'x' where a.token = 1", true),
        ("equals:token", "select 'x' where \"token\" = 1", true),
        ("equals:token", "select 'x' where c->>'token' = 1", true),
        (
            "equals:token",
            "select json_extract(c, '$.a.token'), 'x'",
            true,
        ),
        ("equals:token", "select '{\"token\":1}', 'x'", true),
        ("equals:token", "select '{\"tok\\u0065n\":1}', 'x'", true),
        ("equals:token", "select 'tok' || 'en', 'x'", true),
        ("equals:token", "select 'x' from tokens", false),
        ("equals:token", "select 'x', TOKEN", false),
        ("equals-ignore-case:token", "select 'x', TOKEN", true),
        ("contains:token", "select 'x' from my_tokens", true),
        ("contains:token", "select 'x' from my_TOKENS", false),
        (
            "contains-ignore-case:my token",
            "select 'x', [my token]",
            true,
        ),
        ("equals:my token", "select 'x', \"my token\"", true),
        ("equals:my-token", "select '{\"my-token\": \"x\"}'", true),
        ("regex:tok.n", "select 'x', a.token", true),
        ("regex:tok.n", "select 'x', a.tokens", false),
        (
            "regex:app\\.tok.*",
            "select set_config('app.token', 'x')",
            true,
        ),
        ("none", "select 'x', api_key", false),
        ("none", "select 'x', password", true),
        ("none", "create user a identified by 'x'", true),
        ("none", "select 'x', identified_by", false),
    ] {
        let text = shown_by(matcher, Postgres, text);
        assert_eq!(
            !text.contains("'x'") && !text.contains("\"x\""),
            hides,
            "{matcher}: {text}"
        );
    }
}

#[test]
fn of_the_beginning_of_a_statement_no_literal_is_shown() {
    let mut out = String::new();
    statement(
        &Matcher::default(),
        Postgres,
        "select 'a', 1, b",
        true,
        &mut out,
    );
    assert_eq!(out, "select '<redacted>', <redacted>, b");
}

#[test]
fn statements_without_literals_are_known_at_a_glance() {
    let matcher = Matcher::default();
    let is_shown = |text: &str| is_shown_as_it_is(&matcher, text.as_bytes());
    for plain in [
        "",
        "SELECT 1",
        "select a from t where b = $1 and c = ? limit 20",
        "select id, name, price from products where category = $1 order by price limit 20",
    ] {
        assert!(is_shown(plain), "{plain}");
        for dialect in ALL {
            assert_eq!(shown(dialect, plain), plain);
        }
    }
    for other in [
        "'",
        "select \"a\"",
        "`a`",
        "$$a$$",
        "$a$",
        "--a",
        "/*a*/",
        "a$",
        "# a",
        "[a]",
        "select api_key, 1",
        "SELECT PASSWORD, 1",
        "identified by x",
    ] {
        assert!(!is_shown(other), "{other}");
    }
}

#[test]
fn literals_are_masked_and_names_are_not() {
    for (dialect, text, expected) in [
        (
            Postgres,
            "SELECT a1, t2.b FROM t2 LIMIT 1",
            "SELECT a1, t2.b FROM t2 LIMIT ?",
        ),
        (
            Postgres,
            "a = 'x' AND b = 'it''s' AND c",
            "a = ? AND b = ? AND c",
        ),
        (Postgres, "a=-1.5e-3+0xFF*1E+2", "a=-?+?*?"),
        (
            Generic,
            "a = $1 OR b = ?2 OR c = :id::int OR d = @v",
            "a = $1 OR b = ?2 OR c = :id::int OR d = @v",
        ),
        (Postgres, "\"weird '1\" = 'x'", "\"weird '1\" = ?"),
        (MySql, "`a'b` = 'x'", "`a'b` = ?"),
        (
            Postgres,
            "a = $$it's$$ AND b = $q$x $$ y$q$ AND c",
            "a = ? AND b = ? AND c",
        ),
        (Postgres, "E'a' X'ff' b'1' LIKE'q' U&'x'", "? ? ? LIKE? ?"),
        (Postgres, "a -- it's\n= /* 'x' */ 2", "a  =   ?"),
        (
            Postgres,
            "größe = '漢字' IN ('ä', 3)",
            "größe = ? IN (?, ?)",
        ),
        (Postgres, "'unfinished", "?"),
        (Postgres, "/* unfinished", " "),
        (Postgres, "$$unfinished", "?"),
        (Postgres, "$", "$"),
        (MySql, "a = \"x\" # it's\n AND b = 'y'", "a = ?   AND b = ?"),
        (Sqlite, "\"a\" = \"it's\" AND `b` = #", "? = ? AND `b` = #"),
        (MySql, r"a = 'x\' AND 'secret'", "a = ?"),
        (Postgres, r"a = 'x\'secret' AND b = 'secret'", "a = ?"),
        (Sqlite, r"a = 'x\' AND b = 'y'", "a = ? AND b = ?"),
        (Postgres, "SET app.x TO hunter2", "SET app.x TO ?"),
    ] {
        assert_eq!(masked(dialect, text), expected, "{dialect:?}: {text}");
    }
    let long = format!("SELECT '{}', 'secret'", "ä".repeat(500_000));
    assert_eq!(masked(Postgres, &long), "SELECT ?");
    assert_eq!(masked(Postgres, &"a, ".repeat(500_000)).len(), MOST);
}
