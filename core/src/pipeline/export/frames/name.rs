//! Names of functions, from how the compiler writes them to how people do.

/// What has no path where the debug information consists of lines only.
const ALONE: [(&str, &str); 4] = [
    ("{async_block", "async block"),
    ("{async_closure", "async closure"),
    ("{async_fn", "async fn"),
    ("{closure", "closure"),
];

/// A demangled name without what says nothing to its reader: closures and state
/// machines have the name of the function they stand in, and generic arguments
/// are left out.
pub(crate) fn readable(name: &str) -> String {
    if let Some((_, said)) = ALONE.iter().find(|(start, _)| name.starts_with(start)) {
        return (*said).to_owned();
    }
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars();
    loop {
        let rest = chars.as_str();
        let is_arguments = rest.starts_with('<') && out.ends_with(is_of_name)
            || rest.starts_with("::<") && !rest.starts_with("::<impl ");
        if is_arguments {
            chars = behind_group(rest.trim_start_matches("::"), '<', '>').chars();
        } else if rest.starts_with("::{") {
            chars = behind_group(rest.trim_start_matches("::"), '{', '}').chars();
        } else if let Some(character) = chars.next() {
            out.push(character);
        } else {
            break;
        }
    }
    match inherent(&out) {
        Some((of, rest)) => format!("{of}::{rest}"),
        None => out,
    }
}

/// `<shop::Repo>::load` without its brackets.
fn inherent(name: &str) -> Option<(&str, &str)> {
    let (of, rest) = name.strip_prefix('<')?.split_once(">::")?;
    let is_path = of.chars().all(|c| is_of_name(c) || c == ':');
    is_path.then_some((of, rest))
}

/// The crate to whose code a demangled name belongs: the crate of the type whose function
/// it is, or of the trait where the type is a parameter. `None` for what is not Rust.
pub(crate) fn crate_of(name: &str) -> Option<&str> {
    let Some(qualified) = name.strip_prefix('<') else {
        return first_of_path(name);
    };
    let inside = until_group_ends(qualified);
    let (of, interface) = match outer_as(inside) {
        Some((of, interface)) => (of, Some(interface)),
        None => (inside, None),
    };
    let of = bare(of);
    let known = if of.starts_with('<') {
        crate_of(of)
    } else {
        first_of_path(of)
    };
    match (known, interface) {
        (Some(known), _) => Some(known),
        (None, Some(interface)) => first_of_path(interface),
        // Slices and numbers have functions of their own only in `core`.
        (None, None) => Some("core"),
    }
}

/// The first segment of a path of several.
fn first_of_path(path: &str) -> Option<&str> {
    let (first, _) = path.split_once("::")?;
    (!first.is_empty() && first.chars().all(is_of_name)).then_some(first)
}

/// A type without references, pointers and the like around it.
fn bare(mut of: &str) -> &str {
    const AROUND: [&str; 8] = ["&", "*", "(", "[", "mut ", "const ", "dyn ", "impl "];
    while let Some(rest) = AROUND.iter().find_map(|around| of.strip_prefix(around)) {
        of = rest;
    }
    of
}

/// What stands before and behind an ` as ` that is in no inner brackets.
fn outer_as(text: &str) -> Option<(&str, &str)> {
    let at = positions(text, '<', '>')
        .find(|(at, depth)| *depth == 0 && text.get(*at..).is_some_and(|t| t.starts_with(" as ")))
        .map(|(at, _)| at)?;
    let (of, interface) = text.split_at_checked(at)?;
    Some((of, interface.strip_prefix(" as ")?))
}

