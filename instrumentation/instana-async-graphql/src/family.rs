//! Spans of GraphQL (docs/PROTOCOL.md, "GraphQL").

use instana::span::{Family, Kind};

instana::section! {
    /// `data.graphql`: an operation, or an event of a subscription.
    pub struct Graphql = "graphql" {
        /// The operation's name in the document.
        operation_name = "operationName": text(256),
        /// `query`, `mutation`, `subscription` or, for an event, `subscription-update`.
        operation_type = "operationType": text(32),
        /// The fields selected below a field of the operation.
        fields: lists(64),
        /// The names of the arguments of one of the operation's fields.
        args: lists(64),
        /// The messages of the response's errors.
        errors: error(1_000),
    }
}

/// An incoming operation: `graphql.server`.
pub static SERVER: Family =
    Family::new("graphql.server", Kind::Entry, Graphql::SECTION, "protocols");

/// An event that a subscription sends: `graphql.client`.
pub static CLIENT: Family =
    Family::new("graphql.client", Kind::Exit, Graphql::SECTION, "protocols");
