//! `BaseProducer` and `ThreadedProducer`, with contexts of the user's.

use std::sync::{Arc, Mutex};

use instana::span::Kind;
use instana::testing::Recorder;
use instana_kafka::{BaseProducer, InstanaContext, ThreadedProducer};
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Partitioner, Producer, ProducerContext, PurgeConfig};

use super::*;

/// Notes deliveries: the opaque and the error; and sends what failed to another
/// topic, if it has a producer for that.
#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<(usize, Option<String>)>>,
    spans: bool,
    partitioner: Option<Last>,
}

impl ClientContext for Notes {}

impl<Part: Partitioner> ProducerContext<Part> for Notes
where
    Notes: HasPartitioner<Part>,
{
    type DeliveryOpaque = Arc<usize>;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: Arc<usize>) {
        if self.spans {
            instana::exit_span("told").end();
        }
        let error = result.as_ref().err().map(|(error, _)| error.to_string());
        self.seen.lock().unwrap().push((*opaque, error));
    }

    fn get_custom_partitioner(&self) -> Option<&Part> {
        self.partitioner()
    }
}

trait HasPartitioner<Part> {
    fn partitioner(&self) -> Option<&Part>;
}

impl HasPartitioner<rdkafka::producer::NoCustomPartitioner> for Notes {
    fn partitioner(&self) -> Option<&rdkafka::producer::NoCustomPartitioner> {
        None
    }
}

impl HasPartitioner<Last> for Notes {
    fn partitioner(&self) -> Option<&Last> {
        self.partitioner.as_ref()
    }
}

/// Sends everything to the last partition.
struct Last;

impl Partitioner for Last {
    fn partition(
        &self,
        _: &str,
        _: Option<&[u8]>,
        partitions: i32,
        _: impl Fn(i32) -> bool,
    ) -> i32 {
        partitions - 1
    }
}

fn record(opaque: Arc<usize>) -> BaseRecord<'static, str, str, Arc<usize>> {
    BaseRecord::with_opaque_to(TOPIC, opaque)
        .partition(0)
        .key("key")
        .payload("payload")
        .headers(user_headers())
}

fn seen<P>(producer: &P) -> Vec<(usize, Option<String>)>
where
    P: Producer<InstanaContext<Notes>>,
{
    producer.context().inner().seen.lock().unwrap().clone()
}

#[test]
fn the_span_ends_in_the_poll_that_tells_of_the_delivery() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let producer: BaseProducer<Notes> = broker
        .config()
        .create_with_context(Notes::default())
        .unwrap();
    let opaque = Arc::new(7);
    let result = recorder.enter_entry(|| producer.send(record(opaque.clone())));
    assert!(result.is_ok());
    recorder.assert_tree("entry job");
    while producer.in_flight_count() > 0 {
        producer.poll(Duration::from_millis(10));
    }
    assert_eq!(seen(&producer), [(7, None)]);
    assert_eq!(
        Arc::strong_count(&opaque),
        1,
        "the opaque went to its owner"
    );
    let span = recorder.span("kafka", Kind::Exit);
    assert_eq!(
        (span.errors(), span.parent()),
        (0, recorder.span("sdk", Kind::Entry).id())
    );
    assert_eq!(span.text("data.kafka.service").as_deref(), Some(TOPIC));
    let lines = lines(broker.records(1).remove(0).headers());
    assert_eq!(lines[..3], ["b=2", "a", "b=3"]);
    assert_eq!(lines[3..], context(&span));
}

#[test]
fn a_thread_polls_and_the_callback_belongs_to_the_sender() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let context = Notes {
        spans: true,
        ..Notes::default()
    };
    let producer: ThreadedProducer<Notes> = broker.config().create_with_context(context).unwrap();
    let clone = producer.clone();
    recorder.enter_entry(|| {
        assert!(clone.send(record(Arc::new(1))).is_ok());
    });
    // Outside of a trace, the callback is too.
    assert!(recorder.enter(|| clone.send(record(Arc::new(2)))).is_ok());
    producer.flush(LONG).unwrap();
    assert_eq!(seen(&producer), [(1, None), (2, None)]);
    recorder.assert_tree(
        "
        entry job
          exit kafka
          exit told
        ",
    );
}

#[test]
fn producers_without_a_context_are_made_by_their_config() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let base: BaseProducer = broker.config().create().unwrap();
    let threaded: ThreadedProducer<_> = broker.config().create().unwrap();
    recorder.enter_entry(|| {
        let record = || BaseRecord::<str, str>::to(TOPIC).payload("payload");
        assert!(base.send(record()).is_ok());
        assert!(threaded.send(record()).is_ok());
    });
    base.flush(LONG).unwrap();
    threaded.flush(LONG).unwrap();
    recorder.assert_tree(
        "
        entry job
          exit kafka
          exit kafka
        ",
    );
    // Those of a producer that rdkafka made.
    let inner = base.into_inner();
    assert_eq!(BaseProducer::from(inner).inner().in_flight_count(), 0);
    assert_eq!(
        ThreadedProducer::from(threaded.into_inner()).in_flight_count(),
        0
    );
}

