//! Hands a record to a producer, and returns it if the producer refuses it.

use std::panic::Location;

use instana::Span;
use instana::span::called_from;
use rdkafka::error::KafkaError;
use rdkafka::message::{OwnedHeaders, ToBytes};
use rdkafka::producer::BaseRecord;
use rdkafka::util::IntoOpaque;

use super::context::Tracked;
use crate::family::{SEND, describe};
use crate::headers::{Before, inject};

/// Starts the exit of a record and writes its headers.
#[track_caller]
pub(super) fn start(topic: &str, headers: &mut Option<OwnedHeaders>) -> (Span, Before) {
    let mut span = called_from(Location::caller(), || Span::exit(&SEND));
    describe(&mut span, topic, "send");
    let before = inject(&span, headers);
    (span, before)
}

type Sent<'a, K, P, D> = Result<(), (KafkaError, BaseRecord<'a, K, P, D>)>;

/// Sends a record with its span beside the user's opaque. A refused record is returned
/// unchanged, and its span ends.
#[expect(clippy::result_large_err, reason = "rdkafka's type")]
#[track_caller]
pub(super) fn send<'a, K, P, D>(
    mut record: BaseRecord<'a, K, P, D>,
    is_in_transaction: bool,
    send: impl FnOnce(BaseRecord<'a, K, P, Box<Tracked<D>>>) -> Sent<'a, K, P, Box<Tracked<D>>>,
) -> Sent<'a, K, P, D>
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
    D: IntoOpaque,
{
    let (span, before) = start(record.topic, &mut record.headers);
    let (record, opaque) = take_opaque(record);
    let tracked = Box::new(Tracked::new(span, is_in_transaction, opaque));
    send(put_opaque(record, tracked)).map_err(|(error, record)| {
        let (mut record, tracked) = take_opaque(record);
        before.restore(&mut record.headers);
        (error.clone(), put_opaque(record, tracked.failed(&error)))
    })
}

fn take_opaque<'a, K, P, D>(record: BaseRecord<'a, K, P, D>) -> (BaseRecord<'a, K, P, ()>, D)
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
    D: IntoOpaque,
{
    let BaseRecord {
        topic,
        partition,
        payload,
        key,
        timestamp,
        headers,
        delivery_opaque,
    } = record;
    let record = BaseRecord {
        topic,
        partition,
        payload,
        key,
        timestamp,
        headers,
        delivery_opaque: (),
    };
    (record, delivery_opaque)
}

fn put_opaque<'a, K, P, D>(
    record: BaseRecord<'a, K, P, ()>,
    delivery_opaque: D,
) -> BaseRecord<'a, K, P, D>
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
    D: IntoOpaque,
{
    BaseRecord {
        topic: record.topic,
        partition: record.partition,
        payload: record.payload,
        key: record.key,
        timestamp: record.timestamp,
        headers: record.headers,
        delivery_opaque,
    }
}
