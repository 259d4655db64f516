//! How a recorder is made.

use std::sync::Arc;

use crate::base::losses::Losses;
use crate::config::setters::setters;
use crate::config::{Code, Environment, Sources};
use crate::policy::Settings;
use crate::testing::Recorder;
use crate::trace::context::tracer::{self, Scope};
use crate::trace::context::unscoped;

/// Settings of a [`Recorder`].
#[derive(Clone, Debug, Default)]
#[must_use = "build() makes the recorder"]
pub struct RecorderBuilder {
    pub(crate) code: Code,
    environment: Environment,
}

impl RecorderBuilder {
    /// Settings as the environment would have them, for all that have no method
    /// here. The process's own environment is not looked at.
    pub fn environment(mut self, variables: &[(&str, &str)]) -> Self {
        self.environment = Environment::from_pairs(variables);
        self
    }

    /// The recorder.
    ///
    /// # Panics
    /// On a setting that [`Builder`](crate::Builder) would not accept.
    pub fn build(self) -> Recorder {
        let (_, config, problems) = Sources::read(&self.environment, self.code);
        assert_eq!(problems, [] as [&str; 0], "settings of a recorder");
        unscoped::arm();
        Losses::find_recorder_by(tracer::with_losses);
        Recorder {
            scope: Arc::new(Scope::new(Settings::new(config))),
        }
    }
}

setters!(RecorderBuilder);
