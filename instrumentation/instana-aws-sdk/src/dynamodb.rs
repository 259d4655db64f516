//! DynamoDB: tables and items.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation as op;
use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_smithy_runtime_api::client::interceptors::context::{Input, Output};
use instana::Span;
use instana::span::{Family, Kind};

use crate::service::{Service, camel_case};

instana::section! {
    /// `data.dynamodb`: a call to DynamoDB (as in Go). No keys and no values.
    struct Data = "dynamodb" {
        /// The operation.
        op: text(64),
        /// The table, or several with commas.
        table: text(512),
        /// The region of the client.
        region: text(32),
        /// What went wrong.
        error: error(200),
    }
}

static EXIT: Family = Family::new("dynamodb", Kind::Exit, Data::SECTION, "databases");

/// DynamoDB, as the SDK knows it.
#[derive(Debug)]
pub(crate) struct DynamoDb;

impl Service for DynamoDb {
    fn name(&self) -> &'static str {
        "DynamoDB"
    }

    fn family(&self, _: &Input) -> Option<&'static Family> {
        Some(&EXIT)
    }

    fn describe(&self, span: &mut Span, operation: &str, region: Option<&str>, input: &Input) {
        let tables = Tables::of(input);
        Data::record(span, |dynamodb| {
            match word(operation) {
                Some(op) => dynamodb.op(op),
                None => dynamodb.op(&camel_case(operation)),
            };
            match &tables {
                Tables::None => {}
                Tables::One(table) => {
                    dynamodb.table(table);
                }
                Tables::Many { names, .. } => {
                    dynamodb.table(names);
                }
            }
            if let Some(region) = region {
                dynamodb.region(region);
            }
        });
        if let Tables::Many { items, .. } = tables {
            span.batch_size(items);
        }
    }

    /// The caller has to send items again for which the service had no capacity.
    fn answered(&self, span: &mut Span, output: &Output) -> bool {
        let mut unprocessed = 0;
        if let Some(output) = output.downcast_ref::<op::batch_write_item::BatchWriteItemOutput>() {
            let tables = output.unprocessed_items().into_iter().flatten();
            unprocessed = tables.map(|(_, requests)| requests.len()).sum();
        } else if let Some(output) = output.downcast_ref::<op::batch_get_item::BatchGetItemOutput>()
        {
            let tables = output.unprocessed_keys().into_iter().flatten();
            unprocessed = tables.map(|(_, keys)| keys.keys().len()).sum();
        }
        if unprocessed > 0 {
            span.tag("unprocessed", unprocessed as u64);
        }
        true
    }
}

/// Go's words, also for batches. All others have the name of the operation:
/// `describeTable`.
fn word(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "CreateTable" => "create",
        "ListTables" => "list",
        "GetItem" => "get",
        "PutItem" => "put",
        "UpdateItem" => "update",
        "DeleteItem" => "delete",
        "Query" => "query",
        "Scan" => "scan",
        "BatchGetItem" => "batchGet",
        "BatchWriteItem" => "batchWrite",
        "TransactGetItems" => "transactGet",
        "TransactWriteItems" => "transactWrite",
        _ => return None,
    })
}

/// The tables of a call.
enum Tables<'a> {
    None,
    One(&'a str),
    Many { names: String, items: usize },
}

impl<'a> Tables<'a> {
    fn of(input: &'a Input) -> Self {
        match Self::one(input) {
            Some(table) => Self::One(table),
            None => Self::many(input).unwrap_or(Self::None),
        }
    }

    fn one(input: &'a Input) -> Option<&'a str> {
        macro_rules! first {
            ($($module:ident $type:ident;)*) => {
                $(if let Some(input) = input.downcast_ref::<op::$module::$type>() {
                    return input.table_name();
                })*
            };
        }
        first! {
            get_item GetItemInput;
            put_item PutItemInput;
            update_item UpdateItemInput;
            delete_item DeleteItemInput;
            query QueryInput;
            scan ScanInput;
            create_table CreateTableInput;
            update_table UpdateTableInput;
            delete_table DeleteTableInput;
            describe_table DescribeTableInput;
            describe_time_to_live DescribeTimeToLiveInput;
            update_time_to_live UpdateTimeToLiveInput;
            create_backup CreateBackupInput;
            list_backups ListBackupsInput;
        }
        None
    }

    fn many(input: &'a Input) -> Option<Self> {
        if let Some(input) = input.downcast_ref::<op::batch_get_item::BatchGetItemInput>() {
            let tables = input.request_items()?.iter();
            return Some(Self::joined(
                tables.map(|(table, keys)| (table.as_str(), keys.keys().len())),
            ));
        }
        if let Some(input) = input.downcast_ref::<op::batch_write_item::BatchWriteItemInput>() {
            let tables = input.request_items()?.iter();
            return Some(Self::joined(
                tables.map(|(table, requests)| (table.as_str(), requests.len())),
            ));
        }
        if let Some(input) = input.downcast_ref::<op::transact_get_items::TransactGetItemsInput>() {
            let items = input.transact_items().iter();
            let tables = items.filter_map(|item| Some((item.get()?.table_name(), 1)));
            return Some(Self::joined(tables));
        }
        let input = input.downcast_ref::<op::transact_write_items::TransactWriteItemsInput>()?;
        let items = input.transact_items().iter();
        Some(Self::joined(
            items.filter_map(|item| Some((written(item)?, 1))),
        ))
    }

    /// Each table once, in the order of their names.
    fn joined(tables: impl Iterator<Item = (&'a str, usize)>) -> Self {
        let mut items = 0;
        let names: BTreeSet<&str> = tables
            .map(|(table, count)| {
                items += count;
                table
            })
            .collect();
        let names: Vec<&str> = names.into_iter().collect();
        Self::Many {
            names: names.join(","),
            items,
        }
    }
}

/// The table of one part of a transaction.
fn written(item: &TransactWriteItem) -> Option<&str> {
    let put = item.put().map(|put| put.table_name());
    let update = || item.update().map(|update| update.table_name());
    let delete = || item.delete().map(|delete| delete.table_name());
    let check = || item.condition_check().map(|check| check.table_name());
    put.or_else(update).or_else(delete).or_else(check)
}
