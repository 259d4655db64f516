//! How a recorder is made.

use std::sync::Arc;

use super::Recorder;
use crate::outside;
use crate::secrets::Matcher;
use crate::settings::{Settings, Switches};
use crate::tracer::Scope;

/// Settings of a [`Recorder`].
#[derive(Clone, Debug)]
#[must_use = "build() makes the recorder"]
pub struct RecorderBuilder {
    secrets: Matcher,
    extra_headers: Vec<String>,
    service: Option<String>,
    switches: Switches,
}

impl Default for RecorderBuilder {
    fn default() -> Self {
        let switches = Switches::default()
            .set(Switches::ON, true)
            .set(Switches::W3C_CORRELATION, true)
            .set(Switches::W3C_PROPAGATION, true);
        Self {
            secrets: Matcher::default(),
            extra_headers: Vec::new(),
            service: None,
            switches,
        }
    }
}

impl RecorderBuilder {
    /// `data.service` of all spans.
    pub fn service(mut self, name: &str) -> Self {
        self.service = Some(name.to_owned());
        self
    }

    /// Headers to capture, compared without case.
    pub fn extra_headers(mut self, names: &[&str]) -> Self {
        self.extra_headers = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        self
    }

    /// The matcher for secrets, in the form of `INSTANA_SECRETS`:
    /// `contains-ignore-case:key,pass`.
    ///
    /// # Panics
    /// On a value that `INSTANA_SECRETS` would not accept.
    pub fn secrets(mut self, matcher: &str) -> Self {
        match Matcher::parse(matcher, &mut Vec::new()) {
            Ok(secrets) => self.secrets = secrets,
            Err(error) => unreachable!("{matcher:?}: {error}"),
        }
        self
    }

    /// Whether entries continue from `traceparent` (default: yes).
    pub fn w3c_correlation(mut self, on: bool) -> Self {
        self.switches = self.switches.set(Switches::W3C_CORRELATION, on);
        self
    }

    /// Whether exits write the W3C's headers (default: yes).
    pub fn w3c_propagation(mut self, on: bool) -> Self {
        self.switches = self.switches.set(Switches::W3C_PROPAGATION, on);
        self
    }

    /// Whether exits without an entry are recorded (default: no).
    pub fn root_exits(mut self, on: bool) -> Self {
        self.switches = self.switches.set(Switches::ROOT_EXITS, on);
        self
    }

    /// The recorder.
    pub fn build(self) -> Recorder {
        let settings = Settings::new(
            self.secrets,
            self.extra_headers,
            self.service,
            self.switches,
        );
        outside::arm();
        Recorder {
            scope: Arc::new(Scope::new(settings)),
        }
    }
}
