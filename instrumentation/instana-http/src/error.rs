//! The text of an error on a span.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Write};
use std::io;
use std::sync::Arc;

use instana::Span;
use instana::span::Failure;

/// Bytes of an error's `Debug` that are looked through.
const ENOUGH: usize = 8 * 1_024;

/// As [`Span::record_error`], for errors of a generic service, which need not implement
/// [`Error`]; boxed errors do not. The sources of boxed, shared and I/O errors are
/// recorded; for others, the operating system's message, if their `Debug` contains it
/// ("Connection refused").
#[cold]
pub fn record_failure<E>(span: &mut Span, error: &E)
where
    E: fmt::Display + fmt::Debug + 'static,
{
    match as_error(error) {
        Some(error) => span.record_error(error),
        None => span.record_error(Failure::display(&Opaque(error))),
    }
}

/// Types that are known to be errors, or to hold one.
fn as_error(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    macro_rules! any_of {
        ($($type:ty => |$known:ident| $error:expr),* $(,)?) => {
            $(if let Some($known) = error.downcast_ref::<$type>() {
                return Some($error);
            })*
        };
    }
    any_of! {
        Box<dyn Error + Send + Sync> => |known| &**known,
        Box<dyn Error + Send> => |known| &**known,
        Box<dyn Error> => |known| &**known,
        Arc<dyn Error + Send + Sync> => |known| known,
        Arc<dyn Error> => |known| known,
        io::Error => |known| known,
        Arc<io::Error> => |known| known,
        http::Error => |known| known,
    }
    None
}

/// An error whose sources are out of reach.
struct Opaque<'a, E>(&'a E);

impl<E: fmt::Display + fmt::Debug> fmt::Display for Opaque<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)?;
        let mut debug = Beginning(String::new());
        let _ = write!(debug, "{:?}", self.0);
        match system_error(&debug.0) {
            Some(cause) if !format!("{:#}", self.0).contains(&cause) => write!(f, ": {cause}"),
            _ => Ok(()),
        }
    }
}

/// The operating system's message for the last I/O error in `debug`. Nothing else is
/// taken from there, because `Debug` shows values that `Display` would not.
fn system_error(debug: &str) -> Option<String> {
    const OS: &str = "Os { code: ";
    const LOOKUP: &str = "failed to lookup address information: ";
    if let Some((_, rest)) = debug.rsplit_once(OS) {
        let digits = rest.split([',', ' ']).next()?;
        return Some(io::Error::from_raw_os_error(digits.parse().ok()?).to_string());
    }
    let (_, reason) = debug.rsplit_once(LOOKUP)?;
    let reason = reason.split('"').next()?;
    Some([LOOKUP, reason].concat())
}

struct Beginning(String);

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > ENOUGH {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As hyper-util's and tonic's: the text is short, the rest is in the sources.
    #[derive(Debug)]
    struct Connect(#[expect(dead_code, reason = "for Debug")] io::Error);

    impl fmt::Display for Connect {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("client error (Connect)")
        }
    }

    impl Error for Connect {}

    #[test]
    fn what_the_system_said_is_found() {
        let refused = || io::Error::from_raw_os_error(111);
        let shown = |error: io::Error| Opaque(&Connect(error)).to_string();
        assert_eq!(
            shown(refused()),
            format!("client error (Connect): {}", refused())
        );
        assert_eq!(
            shown(io::Error::other(Connect(refused()))),
            format!("client error (Connect): {}", refused())
        );
        let lookup = "failed to lookup address information: Name or service not known";
        assert_eq!(
            shown(io::Error::other(lookup)),
            format!("client error (Connect): {lookup}")
        );
        assert_eq!(
            shown(io::Error::other("password is geheim")),
            "client error (Connect)"
        );
        assert_eq!(Opaque(&refused()).to_string(), refused().to_string());
    }

    #[test]
    fn debug_of_any_kind_does_no_harm() {
        for debug in [
            "",
            "Os { code: ",
            "Os { code: x, kind",
            "Os { code: 99999999999999, kind",
            "failed to lookup address information: ",
        ] {
            let _ = system_error(debug);
        }
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("x")?;
                }
            }
        }
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("short")
            }
        }
        assert_eq!(Opaque(&Endless).to_string(), "short");
    }
}
