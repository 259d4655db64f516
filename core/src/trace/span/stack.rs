//! Stack traces of exits: where the application made the call, or learnt that it
//! failed.
//!
//! On a request path only the addresses of the calls on the stack are kept, as
//! one attribute of the span. They belong to this process as it runs, wherever
//! its files were loaded, so they are turned into names and lines before they
//! leave it: on the agent thread, within a budget of time ([`Resolver`]).

use crate::base::stack::{Addresses, capture};
use crate::config::StackTraces;
use crate::record::Family;
use crate::record::fields::{Fields, envelope};
use crate::record::flags::Flags;
use crate::record::registry::FAMILIES;
use crate::trace::context::Context;
use crate::trace::context::Tracer;
use crate::trace::context::block::Block;

/// Keeps where an exit starts, if the span is an exit and the settings want stacks of
/// all exits.
#[cold]
#[inline(never)]
pub(crate) fn at_start(block: &mut Block) {
    if let Some(family) = FAMILIES.get(block.traits.family()) {
        let attributes = &mut block.attributes;
        keep(&block.context, family, StackTraces::All, attributes);
    }
}

/// Keeps where an exit gets its first error, if the span is an exit and the settings
/// want stacks of failed exits.
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
    capture(&mut addresses);
    if !addresses.is_empty() {
        Fields::envelope(attributes).bytes(envelope::STACK, addresses.as_bytes());
    }
}
