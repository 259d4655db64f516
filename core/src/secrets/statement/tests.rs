//! Tables of statements: what is shown of them, by the language of their server.

use crate::secrets::statement::Dialect::{Generic, MySql, Postgres, Sqlite};
use crate::secrets::statement::*;

const ALL: [Dialect; 4] = [Generic, MySql, Postgres, Sqlite];

fn shown_by(matcher: &str, dialect: Dialect, text: &str) -> String {
    let matcher = Matcher::parse(matcher, &mut Vec::new()).unwrap();
    let mut out = String::new();
    statement(&matcher, dialect, text, false, &mut out);
    out
}

fn shown(dialect: Dialect, text: &str) -> String {
    shown_by("contains-ignore-case:key,pass,secret", dialect, text)
}

/// Statements with a secret word in them. What is planted is HUNTER2 or 424242.
const PLANTED: &[(&[Dialect], &str)] = &[
    (&ALL, "ALTER USER bob PASSWORD 'HUNTER2'"),
    (&ALL, "SELECT * FROM u WHERE password = 'HUNTER2' AND n = 1"),
    (&ALL, "SELECT * FROM u WHERE 'HUNTER2' = password"),
    (
        &ALL,
        "SELECT * FROM u WHERE (name, password) = ('bob', 'HUNTER2')",
    ),
    (
        &ALL,
        "INSERT INTO users (name, password) VALUES ('bob', 'HUNTER2'), ('al', 'HUNTER2')",
    ),
    (&ALL, "INSERT INTO users (pin_secret) VALUES (424242)"),
    (&ALL, "SELECT 1 WHERE pass_code = 424242"),
    (&ALL, "SELECT 1 WHERE pass_code = -424242.5e+3"),
    (&ALL, "SELECT 1 WHERE pass_code = .424242"),
    (&ALL, "SELECT 1 WHERE pass_code IN (1, 424242)"),
    (
        &ALL,
        "SELECT 1 WHERE password BETWEEN 'HUNTER2' AND 'HUNTER2z'",
    ),
    (
        &ALL,
        "SELECT CASE WHEN password THEN 'HUNTER2' ELSE 'HUNTER2' END",
    ),
    (&ALL, "SELECT CASE a WHEN 1 THEN 'HUNTER2' END AS password"),
    (&ALL, "SELECT 1 WHERE password LIKE '%HUNTER2%' ESCAPE '!'"),
    (&ALL, "SELECT 1 WHERE password COLLATE nocase = 'HUNTER2'"),
    (&ALL, "SELECT 1 WHERE coalesce(password, 'x') = 'HUNTER2'"),
    (&ALL, "UPDATE u SET password='HUNTER2' WHERE id=7"),
    (&ALL, "SELECT 1 WHERE a = 'it''s' AND password = 'HUNTER2'"),
    (&ALL, "SELECT 1 WHERE name = 'HUNTER2' /* the password */"),
    (&ALL, "SELECT 1 WHERE name = 'HUNTER2' -- the password\n"),
    (&ALL, "/* password=HUNTER2 */ SELECT 1"),
    (&ALL, "SELECT 1 -- password is HUNTER2\n, 2"),
    (&ALL, "SELECT 1 -- HUNTER2"),
    (&ALL, "INSERT INTO j VALUES ('{\"password\": \"HUNTER2\"}')"),
    (
        &ALL,
        "INSERT INTO j VALUES ('{\"pass\\u0077ord\": \"HUNTER2\"}')",
    ),
    (
        &ALL,
        "INSERT INTO j VALUES ('{\"\\u0070ass\": \"HUNTER2\"}')",
    ),
    (&ALL, "INSERT INTO j VALUES ('p%61ssword=HUNTER2')"),
    (&ALL, "SELECT json_extract(c, '$.password') = 'HUNTER2'"),
    (
        &ALL,
        "SELECT json_extract(c, '$.' || 'pa' || 'ssword') = 'HUNTER2'",
    ),
    (
        &ALL,
        "SELECT json_extract(c, concat('$.pa', 'ssword')) = 'HUNTER2'",
    ),
    (&ALL, "SELECT 1 WHERE PASSWORD = 'HUNTER2"),
    (&ALL, "SELECT 1 WHERE pa\u{17f}\u{17f} = 'HUNTER2'"),
    (
        &ALL,
        "CREATE SUBSCRIPTION s CONNECTION 'host=h password=HUNTER2 dbname=d'",
    ),
    (&ALL, "SELECT 'postgres://u:HUNTER2@h/d'"),
    (&ALL, "SELECT 'https://h/?X-Amz-Signature=HUNTER2'"),
    (&ALL, "CREATE USER a IDENTIFIED BY 'HUNTER2'"),
    (&ALL, "GRANT ALL ON *.* TO a IDENTIFIED WITH p AS 'HUNTER2'"),
    (&ALL, "SELECT X'70617373', 'HUNTER2'"),
    (&ALL, "SELECT 0x70617373, 'HUNTER2'"),
    (&ALL, "SELECT 1 FROM t WHERE key_id = 1_424242"),
    (&ALL, "SELECT 1 FROM t WHERE key_id = 0x424242"),
    (&ALL, "SELECT 1 FROM t WHERE key_id = 0b1 + 424242e1"),
    (&ALL, "SELECT 1 FROM t WHERE key_id = N'HUNTER2'"),
    (&ALL, "SELECT 1 FROM t WHERE key_id = 'a'\n'HUNTER2'"),
    (&ALL, "SELECT secret FROM t LIMIT 424242 OFFSET 424242"),
    (&ALL, "EXPLAIN /*+ a('HUNTER2') */ SELECT password"),
    (&ALL, "SET api_key = HUNTER2"),
    (&ALL, "PRAGMA key = HUNTER2"),
    (&ALL, "SELECT password; SET x = HUNTER2"),
    // PostgreSQL
    (&[Postgres], "SELECT 1 WHERE password = E'it\\'s HUNTER2'"),
    (
        &[Postgres],
        "SELECT 1 WHERE password = E'\\\\' OR b = 'HUNTER2'",
    ),
    (&[Postgres], "SELECT 1 WHERE password = U&'HUNTER2'"),
    (&[Postgres], "SELECT U&\"p\\0061ssword\", 'HUNTER2'"),
    (&[Postgres], "SELECT U&\"\\+000070assword\", 'HUNTER2'"),
    (&[Postgres], "SELECT E'p\\x61ssword', 'HUNTER2'"),
    (&[Postgres], "SELECT E'p\\141ssword', 'HUNTER2'"),
    (&[Postgres], "SELECT '\\x70617373'::bytea, 'HUNTER2'"),
    (&[Postgres], "SELECT password /* a /* b */ ' */ , 'HUNTER2'"),
    (&[Postgres], "SELECT password /* /* */ HUNTER2 */"),
    (
        &[Postgres],
        "SELECT password, $$HUNTER2$$, $t$ $$ HUNTER2 $t$",
    ),
    (
        &[Postgres],
        "SELECT my$tab$col, password = 'HUNTER2' FROM my$tab$t",
    ),
    (
        &[Postgres],
        "DO $$ BEGIN ALTER USER a PASSWORD 'HUNTER2'; END $$",
    ),
    (
        &[Postgres],
        "DO $a$ BEGIN EXECUTE 'ALTER USER a PASSWORD ' || quote_literal('HUNTER2'); END $a$",
    ),
    (&[Postgres], "EXECUTE 'UPDATE u SET password = ''HUNTER2'''"),
    (
        &[Postgres],
        "SELECT 1 WHERE config->>'password' = 'HUNTER2'",
    ),
    (
        &[Postgres],
        "SELECT 1 WHERE config #>> '{db,password}' = 'HUNTER2'",
    ),
    (
        &[Postgres],
        "SELECT 1 WHERE config @> '{\"password\": \"HUNTER2\"}'",
    ),
    (
        &[Postgres],
        "SELECT set_config('app.api_key', 'HUNTER2', true)",
    ),
    (&[Postgres], "SET app.api_key TO HUNTER2"),
    (&[Postgres], "SET app.api_key TO \"HUNTER2\""),
    (&[Postgres], "SET LOCAL app.api_key = 'HUNTER2'"),
    (&[Postgres], "ALTER ROLE a SET app.api_key TO HUNTER2"),
    (&[Postgres], "SELECT 1 WHERE password::text = 'HUNTER2'"),
    (&[Postgres], "SELECT 1 WHERE password = \"HUNTER2\""),
    (&[Postgres], "ALTER USER a PASSWORD \"HUNTER2\""),
    (
        &[Postgres],
        "SELECT 1 WHERE password BETWEEN \"HUNTER2\" AND \"HUNTER2\"",
    ),
    (&[Postgres], "INSERT INTO u (password) VALUES (\"HUNTER2\")"),
    (&[Postgres], "SELECT password[1:424242]"),
    (&[Postgres], "SELECT password, @ 424242, @424242"),
    (&[Postgres], "SELECT password` 'HUNTER2' `"),
    (&[Postgres], "SELECT password -- a\r, 'HUNTER2'"),
    (&[Postgres], "SELECT password = 'a\\' OR x = 'HUNTER2'"),
    (
        &[Postgres],
        "SELECT 1 WHERE password = ANY(ARRAY['HUNTER2'])",
    ),
    (&[Postgres], "COPY (SELECT password) TO PROGRAM 'HUNTER2'"),
    (
        &[Postgres],
        "SELECT 'a' || $1, password \u{a0}E'x\\' , 'HUNTER2' --'",
    ),
    // MySQL and MariaDB
    (&[MySql], "SELECT password # it's\n, 'HUNTER2'"),
    (&[MySql], "SELECT password # HUNTER2"),
    (&[MySql], "SELECT password, 5--1, 'HUNTER2'"),
    (&[MySql], "SELECT password, 5--'HUNTER2'"),
    (&[MySql], "SELECT password, \"HUNTER2\""),
    (&[MySql], "SELECT password, \"a\\\"HUNTER2\""),
    (&[MySql], "SELECT password, 'a\\'HUNTER2'"),
    (&[MySql], "SELECT password, `it's`, 'HUNTER2'"),
    (&[MySql], "SELECT password, _utf8mb4'HUNTER2'"),
    (
        &[MySql],
        "SELECT password, _utf8mb4 'HUNTER2' COLLATE utf8mb4_bin",
    ),
    (&[MySql], "SELECT 1 WHERE BINARY password = 'HUNTER2'"),
    (&[MySql], "SELECT /*!50000 password = 'HUNTER2' */"),
    (&[MySql], "SELECT /*M!100100 password = 'HUNTER2' */"),
    (&[MySql], "SELECT password /* /* */, 'HUNTER2'"),
    (&[MySql], "SELECT 'pa\\ssword', 'HUNTER2'"),
    (&[MySql], "SET PASSWORD FOR 'bob'@'%' = 'HUNTER2'"),
    (&[MySql], "SET PASSWORD = PASSWORD('HUNTER2')"),
    (&[MySql], "SET @password := HUNTER2"),
    (&[MySql], "SELECT password -- \n, 'HUNTER2'"),
    (&[MySql], "SELECT c->'$.password' = 'HUNTER2'"),
    (&[MySql], "SELECT $a$ 'HUNTER2' $a$, password"),
    (&[MySql], "SELECT password, 'a' 'HUNTER2'"),
    (
        &[MySql],
        "CREATE USER 'a'@'h' IDENTIFIED WITH caching_sha2_password BY 'HUNTER2' REPLACE 'HUNTER2'",
    ),
    (&[MySql], "CHANGE MASTER TO MASTER_PASSWORD='HUNTER2'"),
    (&[MySql], "SELECT AES_DECRYPT(a, 'HUNTER2') AS pass"),
    // SQLite
    (&[Sqlite], "SELECT [it's], password = 'HUNTER2'"),
    (&[Sqlite], "SELECT \"it's\", password = 'HUNTER2'"),
    (&[Sqlite], "SELECT password = \"HUNTER2\""),
    (&[Sqlite], "SELECT password IN (\"HUNTER2\")"),
    (&[Sqlite], "SELECT coalesce(password, \"HUNTER2\")"),
    (&[Sqlite], "SELECT 'a\\', password = 'HUNTER2'"),
    (&[Sqlite], "SELECT `it's`, password = 'HUNTER2'"),
    (&[Sqlite], "SELECT $a$, 'HUNTER2', $a$, password"),
    (&[Sqlite], "ATTACH DATABASE 'f' AS d KEY 'HUNTER2'"),
    (&[Sqlite], "PRAGMA hexkey = 'HUNTER2'"),
    (&[Sqlite], "PRAGMA key('HUNTER2')"),
    (&[Sqlite], "SELECT password /* /* */, 'HUNTER2'"),
    (&[Sqlite], "SELECT x'70617373', 'HUNTER2'"),
    (&[Sqlite], "SELECT 1 WHERE a GLOB 'HUNTER2' AND password"),
    // Others
    (
        &[Generic],
        "SELECT * FROM \"t\" WHERE password = \"HUNTER2\"",
    ),
    (&[Generic], "SELECT password # it's\n, 'HUNTER2' -- '"),
    (&[Generic], "SELECT password, q'[it's HUNTER2]'"),
    (&[Generic], "SELECT password, [it's], 'HUNTER2' -- '"),
    (&[Generic], "SELECT password, $42424.2"),
    (
        &[Generic],
        "SELECT * FROM t WHERE secret = 'HUNTER2' OR contains(a, 'HUNTER2')",
    ),
    (
        &[Generic],
        "UPDATE t SET password='HUNTER2' WHERE id='424242' RETURNING ALL OLD *",
    ),
    (
        &[Generic],
        "INSERT INTO t VALUE {'id': '1', 'password': 'HUNTER2', 'n': 424242}",
    ),
    (&[Generic], "SELECT password /* /* */, 'HUNTER2' -- */"),
    (&[Generic], "SELECT password --x'\n, 'HUNTER2' -- '"),
    (&[Generic], "SELECT password /*! it's */, 'HUNTER2' -- '"),
    (&[Generic], "SELECT password, `it's`, 'HUNTER2' -- '"),
];

