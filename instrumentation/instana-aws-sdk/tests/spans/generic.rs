//! What is the same for all services.

use aws_sdk_sqs::error::ProvideErrorMetadata;
use std::time::Duration;

use instana::span::Kind;
use instana::testing::Recorder;
use instana::{FilterMatch, FutureExt, SpanFilter};
use instana_aws_sdk::InstanaInterceptor;

use crate::service::{Reply, Service, configure};

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";

fn send(
    sqs: &aws_sdk_sqs::Client,
) -> aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder {
    sqs.send_message().queue_url(URL).message_body("tea")
}

#[tokio::test]
async fn the_parent_is_that_of_the_first_poll() {
    let recorder = Recorder::new();
    let service = Service::answering("{}");
    let sqs = service.sqs();
    // Made outside, polled inside.
    let future = send(&sqs).send();
    recorder.in_entry(future).await.unwrap();
    let exit = recorder.span("sqs", Kind::Exit);
    assert_eq!(exit.parent(), recorder.span("sdk", Kind::Entry).id());
    assert!(
        !exit.has("data.sdk"),
        "no retries, and Amazon's own endpoint"
    );
}

#[tokio::test]
async fn retries_are_one_span() {
    let recorder = Recorder::new();
    let busy = Reply::Answer(503, "{}".to_owned());
    let service = Service::new([busy.clone(), busy, Reply::ok("{}")]);
    let sqs = service.sqs();
    recorder
        .in_entry(async { send(&sqs).send().await })
        .await
        .unwrap();
    let requests = service.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0], requests[2], "all carry the same ids");
    let exit = recorder.span("sqs", Kind::Exit);
    assert_eq!(exit.errors(), 0);
    assert_eq!(exit.integer("data.sdk.custom.tags.retries"), Some(2));
}

#[tokio::test]
async fn an_answer_of_somebody_else_keeps_its_status() {
    for body in [
        "<html><body>Bad gateway for geheim</body></html>",
        "<!DOCTYPE html><p>geheim",
        "upstream geheim is gone",
        "{\"geheim\": ",
        "[]",
        "",
    ] {
        for status in [403, 404, 413, 502] {
            let recorder = Recorder::new();
            let service = Service::new([Reply::Answer(status, body.to_owned())]);
            recorder
                .in_entry(async {
                    let (sns, s3) = (service.sns(), service.s3());
                    send(&service.sqs()).send().await.unwrap_err();
                    let topic = "arn:aws:sns:eu-west-1:123456789012:orders";
                    let call = sns.publish().topic_arn(topic).message("tea");
                    call.send().await.unwrap_err();
                    s3.get_object()
                        .bucket("b")
                        .key("k")
                        .send()
                        .await
                        .unwrap_err();
                    service.dynamodb().list_tables().send().await.unwrap_err();
                })
                .await;
            for name in ["sqs", "sns", "s3", "dynamodb"] {
                let exit = recorder.span(name, Kind::Exit);
                let error = exit.text(&format!("data.{name}.error")).unwrap();
                let start = format!("status {status}");
                // The SDK has a code for S3's 404 without a body.
                let is_known = body.is_empty() && error == "NotFound";
                assert!(
                    error.starts_with(&start) || is_known,
                    "{name} {body}: {error}"
                );
                assert!(!error.contains("geheim"), "{name} {body}: {error}");
                assert_eq!(exit.errors(), 1);
            }
        }
    }
}

#[tokio::test]
async fn an_error_of_the_service_has_its_code_and_is_left_as_it_is() {
    let known = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#;
    let unknown = r#"{"__type":"AccessDenied","message":"Not for you: https://me:hidden@x/"}"#;
    for (status, body, code, text) in [
        (
            400,
            known,
            Some("QueueDoesNotExist"),
            "QueueDoesNotExist: The specified queue does not exist.",
        ),
        (
            403,
            unknown,
            Some("AccessDenied"),
            "AccessDenied: Not for you: https://<redacted>:<redacted>@x/",
        ),
        (418, "{}", None, "status 418"),
    ] {
        let recorder = Recorder::new();
        let service = Service::new([Reply::Answer(status, body.to_owned())]);
        let sqs = service.sqs();
        let error = recorder
            .in_entry(async { send(&sqs).send().await })
            .await
            .unwrap_err();
        assert_eq!(error.code(), code);
        let exit = recorder.span("sqs", Kind::Exit);
        assert_eq!(exit.errors(), 1);
        assert_eq!(exit.text("data.sqs.error").as_deref(), Some(text));
        assert_eq!(exit.text("data.sqs.queue").as_deref(), Some(URL));
    }
}

#[tokio::test]
async fn what_is_not_reached_is_an_error() {
    let recorder = Recorder::new();
    let service = Service::new([Reply::Refused]);
    let sqs = service.sqs();
    recorder
        .in_entry(async { send(&sqs).send().await })
        .await
        .unwrap_err();
    let exit = recorder.span("sqs", Kind::Exit);
    let error = exit.text("data.sqs.error").unwrap();
    assert!(error.contains("connection refused"), "{error}");
    assert_eq!(exit.errors(), 1);
    assert_eq!(exit.integer("data.sdk.custom.tags.retries"), Some(2));

    // Fails before anything is sent.
    recorder.clear();
    let nowhere = sqs.send_message().message_body("tea");
    recorder
        .in_entry(async { nowhere.send().await })
        .await
        .unwrap_err();
    assert_eq!(recorder.span("sqs", Kind::Exit).errors(), 1);
}

