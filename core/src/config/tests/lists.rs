//! Settings that are lists, and the file that endpoints can stand in.

use super::*;

#[test]
fn lists_of_the_agent_in_every_shape() {
    #[rustfmt::skip]
    let table = [
        ("extra_headers", r#"{"extraHeaders":["X-Old"]}"#, "x-old"),
        ("extra_headers", r#"{"extraHeaders":["X-Old"],"tracing":{"extra-http-headers":[]}}"#, "x-old"),
        ("extra_headers", r#"{"extraHeaders":["X-Old"],"tracing":{}}"#, "x-old"),
        ("extra_headers", r#"{"tracing":{"extra-http-headers":[]}}"#, "none"),
        ("secrets", r#"{"secrets":{"matcher":" None "}}"#, "none"),
        ("secrets", r#"{"secrets":null}"#, "contains-ignore-case:key,pass,secret"),
        ("metrics_interval", r#"{"plugin":{"rust":{"poll_rate":7}},"plugin.golang":{"poll_rate":5}}"#, "7000 ms"),
        ("metrics_interval", r#"{"plugin":{"python":{"poll_rate":5}}}"#, "5000 ms"),
        ("metrics_interval", r#"{"plugin.rust":{"poll_rate":0}}"#, "1000 ms"),
        ("metrics_interval", r#"{"plugin.rust":{"poll_rate":-3}}"#, "1000 ms"),
        ("metrics_interval", r#"{"plugin.rust":{"poll_rate":18446744073709551616}}"#, "600000 ms"),
        ("metrics_interval", r#"{"plugin.rust":{"poll_rate":" 20 "}}"#, "20000 ms"),
        ("metrics_interval", r#"{"plugin.rust":5,"plugin":7}"#, "1000 ms"),
        ("disable", r#"{"tracing":{"disable":{"logging":true,"redis":false}}}"#, "logging, !redis"),
        ("disable", r#"{"tracing":{"disable":["logging","!redis",{"kafka":true}]}}"#, "kafka, logging, !redis"),
        ("disable", r#"{"tracing":{"disable":true}}"#, "all"),
        ("disable", r#"{"tracing":{"disable":false}}"#, "none"),
        ("disable", r#"{"tracing":{"disable":[]}}"#, "none"),
        ("disable", r#"{"tracing":{"disable":{"instrumentations":["redis"],"groups":["logging"]}}}"#, "logging, redis"),
        ("client_error_statuses", r#"{"tracing":{"http":{"exit":{"classify-as-errors":[]}}}}"#, "none"),
        ("ignored_endpoints", r#"{"tracing":{"ignore-endpoints":{}}}"#, "none"),
        ("ignored_endpoints", r#"{"tracing":{"ignore-endpoints":{"kafka":{"endpoints":"a"}}}}"#, "kafka endpoints=a"),
    ];
    for (name, agent, shown) in table {
        let config = Said {
            agent,
            ..Said::default()
        }
        .config();
        assert_eq!(setting(&config, name).value, shown, "{agent}");
    }
}

#[test]
fn ignored_endpoints_can_stand_in_a_file_of_their_own() {
    let file = File::new("tracing:\n  ignore-endpoints: {redis: [get]}\n  disable: logging\n");
    let path = ("INSTANA_IGNORE_ENDPOINTS_PATH", file.path());
    let text = ("INSTANA_IGNORE_ENDPOINTS", "kafka:*");
    let config = Said {
        environment: &[path, text],
        ..Said::default()
    }
    .config();
    let endpoints = setting(&config, "ignored_endpoints");
    assert_eq!(endpoints.value, "redis methods=get");
    assert_eq!(endpoints.origin.to_string(), format!("{}:2", file.path()));
    assert!(config.disable.names.is_empty());

    let empty = File::new("tracing: {disable: logging}");
    for path in [empty.path(), "/dev/null"] {
        let environment = &[("INSTANA_IGNORE_ENDPOINTS_PATH", path), text];
        let (config, problems) = Said {
            environment,
            ..Said::default()
        }
        .resolve();
        assert_eq!(
            setting(&config, "ignored_endpoints").value,
            "kafka methods=*"
        );
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}

#[test]
fn lists_are_bounded() {
    let many: Vec<String> = (0..1000).map(|number| format!("h{number}")).collect();
    let list = serde_json::to_string(&many).unwrap();
    for key in ["extra-http-headers", "disable", "ignore-endpoints"] {
        let value = match key {
            "ignore-endpoints" => format!(r#"{{"redis":{list}}}"#),
            _ => list.clone(),
        };
        let agent = &format!(r#"{{"tracing":{{"{key}":{value}}}}}"#);
        let (config, problems) = Said {
            agent,
            ..Said::default()
        }
        .resolve();
        let sizes = (
            config.extra_headers.len(),
            config.disable.names.len(),
            config
                .ignored_endpoints
                .first()
                .map_or(0, |rule| rule.methods.len()),
        );
        assert!(
            sizes.0 <= 64 && sizes.1 <= 256 && sizes.2 <= 256,
            "{sizes:?}"
        );
        assert!(sizes.0 + sizes.1 + sizes.2 >= 64, "{sizes:?}");
        assert!((1..=33).contains(&problems.len()), "{}", problems.len());
        let shown = config.settings();
        assert!(shown.iter().all(|setting| setting.value.len() < 600));
    }
}
