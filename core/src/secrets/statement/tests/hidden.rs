//! Forms of which neither the full nor the masked statement shows what is planted.

use crate::secrets::statement::tests::*;

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