#[test]
fn no_literal_is_shown_where_a_secret_word_stands() {
    for (dialects, text) in PLANTED {
        for dialect in *dialects {
            let once = shown(*dialect, text);
            let has_planted = ["HUNTER2", "424242"].iter().any(|word| once.contains(word));
            assert!(!has_planted, "{dialect:?}: {text} -> {once}");
            assert_eq!(shown(*dialect, &once), once, "again, {dialect:?}: {text}");
            let hidden = masked(*dialect, text);
            let has_planted = ["HUNTER2", "424242"]
                .iter()
                .any(|word| hidden.contains(word));
            assert!(!has_planted, "masked, {dialect:?}: {text} -> {hidden}");
            let sent = shown(*dialect, &hidden);
            assert_eq!(sent, hidden, "of masked, {dialect:?}: {text}");
        }
    }
}

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

proptest::proptest! {
    #[test]
    fn any_text_is_a_statement(
        text in r#"([ a-z0'"`$\\(),;=.:@?#-]|--|/\*|\*/|/\*!|password|identified|ä|\$a\$|E'|U&'|\n|set|[\[\]]){0,40}"#,
    ) {
        for dialect in ALL {
            let once = shown(dialect, &text);
            proptest::prop_assert_eq!(&shown(dialect, &once), &once, "{:?}: {}", dialect, text);
        }
    }

    #[test]
    fn a_password_is_never_kept(
        before in r#"([ a-z,();=*-]|'[a-z]*'|"[a-z]*"|`[a-z]*`|/\*[a-z' ]*\*/|--[a-z]*\n){0,12}"#,
        quoted in "[a-z]{0,8}",
    ) {
        for dialect in ALL {
            let text = format!("{before}; alter user a password '{quoted}XYZZY'");
            let once = shown(dialect, &text);
            proptest::prop_assert!(!once.contains("XYZZY"), "{:?}: {}", dialect, once);
        }
    }
}

