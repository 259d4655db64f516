//! The extension that users add to their schema.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionFactory};
use instana::Tracer;

use crate::FieldSpans;
use crate::fields::OperationWithFields;
use crate::operation::Operation;

/// Records the operations of a schema: add it by `SchemaBuilder::extension`, before other
/// extensions, so that their work is inside of the operation.
///
/// ```
/// use std::time::Duration;
/// use instana_async_graphql::{FieldSpans, InstanaExtension};
/// # use async_graphql::{EmptyMutation, EmptySubscription, Schema, SimpleObject};
/// # #[derive(SimpleObject, Default)]
/// # struct Query { hello: i32 }
///
/// let slow = FieldSpans::Slow(Duration::from_millis(50));
/// let schema = Schema::build(Query::default(), EmptyMutation, EmptySubscription)
///     .extension(InstanaExtension::new().fields(slow))
///     .finish();
/// # let _ = schema;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct InstanaExtension;

impl InstanaExtension {
    /// An extension for the process's tracer, without spans of resolvers.
    pub const fn new() -> Self {
        Self
    }

    /// Which resolvers have spans of their own. Default: none.
    pub fn fields(self, fields: FieldSpans) -> Configured {
        Configured::default().fields(fields)
    }

    /// The tracer for operations outside of any context; the process's unless
    /// set.
    pub fn tracer(self, tracer: Tracer) -> Configured {
        Configured::default().tracer(tracer)
    }
}

impl ExtensionFactory for InstanaExtension {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Operation::new(Tracer::global()))
    }
}

/// An [`InstanaExtension`] with settings.
#[derive(Clone, Debug)]
pub struct Configured {
    fields: FieldSpans,
    tracer: Tracer,
}

impl Configured {
    /// Which resolvers have spans of their own.
    pub fn fields(self, fields: FieldSpans) -> Self {
        Self { fields, ..self }
    }

    /// The tracer for operations outside of any context.
    pub fn tracer(self, tracer: Tracer) -> Self {
        Self { tracer, ..self }
    }
}

impl Default for Configured {
    fn default() -> Self {
        Self {
            fields: FieldSpans::Never,
            tracer: Tracer::global(),
        }
    }
}

impl ExtensionFactory for Configured {
    fn create(&self) -> Arc<dyn Extension> {
        let operation = Operation::new(self.tracer.clone());
        match self.fields {
            FieldSpans::Never => Arc::new(operation),
            fields => Arc::new(OperationWithFields::new(operation, fields)),
        }
    }
}
