//! The settings in force, in the form in which spans ask for them.

pub(crate) mod rules;
mod settings;
pub(crate) mod stacks;

pub(crate) use self::settings::{LiveSettings, LiveSettingsGuard, Settings};
