//! Calls as exits.

use instana::Span;
use instana::span::{Family, Kind};

use crate::command::Name;
use crate::target::Target;

/// Names of a pipeline's commands that are recorded.
const MOST_SUB_COMMANDS: usize = 100;

instana::section! {
    /// `data.redis`
    pub(crate) struct Redis = "redis" {
        /// `host:port`, and `/db` behind it where it is not 0.
        connection: text(300),
        /// The name of the command, or `multi`, or `pipeline`.
        command: text(64),
        /// The names of the commands in it.
        sub_commands = "subCommands": list(64),
        /// What went wrong.
        error: error(200),
    }
}

pub(crate) static EXIT: Family = Family::new("redis", Kind::Exit, Redis::SECTION, "databases");

/// Starts the exit of a call.
#[inline]
pub(crate) fn start() -> Span {
    Span::exit(&EXIT)
}

/// Describes the exit of a command.
pub(crate) fn command(span: &mut Span, target: &Target, name: &Name) {
    describe(span, target, name);
    span.decide();
}

/// Describes the exit of a pipeline or a transaction of so many commands.
pub(crate) fn pipeline(
    span: &mut Span,
    target: &Target,
    is_atomic: bool,
    count: usize,
    names: impl IntoIterator<Item = Name>,
) {
    describe(span, target, Name::of_pipeline(is_atomic));
    Redis::record(span, |redis| {
        for name in names.into_iter().take(MOST_SUB_COMMANDS) {
            redis.sub_commands(name.as_str());
        }
    });
    span.batch_size(count);
    span.decide();
}

fn describe(span: &mut Span, target: &Target, name: &Name) {
    target.record(span);
    Redis::record(span, |redis| {
        redis.command(name.as_str());
    });
}
