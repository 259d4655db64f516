//! Properties of statements, for all texts.

use crate::secrets::statement::tests::*;

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