/// Statements of which neither form shows what is planted.
fn assert_hidden(rows: &[(&[Dialect], &str)]) {
    for (dialects, text) in rows {
        for dialect in *dialects {
            let once = shown(*dialect, text);
            assert_eq!(shown(*dialect, &once), once, "again, {dialect:?}: {text}");
            for text in [once, masked(*dialect, text)] {
                let lower = text.to_lowercase();
                assert!(!lower.contains("hunter2"), "{dialect:?}: {text}");
            }
        }
    }
}

#[test]
fn what_is_a_statement_is_no_name() {
    assert_hidden(&[
        (
            &[MySql, Generic, Sqlite],
            "PREPARE s FROM \"CREATE USER 'a'@'b' IDENTIFIED BY 'hunter2'\"",
        ),
        (
            &[MySql, Generic, Sqlite],
            "PREPARE s FROM \"UPDATE u SET password='hunter2'\"",
        ),
        (
            &[MySql, Generic, Sqlite],
            "SELECT 1; PREPARE s FROM \"SET PASSWORD TO hunter2\"",
        ),
        (
            &[MySql, Generic, Sqlite],
            "SELECT password FROM \"u WHERE b = 'hunter2'\"",
        ),
    ]);
    for dialect in [MySql, Generic, Sqlite] {
        let text = "DELETE FROM \"my users\" WHERE password = ?";
        assert_eq!(shown(dialect, text), text);
        assert_eq!(masked(dialect, text), text);
    }
}

