//! The names of the fields and arguments that an operation selects, in bounds.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};

use crate::Graphql;

/// The largest number of selections of a document that are read.
const MOST_SELECTIONS: usize = 1_000;

/// The largest depth of fragments within fragments that are read.
const DEEPEST: usize = 8;

/// Objects, and names below each.
const MOST_NAMES: usize = 50;

/// Bytes of all names together; the span needs room for the rest.
const MOST_BYTES: usize = 4_096;

/// The operation of a document that a request asks for, and its name there. As in
/// async-graphql, a document with one operation needs no `asked` name.
pub(crate) fn find<'d>(
    document: &'d ExecutableDocument,
    asked: Option<&str>,
) -> Option<(Option<&'d str>, &'d OperationDefinition)> {
    let (name, operation) = match (&document.operations, asked) {
        (DocumentOperations::Single(operation), None) => (None, operation),
        (DocumentOperations::Single(_), Some(_)) => return None,
        (DocumentOperations::Multiple(operations), Some(asked)) => {
            let (name, operation) = operations.get_key_value(asked)?;
            (Some(name.as_str()), operation)
        }
        (DocumentOperations::Multiple(operations), None) => {
            let (name, operation) = operations.iter().next().filter(|_| operations.len() == 1)?;
            (Some(name.as_str()), operation)
        }
    };
    Some((name, &operation.node))
}

/// The type of an operation as it is recorded.
pub(crate) fn word(operation: OperationType) -> &'static str {
    match operation {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// The fields of an operation, each with the names of the fields selected below it and of
/// its arguments. Fields in fragments count as if they were written in place of the
/// fragment; aliases, which clients invent, are not recorded.
#[derive(Debug)]
pub(crate) struct Asked<'d> {
    objects: Vec<Object<'d>>,
}

#[derive(Debug)]
struct Object<'d> {
    name: &'d str,
    fields: Vec<&'d str>,
    args: Vec<&'d str>,
}

impl<'d> Asked<'d> {
    pub(crate) fn of(document: &'d ExecutableDocument, operation: &'d OperationDefinition) -> Self {
        let mut reader = Reader {
            document,
            selections: MOST_SELECTIONS,
            bytes: MOST_BYTES,
        };
        let mut objects: Vec<Object<'d>> = Vec::new();
        for field in reader.fields(&operation.selection_set.node) {
            let name = field.name.node.as_str();
            let known = objects.iter().position(|object| object.name == name);
            let at = known.unwrap_or(objects.len());
            if known.is_none() {
                if objects.len() == MOST_NAMES || !reader.has_room(name) {
                    break;
                }
                objects.push(Object {
                    name,
                    fields: Vec::new(),
                    args: Vec::new(),
                });
            }
            let Some(object) = objects.get_mut(at) else {
                break;
            };
            for (argument, _) in &field.arguments {
                reader.add(&mut object.args, argument.node.as_str());
            }
            for below in reader.fields(&field.selection_set.node) {
                reader.add(&mut object.fields, below.name.node.as_str());
            }
        }
        Self { objects }
    }

    pub(crate) fn record(&self, graphql: &mut Graphql<'_>) {
        for object in &self.objects {
            graphql.fields(object.name, object.fields.iter().copied());
            if !object.args.is_empty() {
                graphql.args(object.name, object.args.iter().copied());
            }
        }
    }
}

/// Reads selections up to the limit.
struct Reader<'d> {
    document: &'d ExecutableDocument,
    /// How many more are read.
    selections: usize,
    /// How many more bytes of names are kept.
    bytes: usize,
}

impl<'d> Reader<'d> {
    fn fields(&mut self, set: &'d SelectionSet) -> Vec<&'d Field> {
        let mut found = Vec::new();
        self.collect(set, DEEPEST, &mut found);
        found
    }

    fn collect(&mut self, set: &'d SelectionSet, deepest: usize, found: &mut Vec<&'d Field>) {
        for selection in &set.items {
            if self.selections == 0 {
                return;
            }
            self.selections -= 1;
            let inner = match &selection.node {
                Selection::Field(field) => {
                    found.push(&field.node);
                    continue;
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.node.fragment_name.node);
                    fragment.map(|fragment| &fragment.node.selection_set.node)
                }
                Selection::InlineFragment(fragment) => Some(&fragment.node.selection_set.node),
            };
            if let Some((set, deepest)) = inner.zip(deepest.checked_sub(1)) {
                self.collect(set, deepest, found);
            }
        }
    }

    fn add(&mut self, names: &mut Vec<&'d str>, name: &'d str) {
        if names.len() < MOST_NAMES && !names.contains(&name) && self.has_room(name) {
            names.push(name);
        }
    }

    fn has_room(&mut self, name: &str) -> bool {
        let rest = self.bytes.checked_sub(name.len());
        self.bytes = rest.unwrap_or_default();
        rest.is_some()
    }
}
