//! How often metrics are sent.

use std::time::Duration;

use crate::config::Entry;
use crate::config::kind::number::millis;
use crate::config::kind::{Kind, Path};
use crate::config::reader::{Place, Reader};
use crate::config::tree::{Node, Tree};

/// The time between two metrics: milliseconds in a variable, seconds by plugin
/// in a file and from the agent.
pub(crate) struct PollRate;

/// Seconds.
const LONGEST: f64 = 600.0;

impl Kind for PollRate {
    type Value = Duration;

    const ACCEPTED: &'static str = "a number of milliseconds (1000 to 5000)";

    fn is_usable(value: &Duration) -> bool {
        (1_000..=5_000).contains(&value.as_millis())
    }

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<Duration> {
        millis(text).filter(Self::is_usable)
    }

    /// Whole seconds between 1 and 600; what is beyond is the nearest of them.
    fn from_node(node: &Node, _: &Place<'_>, _: &mut Reader<'_>) -> Option<Duration> {
        let seconds: f64 = node.text()?.trim().parse().ok()?;
        let seconds = seconds.clamp(1.0, LONGEST).floor();
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn show(value: &Duration) -> String {
        format!("{} ms", value.as_millis())
    }

    /// Our own plugin's first, then any other's.
    fn from_tree(_: &[Path], tree: &Tree, reader: &mut Reader<'_>) -> Option<Entry<Duration>> {
        let plugins = tree.at("plugin")?.map()?;
        let own = plugins.get_key_value(reader.plugin);
        own.into_iter().chain(plugins).find_map(|(name, plugin)| {
            let node = plugin.get("poll_rate")?;
            let place = Place::tree(tree, &format!("plugin.{name}.poll_rate"), node);
            let rate = Self::from_node(node, &place, reader);
            if rate.is_none() {
                let accepted = "a number of seconds (1 to 600)";
                reader.refuse(&place, &node.to_string(), accepted);
            }
            Some(Entry::new(rate?, place.origin()))
        })
    }
}