#[test]
fn what_is_distinct_from_a_value_is_one() {
    for text in [
        "SELECT 1 FROM u WHERE password IS NOT DISTINCT FROM \"hunter2\"",
        "SELECT 1 FROM u WHERE password IS DISTINCT FROM \"hunter2\"",
        "SELECT 1 FROM u WHERE (password is distinct /* a */ from \"hunter2\")",
    ] {
        assert_hidden(&[(&ALL, text)]);
    }
    let text = "SELECT DISTINCT \"a\" FROM \"u\" WHERE password IS NOT NULL";
    assert_eq!(shown(Postgres, text), text);
}

#[test]
fn credentials_and_what_signs_a_url_are_secret_words() {
    for text in [
        "UPDATE t SET access_token = 'hunter2' WHERE id = 1",
        "UPDATE t SET my_refresh_token = 'hunter2' WHERE id = 1",
        "SELECT 'X-Amz-Signature' AS a, 'hunter2'",
        "UPDATE t SET \"authorization\" = 'hunter2'",
        "SELECT http_header('Authorization', 'Bearer hunter2')",
        "SELECT 'proxy-authorization', 'hunter2'",
    ] {
        assert_hidden(&[(&ALL, text)]);
    }
    assert!(!is_shown_as_it_is(
        &Matcher::default(),
        b"UPDATE t SET authorization = 4242"
    ));
    let text = "SELECT a FROM valid_tokens WHERE author = 'bob' AND authorizations = 4";
    assert_eq!(shown(Postgres, text), text);
    let open = Matcher::default().with_signed_urls(false);
    let mut out = String::new();
    statement(&open, MySql, "SELECT access_token = 'x'", false, &mut out);
    assert_eq!(out, "SELECT access_token = 'x'");
}

