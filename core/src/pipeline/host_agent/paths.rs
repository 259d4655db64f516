//! The agent's URLs (docs/PROTOCOL.md, "Requests").

/// Events, from any process (docs/PROTOCOL.md, "Events").
pub(crate) const EVENT: &str = "/com.instana.plugin.generic.event";
/// Where one line for the agent's own log goes.
pub(crate) const LOGGER: &str = "/com.instana.agent.logger";
/// Spans in the native format from a process that is not announced
/// (docs/PROTOCOL.md, "Raw traces").
pub(crate) const RAW_TRACE: &str = "/com.instana.plugin.generic.rawtrace";

/// The paths of one plugin name.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    prefix: String,
}

impl Paths {
    /// `plugin` is the last part of the name, such as `rust` or `golang`.
    pub(crate) fn new(plugin: &str) -> Self {
        let mut prefix = String::from("/com.instana.plugin.");
        percent_encode(plugin, &mut prefix);
        Self { prefix }
    }

    /// PUT: the announce.
    pub(crate) fn announce(&self) -> String {
        format!("{}.discovery", self.prefix)
    }

    /// HEAD: readiness; POST: metrics and snapshot. `pid` is the one from the
    /// announce's answer, here and below.
    pub(crate) fn entity(&self, pid: &str) -> String {
        [&self.prefix, ".", pid].concat()
    }

    /// POST: spans.
    pub(crate) fn traces(&self, pid: &str) -> String {
        [&self.prefix, "/traces.", pid].concat()
    }

    /// POST: the answer to an agent's request.
    pub(crate) fn response(&self, pid: &str, message_id: &str) -> String {
        let mut path = format!("{}/response.{pid}?messageId=", self.prefix);
        percent_encode(message_id, &mut path);
        path
    }
}

/// Appends `text` with everything but RFC 3986's unreserved characters encoded.
fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_plugins() {
        let rust = Paths::new("rust");
        let odd = Paths::new("a b/\r\nc");
        for (path, expected) in [
            (rust.announce(), "/com.instana.plugin.rust.discovery"),
            (rust.entity("7"), "/com.instana.plugin.rust.7"),
            (rust.traces("7"), "/com.instana.plugin.rust/traces.7"),
            (
                rust.response("7", "a/b c-1"),
                "/com.instana.plugin.rust/response.7?messageId=a%2Fb%20c-1",
            ),
            (
                rust.response("7", "é&x=1"),
                "/com.instana.plugin.rust/response.7?messageId=%C3%A9%26x%3D1",
            ),
            (odd.entity("1"), "/com.instana.plugin.a%20b%2F%0D%0Ac.1"),
        ] {
            assert_eq!(path, expected);
        }
    }
}
