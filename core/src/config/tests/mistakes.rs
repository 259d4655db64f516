//! Values that cannot be used.

use super::*;

#[test]
fn a_mistake_is_named_and_the_next_source_counts() {
    for case in cases() {
        let (Some((environment, _)), false) = (case.environment, case.wrong.is_empty()) else {
            continue;
        };
        let name = environment[0].0;
        let wrong = [(name, case.wrong)];
        let next = sources(&case).into_iter().nth(1);
        let (next, shown, origin) = next.unwrap_or((Said::default(), case.default, "default"));
        let (config, problems) = Said {
            environment: &wrong,
            ..next
        }
        .resolve();
        let setting = setting(&config, case.name);
        assert_eq!(
            (setting.value.as_str(), kind(&setting.origin)),
            (shown, origin),
            "{name}"
        );
        let text = problems.last().unwrap();
        assert!(text.starts_with(&format!("{name}=\"")), "{text}");
        assert!(text.contains(" is not "), "{text}");
    }
}

#[test]
fn mistakes_in_words() {
    let file = |file| Said {
        file,
        ..Said::default()
    };
    let agent = |agent| Said {
        agent,
        ..Said::default()
    };
    #[rustfmt::skip]
    let table: &[(Said<'_>, &[&str])] = &[
        (Said { environment: &[("INSTANA_AGENT_PORT", "42x99")], ..Said::default() },
            &[r#"INSTANA_AGENT_PORT="42x99" is not a port (1 to 65535); using 42699"#]),
        (Said { environment: &[("INSTANA_AGENT_HOST", "http://u:pw@h:42699")], ..Said::default() },
            &["INSTANA_AGENT_HOST=\"http://<redacted>:<redacted>@h:42699\" is not a host name or an IP \
               address (no scheme; the port is a setting of its own); using 127.0.0.1"]),
        (Said { environment: &[("INSTANA_SECRETS", "regex:a(,b+"), ("INSTANA_EXTRA_HTTP_HEADERS", "x y;x-z")], ..Said::default() },
            &[r#"INSTANA_SECRETS="a(" is not a regular expression (no look-around, no Unicode classes); using the other terms"#,
              r#"INSTANA_EXTRA_HTTP_HEADERS="x y" is not one of 64 header names at most (1 to 256 letters, digits and !#$%&'*+-.^_`|~); using the other names"#]),
        (Said { environment: &[("INSTANA_IGNORE_ENDPOINTS", "postgres:select;redis:get")], ..Said::default() },
            &[r#"INSTANA_IGNORE_ENDPOINTS="postgres:select" is not service:method,method with the service redis, dynamodb, kafka or http; using the other rules"#]),
        (Said { environment: &[("INSTANA_TRACING_FILTER_EXCLUDE_A_ATTRIBUTES", "key;v;like"), ("INSTANA_TRACING_FILTER_EXCLUDE_B_SUPPRESSION", "true")], ..Said::default() },
            &[r#"INSTANA_TRACING_FILTER_EXCLUDE_A_ATTRIBUTES="key;v;like" is not key;value,value or key;value;match with the match strict, contains, startswith or endswith; using the other filters"#,
              r#"INSTANA_TRACING_FILTER_EXCLUDE_B_SUPPRESSION="true" is not of a filter: its _ATTRIBUTES are missing; using the other filters"#]),
        (Said { code: Some(|code| { code.agent("http://h"); code.service(Given::Text("a")); code.service(Given::Text(" ")); code.transmission_delay(Given::Value(std::time::Duration::ZERO)); }), ..Said::default() },
            &[r#"agent="http://h" is not a host or host:port (no scheme; IPv6 with a port in brackets); using 127.0.0.1"#,
              r#"service=" " is not a name (1 to 1024 bytes); using a"#,
              r#"transmission_delay="0 ms" is not a number of milliseconds (10 to 60000); using 1000 ms"#]),
        (file("tracing:\n  kafka:\n    header-format: xml\n"),
            &[r#"FILE:3: tracing.kafka.header-format="xml" is not a format of headers (string, binary or both); using string"#]),
        (file("tracing:\n  disable:\n    - logging\n    - redis: maybe\n"),
            &[r#"FILE:4: tracing.disable.1.redis="maybe" is not true or false; using the other names"#]),
        (file("tracing:\n  disabled: [logging]\n  kafka: off\n  global: {stack-trace: some, w3c: no}\n"),
            &[r#"FILE:2: tracing.disabled="a list" is not a setting, nor a map of settings; using the other settings"#,
              "FILE:4: tracing.global.w3c is no setting; using the other settings",
              r#"FILE:3: tracing.kafka="off" is not a setting, nor a map of settings; using the other settings"#,
              r#"FILE:4: tracing.global.stack-trace="some" is not a mode of stack traces (all, error or none); using error"#]),
        (file("tracing:\n  kafka: {stack-trace: some}\n"),
            &[r#"FILE:2: tracing.kafka.stack-trace="some" is not a mode of stack traces (all, error or none); using the setting of all technologies"#]),
        (file("tracing:\n  ignore-endpoints:\n    redis: [get, {method: set}]\n    kafka: {topics: [a]}\n"),
            &[r#"FILE:4: tracing.ignore-endpoints.kafka.0.topics="a list" is not methods or endpoints; using the other rules"#,
              r#"FILE:4: tracing.ignore-endpoints.kafka="a map" is not a list of methods, or a map of methods, endpoints and connections; using the other rules"#,
              r#"FILE:3: tracing.ignore-endpoints.redis.1.method="set" is not methods or connections; using the other rules"#]),
        (file("tracing:\n  ignore-endpoints:\n    redsi: [get]\n    dynamodb: {connections: [eu-1]}\n    kafka: {connections: [a]}\n"),
            &[r#"FILE:5: tracing.ignore-endpoints.kafka.0.connections="a list" is not methods or endpoints; using the other rules"#,
              r#"FILE:5: tracing.ignore-endpoints.kafka="a map" is not a list of methods, or a map of methods, endpoints and connections; using the other rules"#,
              r#"FILE:3: tracing.ignore-endpoints.redsi="redsi" is not redis, dynamodb, kafka or http; using the other rules"#]),
        (file("tracing:\n  filter:\n    exclude:\n      - attributes: [{key: a, values: [b], match_type: like}]\n      - attributes: []\n"),
            &[r#"FILE:4: tracing.filter.exclude.0="a map" is not a map of name, suppression and attributes (key, values, match_type); using the other filters"#,
              r#"FILE:5: tracing.filter.exclude.1="a map" is not a map of name, suppression and attributes (key, values, match_type); using the other filters"#]),
        (file("secrets:\n  matcher: equals\n  list: []\n"),
            &["FILE:2: secrets=\"a map\" is not mode:term,term with the mode equals, equals-ignore-case, contains, \
               contains-ignore-case, regex or none; using contains-ignore-case:key,pass,secret"]),
        (file("- tracing\n"), &["FILE: has no settings: `tracing` or `secrets` is expected at its top; using the other sources"]),
        (file("tracng: {}\n"), &["FILE: has no settings: `tracing` or `secrets` is expected at its top; using the other sources"]),
        (file("# nothing\n"), &[]),
        (file("com.instana.plugin.host: {tags: [a]}\ntracing:\n  kafka:\n"), &[]),
        (agent(r#"{"secrets":[],"extraHeaders":7,"tracing":{"global":4,"unknown":1}}"#),
            &["the agent's secrets=\"a list\" is not mode:term,term with the mode equals, equals-ignore-case, contains, \
               contains-ignore-case, regex or none; using contains-ignore-case:key,pass,secret"]),
        (agent(r#"{"plugin.rust":{"poll_rate":"often"},"plugin.golang":{"poll_rate":5}}"#),
            &[r#"the agent's plugin.rust.poll_rate="often" is not a number of seconds (1 to 600); using 5000 ms"#]),
        (agent(r#"{"tracing":{"global":{"disable-w3c":"maybe"}}}"#),
            &[r#"the agent's tracing.global.disable-w3c="maybe" is not a flag (true, 1, false or 0); using true"#,
              r#"the agent's tracing.global.disable-w3c="maybe" is not a flag (true, 1, false or 0); using true"#]),
    ];
    for (said, expected) in table {
        assert_eq!(said.resolve().1, *expected, "{}{}", said.file, said.agent);
    }
}

#[test]
fn variables_that_say_what_is_not_done_say_so_by_being_there() {
    let both = |config: &Config| (config.w3c_correlation, config.w3c_propagation);
    for (name, expected) in [
        ("INSTANA_DISABLE_W3C_TRACE_CORRELATION", (false, true)),
        ("INSTANA_TRACING_DISABLE_W3C_CORRELATION", (false, true)),
        ("INSTANA_TRACING_DISABLE_W3C_PROPAGATION", (true, false)),
        ("INSTANA_TRACING_DISABLE_W3C", (false, false)),
    ] {
        for (value, expected) in [
            ("true", expected),
            ("yes", expected),
            (" ", expected),
            ("", (true, true)),
            ("False", expected),
            ("0", expected),
        ] {
            let environment = &[(name, value)];
            let config = Said {
                environment,
                ..Said::default()
            }
            .config();
            assert_eq!(both(&config), expected, "{name}={value}");
        }
    }
}

#[cfg(unix)]
#[test]
fn text_that_is_not_utf8_or_too_long_is_a_mistake() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    let text = || OsString::from_vec(vec![b'a', 0xff]);
    let read = |name, value| {
        let (_, config, problems) =
            Sources::read(&Environment::from_raw(name, value), Code::default());
        (config, problems.len())
    };
    let (config, problems) = read("INSTANA_SERVICE_NAME", text());
    assert_eq!((config.service, problems), (None, 1));
    let (config, problems) = read("INSTANA_SERVICE_NAME", "x".repeat(32 * 1024 + 1).into());
    assert_eq!((config.service, problems), (None, 1));
    let (config, problems) = read("INSTANA_DEBUG", text());
    assert_eq!((config.log_level, problems), (Level::Debug, 0));
    let (config, problems) = read("INSTANA_TRACING_DISABLE_W3C", text());
    assert_eq!((config.w3c_correlation, problems), (false, 0));
}

proptest! {
    #[test]
    fn no_environment_panics(values in proptest::collection::vec((0..60_usize, "(?s).{0,40}"), 0..8)) {
        let variables: Vec<&str> = KEYS
            .iter()
            .flat_map(|key| key.variables)
            .map(|variable| variable.name)
            .filter(|name| !name.ends_with("_PATH"))
            .collect();
        let environment: Vec<(&str, &str)> = values
            .iter()
            .filter(|(_, value)| !value.contains('\0'))
            .map(|(number, value)| (variables[number % variables.len()], value.as_str()))
            .collect();
        Said { environment: &environment, ..Said::default() }.resolve();
    }

    #[test]
    fn no_file_and_no_answer_panics(
        names in proptest::collection::vec((0..60_usize, any::<bool>()), 0..6),
        value in "[-a1:,{}\\[\\]&*!|>'\"%@`#?~. \n]{0,30}|true|[0-9]{1,25}|\\[a, \\{b: c\\}\\]|\\{a: [b]\\}",
    ) {
        let paths: Vec<&str> = KEYS.iter().flat_map(|key| key.paths).map(|path| path.name).collect();
        for (number, cut) in names {
            let path = paths[number % paths.len()].replace('*', "rust");
            let path = if cut { path.rsplit_once('.').map_or(path.as_str(), |(front, _)| front) } else { &path };
            let mut file = value.clone();
            let mut answer = serde_json::json!([value, {"a": value}]);
            for name in path.rsplit('.') {
                file = format!("{name}: {{{file}}}");
                answer = serde_json::json!({ name: answer });
            }
            file.push('\n');
            Said { file: &file, agent: &answer.to_string(), ..Said::default() }.resolve();
        }
    }
}