#[test]
fn what_is_set_is_hidden_in_all_forms() {
    assert_hidden(&[
        (&ALL, "PRAGMA key(hunter2)"),
        (&ALL, "PRAGMA main.key(hunter2)"),
        (&ALL, "PRAGMA main . hexkey ( hunter2 )"),
        (&ALL, "EXPLAIN PRAGMA key=hunter2"),
        (&ALL, "EXPLAIN QUERY PLAN PRAGMA key = hunter2"),
        (
            &ALL,
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql SET app.secret = hunter2 AS 'x'",
        ),
        (&ALL, "CREATE USER bob IDENTIFIED BY hunter2"),
        (
            &ALL,
            "CREATE USER bob IDENTIFIED BY hun$ter2, al IDENTIFIED BY hunter2",
        ),
        (&[Generic], "CREATE USER bob IDENTIFIED BY a#hunter2"),
        (
            &ALL,
            "ALTER USER bob IDENTIFIED WITH p AS hunter2 REPLACE hunter2",
        ),
        (&ALL, "CREATE USER bob IDENTIFIED BY \"hunter2\""),
        (
            &[MySql, Sqlite, Generic],
            "CREATE USER bob IDENTIFIED BY `hunter2`",
        ),
        (&ALL, "ATTACH 'x' AS y KEY hunter2"),
        (&[MySql, Sqlite, Generic], "ATTACH 'x' AS y KEY `hunter2`"),
        (&[Sqlite], "ATTACH 'x' AS y KEY [hunter2]"),
        (&[Sqlite], "PRAGMA key = [hunter2]"),
    ]);
    for (dialect, text) in [
        (Sqlite, "PRAGMA table_info(user_keys)"),
        (Sqlite, "PRAGMA main.index_list(passengers)"),
        (Generic, "CREATE USER bob IDENTIFIED BY RANDOM PASSWORD"),
        (
            Postgres,
            "CREATE TRIGGER secrets AFTER UPDATE ON t EXECUTE FUNCTION f()",
        ),
        (MySql, "UPDATE secrets SET a = b WHERE c = ?"),
        (MySql, "SELECT identified, password FROM t ORDER BY name"),
    ] {
        assert_eq!(shown(dialect, text), text);
    }
}

