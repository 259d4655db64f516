//! Without recorders, every span is outside of them.

use std::sync::Arc;

use crate::span::Family;
use crate::tracer::Scope;

#[inline(always)]
pub(crate) fn began(_: Option<&Arc<Scope>>, _: &Family) {}

#[inline(always)]
pub(crate) fn named(_: &Family, _: &str) {}
