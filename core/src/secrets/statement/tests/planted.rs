//! Statements with a secret word: no literal of them is shown.

use crate::secrets::statement::tests::*;

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
