//! Names and addresses.

use crate::config::kind::Kind;
use crate::config::parse;
use crate::config::reader::{Place, Reader};

/// A host, without scheme and port.
pub(crate) struct Host;

/// The plugin's name.
pub(crate) struct Plugin;

/// A text that is not blank: it stands in each span, or is shown to people.
pub(crate) struct Name;

/// The path of a file.
pub(crate) struct FilePath;

/// The most bytes of a path (Linux).
const MAX_PATH: usize = 4096;

impl Kind for Host {
    type Value = String;

    const ACCEPTED: &'static str =
        "a host name or an IP address (no scheme; the port is a setting of its own)";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<String> {
        parse::host(text)
    }

    fn show(value: &String) -> String {
        value.clone()
    }
}

impl Kind for Plugin {
    type Value = String;

    const ACCEPTED: &'static str = "a plugin name (1 to 64 of a-z, 0-9, `.`, `_`, `-`)";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<String> {
        parse::plugin(text)
    }

    fn show(value: &String) -> String {
        value.clone()
    }
}

impl Kind for Name {
    type Value = Option<String>;

    const ACCEPTED: &'static str = "a name (1 to 1024 bytes)";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<Option<String>> {
        parse::name(text).map(Some)
    }

    fn show(value: &Option<String>) -> String {
        value.clone().unwrap_or_else(|| "none".to_owned())
    }
}

impl Kind for FilePath {
    type Value = Option<String>;

    const ACCEPTED: &'static str = "a path (1 to 4096 bytes)";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<Option<String>> {
        parse::text(text, MAX_PATH).map(Some)
    }

    fn show(value: &Option<String>) -> String {
        Name::show(value)
    }
}

/// What code says about host and port in one text.
pub(crate) fn address(text: &str, reader: &mut Reader<'_>) -> Option<(String, Option<u16>)> {
    let address = parse::address(text);
    if address.is_none() {
        let accepted = "a host or host:port (no scheme; IPv6 with a port in brackets)";
        reader.refuse(&Place::named("agent"), text, accepted);
    }
    address
}