#[test]
fn a_partitioner_of_the_users_passes_through() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let context = Notes {
        partitioner: Some(Last),
        ..Notes::default()
    };
    // rdkafka takes a partitioner where topics have a configuration.
    let mut config = broker.config();
    config.set("message.timeout.ms", "30000");
    let producer: ThreadedProducer<Notes, Last> = config.create_with_context(context).unwrap();
    let mut record = record(Arc::new(1));
    record.partition = None;
    assert!(recorder.enter_entry(|| producer.send(record)).is_ok());
    producer.flush(LONG).unwrap();
    let consumer: BaseConsumer = broker.config().create().unwrap();
    consumer.assign(&partitions(&[1])).unwrap();
    let message = consumer.poll(LONG).unwrap().unwrap();
    assert_eq!(lines(message.headers())[3..], context_of(&recorder));
}

fn context_of(recorder: &Recorder) -> [String; 3] {
    super::context(&recorder.span("kafka", Kind::Exit))
}

#[test]
fn a_record_that_is_not_taken_is_as_it_was_and_its_span_has_the_error() {
    let mut config = nowhere("60000");
    config.set("queue.buffering.max.messages", "1");
    let producer: BaseProducer<Notes> = config.create_with_context(Notes::default()).unwrap();
    assert!(producer.send(record(Arc::new(1))).is_ok());

    let recorder = Recorder::new();
    let opaque = Arc::new(2);
    let (failure, given) = recorder
        .enter_entry(|| producer.send(record(opaque.clone())))
        .err()
        .unwrap();
    let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
    assert_eq!(failure, full);
    assert_eq!(lines(given.headers.as_ref()), ["b=2", "a", "b=3"]);
    assert!(Arc::ptr_eq(&given.delivery_opaque, &opaque));
    assert_eq!((given.topic, given.partition), (TOPIC, Some(0)));
    assert_eq!(
        recorder
            .span("kafka", Kind::Exit)
            .text("data.kafka.error")
            .unwrap_or_default(),
        failure.to_string()
    );

    let recorder = Recorder::new();
    let (failure, given) = recorder
        .enter_entry(|| producer.send(given.topic("a\0b")))
        .err()
        .unwrap();
    assert!(matches!(failure, KafkaError::Nul(_)), "{failure}");
    assert_eq!(lines(given.headers.as_ref()), ["b=2", "a", "b=3"]);
    assert_eq!(recorder.span("kafka", Kind::Exit).errors(), 1);
    drop(given);
    assert_eq!(Arc::strong_count(&opaque), 1);
}

#[test]
fn purged_timed_out_and_abandoned_records_end_with_an_error() {
    type End = fn(BaseProducer<Notes>);
    let purge: End = |producer| {
        producer.purge(PurgeConfig::default().queue().inflight());
        producer.flush(LONG).unwrap();
    };
    let time_out: End = |producer| {
        assert!(producer.flush(Duration::ZERO).is_err());
        producer.flush(LONG).unwrap();
    };
    for (timeout, end, expected) in [
        ("60000", purge, "PurgeQueue"),
        ("50", time_out, "MessageTimedOut"),
        ("60000", drop, "PurgeQueue"),
    ] {
        let recorder = Recorder::new();
        let producer: BaseProducer<Notes> = nowhere(timeout)
            .create_with_context(Notes::default())
            .unwrap();
        let opaque = Arc::new(1);
        assert!(
            recorder
                .enter_entry(|| producer.send(record(opaque.clone())))
                .is_ok()
        );
        end(producer);
        let error = recorder
            .span("kafka", Kind::Exit)
            .text("data.kafka.error")
            .unwrap_or_default();
        assert!(error.contains(expected), "{error}");
        assert_eq!(Arc::strong_count(&opaque), 1, "nothing is leaked");
    }
}

#[test]
fn a_threaded_producer_that_goes_ends_what_it_has() {
    let recorder = Recorder::new();
    let producer: ThreadedProducer<Notes> = nowhere("60000")
        .create_with_context(Notes::default())
        .unwrap();
    let opaque = Arc::new(1);
    assert!(
        recorder
            .enter_entry(|| producer.send(record(opaque.clone())))
            .is_ok()
    );
    drop(producer);
    let error = recorder
        .span("kafka", Kind::Exit)
        .text("data.kafka.error")
        .unwrap_or_default();
    assert!(error.contains("PurgeQueue"), "{error}");
    assert_eq!(Arc::strong_count(&opaque), 1);
}

#[test]
fn without_a_tracer_or_a_trace_records_are_sent_as_they_are() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let producer: BaseProducer<Notes> = broker
        .config()
        .create_with_context(Notes::default())
        .unwrap();
    assert!(producer.send(record(Arc::new(1))).is_ok());
    assert!(
        recorder
            .enter(|| producer.send(record(Arc::new(2))))
            .is_ok()
    );
    producer.flush(LONG).unwrap();
    for message in broker.records(2) {
        assert_eq!(lines(message.headers()), ["b=2", "a", "b=3"]);
    }
    assert_eq!(seen(&producer).len(), 2);
    recorder.assert_empty();
}