#[test]
fn escapes_may_have_a_sign_of_their_own() {
    assert_hidden(&[
        (
            &[Postgres],
            "SELECT set_config(U&'app.p@0061ss' UESCAPE '@', 'hunter2', false)",
        ),
        (
            &[Postgres],
            "SELECT U&\"p!0061ssword\" UESCAPE '!' = 'hunter2'",
        ),
        (&[Postgres], "SELECT password = U&\"hunter2\""),
        (&[Postgres], "ALTER USER a PASSWORD U&\"hunter2\""),
    ]);
}

#[test]
fn digits_may_say_a_secret_word() {
    let matcher = Matcher::default();
    for (text, is_shown) in [
        ("SELECT c FROM t WHERE a = 0x70617373 AND b = 4242", false),
        ("SELECT c FROM t WHERE a = 0X70617373 AND b = 4242", false),
        ("SELECT c FROM t0, x WHERE a = 10 AND b = x", true),
    ] {
        assert_eq!(
            is_shown_as_it_is(&matcher, text.as_bytes()),
            is_shown,
            "{text}"
        );
        assert!(!shown(MySql, text).contains("4242"), "{text}");
    }
}

#[test]
fn dollars_quote_in_mysql_and_name_in_sqlite() {
    assert_hidden(&[
        (
            &[MySql],
            "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $$ it's \"hunter2\" $$ -- password",
        ),
        (&[MySql], "SELECT password, $a$ x $a$, 'hunter2'"),
        (&[MySql], "SELECT password, $a$ -- $a$ it's\n, 'hunter2'"),
        (&[MySql], "SELECT password, $a$b, 'hunter2'"),
        (&[Sqlite], "SELECT $x(it's), 'hunter2', password"),
        (&[Sqlite], "SELECT @x::y(it's), 'hunter2', password"),
        (&[Sqlite], "SELECT :x(it's), #x(it's), 'hunter2', password"),
        (&[Sqlite], "SELECT $x(it 's), 'hunter2', password"),
    ]);
    let text = "SELECT $x(a), :b, @c FROM t WHERE password = $d";
    assert_eq!(shown(Sqlite, text), text);
}

proptest::proptest! {
    #[test]
    fn what_is_known_at_a_glance_is_shown_as_it_is(
        text in r#"( |[a-z]{1,4}|0x[0-9a-f]{2}|70617373|0x|[0-9]{1,3}|[(),;=.:@?$#~-]|set|to|access_token|authorization|by|\n){0,20}"#,
    ) {
        if is_shown_as_it_is(&Matcher::default(), text.as_bytes()) {
            for dialect in ALL {
                proptest::prop_assert_eq!(&shown(dialect, &text), &text, "{:?}", dialect);
            }
        }
    }
}