/// `text` up to the bracket that closes one before it.
fn until_group_ends(text: &str) -> &str {
    let end = positions(text, '<', '>').find(|(_, depth)| *depth < 0);
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// What follows the group that `text` begins with.
fn behind_group(text: &str, open: char, close: char) -> &str {
    let end = positions(text, open, close).find(|(_, depth)| *depth == 0);
    end.and_then(|(at, _)| text.get(at + close.len_utf8()..))
        .unwrap_or_default()
}

/// Each character's position and how many groups are open behind it. The `>` of
/// `->` closes nothing.
fn positions(text: &str, open: char, close: char) -> impl Iterator<Item = (usize, i32)> {
    let mut depth = 0;
    let mut before = ' ';
    text.char_indices().map(move |(at, character)| {
        if character == open {
            depth += 1;
        } else if character == close && before != '-' {
            depth -= 1;
        }
        before = character;
        (at, depth)
    })
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_shortened_to_what_was_written() {
        for (name, expected) in [
            ("shop::main", "shop::main"),
            ("main", "main"),
            ("", ""),
            ("{async_fn#0}", "async fn"),
            ("{async_block#1}", "async block"),
            ("{closure#0}<u8>", "closure"),
            ("{closure_env#0}", "closure"),
            ("{{closure}}", "{{closure}}"),
            ("shop::orders::load::{{closure}}", "shop::orders::load"),
            (
                "shop::orders::load::{closure#0}::{closure#12}",
                "shop::orders::load",
            ),
            ("shop::load::{async_fn#0}", "shop::load"),
            ("shop::load::{{closure}}::inner", "shop::load::inner"),
            (
                "shop::run::<alloc::vec::Vec<u8>, fn(u8) -> u8>",
                "shop::run",
            ),
            ("shop::run::<u8>::{closure#0}", "shop::run"),
            ("alloc::vec::Vec<T,A>::push", "alloc::vec::Vec::push"),
            ("<shop::Repo>::load", "shop::Repo::load"),
            ("<shop::Repo<T>>::load::<u8>", "shop::Repo::load"),
            (
                "<shop::Repo<T> as shop::Load<U>>::load",
                "<shop::Repo as shop::Load>::load",
            ),
            ("<<A<T> as B>::C as D<E>>::f", "<<A as B>::C as D>::f"),
            (
                "shop::model::<impl shop::Load for shop::Repo<T>>::load",
                "shop::model::<impl shop::Load for shop::Repo>::load",
            ),
            (
                "<F as shop::Handler<fn() -> T>>::call",
                "<F as shop::Handler>::call",
            ),
            ("<[T]>::sort", "<[T]>::sort"),
            ("shop::größe::<ä>", "shop::größe"),
        ] {
            assert_eq!(readable(name), expected, "{name}");
        }
    }

    #[test]
    fn the_crate_is_that_of_the_code() {
        for (name, expected) in [
            ("shop::main", Some("shop")),
            ("main", None),
            ("", None),
            ("std::rt::lang_start", Some("std")),
            ("<shop::Repo>::load", Some("shop")),
            (
                "<shop::Svc as tower_service::Service<R>>::call",
                Some("shop"),
            ),
            (
                "<tower::util::Either<shop::A,B> as tower_service::Service<R>>::call",
                Some("tower"),
            ),
            (
                "<F as axum::handler::Handler<(M,T1),S>>::call",
                Some("axum"),
            ),
            (
                "<&mut F as core::future::future::Future>::poll",
                Some("core"),
            ),
            (
                "<&mut shop::F as core::future::future::Future>::poll",
                Some("shop"),
            ),
            ("<dyn shop::F as core::any::Any>::type_id", Some("shop")),
            ("<(A,B) as shop::Load>::load", Some("shop")),
            ("<<shop::A as B>::C as d::D>::f", Some("shop")),
            ("<fn(T) -> U as d::D>::f", Some("d")),
            ("<[T]>::sort", Some("core")),
            ("<u32>::pow", Some("core")),
            ("alloc::slice::<impl [T]>::sort", Some("alloc")),
            ("_ZN4shop4mainEv", None),
        ] {
            assert_eq!(crate_of(name), expected, "{name}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_taken(name in "[a-c:<>{}#&é \\->(,as]{0,40}") {
            prop_assert!(readable(&name).len() <= name.len().max(13));
            let _ = crate_of(&name);
        }
    }
}
