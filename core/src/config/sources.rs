//! What each source says, and what follows from all of them.

use crate::config::env::Environment;
use crate::config::problem::Problems;
use crate::config::tree::Tree;
use crate::config::{Code, Config, Layer, file, unknown};

/// Environment, file and code. They do not change while the process runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    environment: Layer,
    file: Layer,
    code: Layer,
}

impl Sources {
    /// Reads them; with it come the settings in force until the agent is heard,
    /// and what could not be used, in words.
    pub(crate) fn read(environment: &Environment, code: Code) -> (Self, Config, Vec<String>) {
        let mut problems = code.problems;
        let mut sources = Self {
            environment: Layer::of_environment(environment, &mut problems),
            file: Layer::default(),
            code: code.layer,
        };
        let Config {
            config_path,
            plugin,
            ..
        } = sources.config(&Layer::default());
        if let Some(path) = config_path {
            let name = match sources.environment.config_path {
                Some(_) => "INSTANA_CONFIG_PATH",
                None => "config_path",
            };
            if let Some(tree) = file::load(name, &path, &mut problems) {
                unknown::report(&tree, &path, &mut problems);
                sources.file = Layer::of_tree(&tree, &plugin, &mut problems);
            }
        }
        let config = sources.config(&Layer::default());
        let lines = lines(&problems, &config);
        (sources, config, lines)
    }

    /// The settings in force after the agent's answer, and what of it could not
    /// be used.
    pub(crate) fn with_agent(&self, answer: &Tree) -> (Config, Vec<String>) {
        let plugin = self.config(&Layer::default()).plugin;
        let mut problems = Problems::default();
        let agent = Layer::of_tree(answer, &plugin, &mut problems);
        let config = self.config(&agent);
        let lines = lines(&problems, &config);
        (config, lines)
    }

    fn config(&self, agent: &Layer) -> Config {
        Config::of(&[&self.environment, &self.file, &self.code, agent])
    }
}

fn lines(problems: &Problems, config: &Config) -> Vec<String> {
    let settings = config.settings();
    problems.lines(|key| {
        let setting = settings.iter().find(|setting| setting.name == key);
        setting
            .map(|setting| setting.value.clone())
            .unwrap_or_default()
    })
}