#[tokio::test]
async fn a_call_that_is_given_up_says_so() {
    let recorder = Recorder::new();
    let service = Service::new([Reply::Nothing]);
    let sqs = service.sqs();
    recorder
        .in_entry(async {
            tokio::select! {
                _ = send(&sqs).send() => unreachable!(),
                () = service.asked() => {}
            }
        })
        .await;
    let exit = recorder.span("sqs", Kind::Exit);
    let error = exit.text("data.sqs.error").unwrap();
    assert!(
        error.starts_with("cancelled after ") && error.ends_with(" ms"),
        "{error}"
    );
}

#[tokio::test]
async fn a_timeout_of_the_sdk_is_an_error() {
    let recorder = Recorder::new();
    let service = Service::new([Reply::Nothing]);
    let timeouts = aws_sdk_sqs::config::timeout::TimeoutConfig::builder()
        .operation_timeout(Duration::from_millis(20))
        .build();
    let config = configure!(service, aws_sdk_sqs).timeout_config(timeouts);
    let sqs = aws_sdk_sqs::Client::from_conf(config.build());
    recorder
        .in_entry(async { send(&sqs).send().await })
        .await
        .unwrap_err();
    let error = recorder
        .span("sqs", Kind::Exit)
        .text("data.sqs.error")
        .unwrap();
    assert!(error.contains("timeout"), "{error}");
    assert!(!error.contains("cancelled"), "{error}");
}

#[tokio::test]
async fn an_endpoint_that_is_not_amazons_is_recorded() {
    let recorder = Recorder::new();
    let service = Service::answering("{}");
    let config = configure!(service, aws_sdk_sqs).endpoint_url("http://user:secret@queues:4566");
    let sqs = aws_sdk_sqs::Client::from_conf(config.build());
    recorder
        .in_entry(async { send(&sqs).send().await })
        .await
        .unwrap();
    let exit = recorder.span("sqs", Kind::Exit);
    assert_eq!(
        exit.text("data.sdk.custom.tags.endpoint").as_deref(),
        Some("queues:4566")
    );
    assert!(!exit.json().contains("secret"));
}

#[tokio::test]
async fn two_interceptors_record_once() {
    let recorder = Recorder::new();
    let service = Service::answering("{}");
    let config = configure!(service, aws_sdk_sqs).interceptor(InstanaInterceptor::new());
    let sqs = aws_sdk_sqs::Client::from_conf(config.build());
    let call = send(&sqs)
        .customize()
        .interceptor(InstanaInterceptor::new());
    recorder
        .in_entry(async { call.send().await })
        .await
        .unwrap();
    recorder.assert_tree("entry job\n  exit sqs");
}

#[tokio::test]
async fn one_call_may_be_traced_alone() {
    let recorder = Recorder::new();
    let service = Service::answering("{}");
    let config = aws_sdk_sqs::config::Builder::new()
        .behavior_version_latest()
        .credentials_provider(crate::service::credentials())
        .region(crate::service::region())
        .http_client(service.clone());
    let sqs = aws_sdk_sqs::Client::from_conf(config.build());
    let call = send(&sqs)
        .customize()
        .interceptor(InstanaInterceptor::new());
    recorder
        .in_entry(async {
            send(&sqs).send().await.unwrap();
            call.send().await.unwrap();
        })
        .await;
    recorder.assert_tree("entry job\n  exit sqs");
}

#[tokio::test]
async fn rules_are_obeyed_and_tell_the_receiver() {
    let filter =
        SpanFilter::exclude("queues").attribute("sqs.queue", FilterMatch::EndsWith, ["orders"]);
    let recorder = Recorder::builder().filters([filter]).build();
    let service = Service::answering("{}");
    let sqs = service.sqs();
    recorder
        .in_entry(async { send(&sqs).send().await })
        .await
        .unwrap();
    recorder.assert_tree("entry job");
    assert_eq!(
        service.request()["MessageAttributes"]["X_INSTANA_L"]["StringValue"],
        "0"
    );
}

#[tokio::test]
async fn without_a_trace_or_a_tracer_nothing_is_added() {
    let recorder = Recorder::new();
    let service = Service::answering("{}");
    let sqs = service.sqs();
    recorder.scope(send(&sqs).send()).await.unwrap();
    send(&sqs).send().await.unwrap();
    recorder.assert_empty();
    for request in service.requests() {
        assert!(!request.contains("X_INSTANA"), "{request}");
    }
}

#[tokio::test]
async fn suppression_goes_on() {
    let recorder = Recorder::new();
    let service = Service::answering("{}");
    let sqs = service.sqs();
    let job = async { send(&sqs).send().await.unwrap() };
    recorder.in_entry(async { job.suppress().await }).await;
    recorder.assert_tree("entry job");
    let attributes = &service.request()["MessageAttributes"];
    assert_eq!(
        attributes.to_string(),
        r#"{"X_INSTANA_L":{"DataType":"String","StringValue":"0"}}"#
    );
}
