//! Stack traces of exits: where the application made the call, or learnt that it
//! failed.
//!
//! On a request path only the addresses of the calls on the stack are kept, as
//! one attribute of the span. They are those of this process as it runs, wherever
//! its files were loaded, so they are turned into names and lines before they
//! leave it: on the agent thread, within a budget of time ([`Resolver`]).

mod address;
#[cfg(all(target_os = "linux", not(target_arch = "arm"), not(miri)))]
mod capture;
#[cfg(not(all(target_os = "linux", not(target_arch = "arm"), not(miri))))]
#[path = "capture_none.rs"]
mod capture;
mod policy;
#[cfg(all(target_os = "linux", not(target_arch = "arm"), not(miri)))]
mod resolver;
#[cfg(not(all(target_os = "linux", not(target_arch = "arm"), not(miri))))]
#[path = "resolver_none.rs"]
mod resolver;

use self::address::Addresses;
use crate::config::StackTraces;
use crate::context::{Context, Flags};
use crate::record::FAMILIES;
use crate::span::Family;
use crate::span::block::Block;
use crate::span::fields::{Fields, envelope};
use crate::tracer::Tracer;

pub(crate) use self::policy::Policy;
pub(crate) use self::resolver::Resolver;

/// Keeps where an exit starts, if it is one and the settings want that of all.
#[cold]
#[inline(never)]
pub(crate) fn at_start(block: &mut Block) {
    if let Some(family) = FAMILIES.get(block.traits.family()) {
        let attributes = &mut block.attributes;
        keep(&block.context, family, StackTraces::All, attributes);
    }
}

/// Keeps where an exit gets its first error, if it is one and the settings want
/// that of those that fail.
#[cold]
#[inline(never)]
pub(crate) fn at_error(context: &Context, family: &'static Family, attributes: &mut Vec<u8>) {
    keep(context, family, StackTraces::Error, attributes);
}

fn keep(context: &Context, family: &'static Family, moment: StackTraces, attributes: &mut Vec<u8>) {
    if !context.flags.has(Flags::EXIT) {
        return;
    }
    let tracer = match context.scope() {
        None => Tracer::global(),
        Some(scope) => Tracer::scoped(scope.clone()),
    };
    let wanted = tracer.with_settings(|settings| settings.stacks.wanted(family));
    let Some(wanted) = wanted.filter(|wanted| wanted.mode == moment && wanted.frames > 0) else {
        return;
    };
    let mut addresses = Addresses::at_most(wanted.addresses());
    capture::capture(&mut addresses);
    if !addresses.is_empty() {
        Fields::envelope(attributes).bytes(envelope::STACK, addresses.as_bytes());
    }
}
