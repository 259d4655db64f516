use super::*;

fn read(answer: &str) -> AgentSettings {
    let answer: Value = serde_json::from_str(answer).unwrap();
    AgentSettings::read(answer.as_object().unwrap(), "rust")
}

fn strings(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

#[test]
fn secrets_in_every_shape() {
    type Case = (
        &'static str,
        Option<(&'static str, &'static [&'static str])>,
        &'static [&'static str],
    );
    #[rustfmt::skip]
    let table: &[Case] = &[
        (r#"{}"#, None, &[]),
        (r#"{"secrets":null}"#, None, &[]),
        (r#"{"secrets":{"matcher":"contains","list":["a","b"]}}"#, Some(("contains", &["a", "b"])), &[]),
        (r#"{"secrets":{"matcher":"none"}}"#, Some(("none", &[])), &[]),
        (r#"{"secrets":{"matcher":" None ","list":[]}}"#, Some((" None ", &[])), &[]),
        (r#"{"secrets":{"matcher":"regex","list":["x",1,null]}}"#, Some(("regex", &["x"])), &["secrets.list has entries that are no names, or too many"]),
        (r#"{"secrets":{"matcher":"equals","list":[]}}"#, None, &["secrets.list is empty"]),
        (r#"{"secrets":{"matcher":"equals"}}"#, None, &["secrets.list is empty"]),
        (r#"{"secrets":{"matcher":"equals","list":"a"}}"#, None, &["secrets.list is not a list", "secrets.list is empty"]),
        (r#"{"secrets":{"matcher":7,"list":["a"]}}"#, None, &["secrets.matcher is not a name"]),
        (r#"{"secrets":{"list":["a"]}}"#, None, &["secrets.matcher is not a name"]),
        (r#"{"secrets":["a"]}"#, None, &["secrets is not an object"]),
        (r#"{"secrets":"a"}"#, None, &["secrets is not an object"]),
    ];
    for (answer, expected, notes) in table {
        let settings = read(answer);
        let expected = expected.map(|(matcher, list)| (matcher.to_owned(), strings(list)));
        assert_eq!(settings.secrets, expected, "{answer}");
        assert_eq!(settings.notes, *notes, "{answer}");
    }
}

#[test]
fn extra_headers_in_every_shape() {
    type Case = (&'static str, Option<&'static [&'static str]>, usize);
    #[rustfmt::skip]
    let table: &[Case] = &[
        (r#"{}"#, None, 0),
        (r#"{"extraHeaders":["X-Old"]}"#, Some(&["x-old"]), 0),
        (r#"{"extraHeaders":["X-Old"],"tracing":{"extra-http-headers":["X-New"]}}"#, Some(&["x-new"]), 0),
        (r#"{"extraHeaders":["X-Old"],"tracing":{"extra-http-headers":[]}}"#, Some(&["x-old"]), 0),
        (r#"{"extraHeaders":["X-Old"],"tracing":{}}"#, Some(&["x-old"]), 0),
        (r#"{"tracing":{"extra-http-headers":[]}}"#, Some(&[]), 0),
        (r#"{"extraHeaders":[]}"#, Some(&[]), 0),
        (r#"{"extraHeaders":[" A ","a","b b","",":x","é"]}"#, Some(&["a"]), 1),
        (r#"{"extraHeaders":"X-Old"}"#, None, 1),
        (r#"{"extraHeaders":{"a":1}}"#, None, 1),
        (r#"{"extraHeaders":[1,"a",["b"]]}"#, Some(&["a"]), 1),
        (r#"{"extraHeaders":["X-Old"],"tracing":{"extra-http-headers":7}}"#, Some(&["x-old"]), 1),
        (r#"{"extraHeaders":["X-Old"],"tracing":[]}"#, Some(&["x-old"]), 1),
    ];
    for (answer, expected, notes) in table {
        let settings = read(answer);
        assert_eq!(settings.extra_headers, expected.map(strings), "{answer}");
        assert_eq!(
            settings.notes.len(),
            *notes,
            "{answer}: {:?}",
            settings.notes
        );
    }
}

#[test]
fn poll_rates_in_every_shape() {
    #[rustfmt::skip]
    let table = [
        (r#"{}"#, None, 0),
        (r#"{"plugin.golang":{"poll_rate":5}}"#, Some(5), 0),
        (r#"{"plugin.rust":{"poll_rate":10}}"#, Some(10), 0),
        (r#"{"plugin.golang":{"poll_rate":5},"plugin.rust":{"poll_rate":10}}"#, Some(10), 0),
        (r#"{"plugin":{"python":{"poll_rate":5}}}"#, Some(5), 0),
        (r#"{"plugin":{"rust":{"poll_rate":7}},"plugin.golang":{"poll_rate":5}}"#, Some(7), 0),
        (r#"{"plugin.rust":{"poll_rate":0}}"#, Some(1), 0),
        (r#"{"plugin.rust":{"poll_rate":-3}}"#, Some(1), 0),
        (r#"{"plugin.rust":{"poll_rate":100000}}"#, Some(600), 0),
        (r#"{"plugin.rust":{"poll_rate":18446744073709551616}}"#, Some(600), 0),
        (r#"{"plugin.rust":{"poll_rate":2.9}}"#, Some(2), 0),
        (r#"{"plugin.rust":{"poll_rate":" 20 "}}"#, Some(20), 0),
        (r#"{"plugin.rust":{"poll_rate":"NaN"}}"#, None, 1),
        (r#"{"plugin.rust":{"poll_rate":"fast"}}"#, None, 1),
        (r#"{"plugin.rust":{"poll_rate":[5]},"plugin.golang":{"poll_rate":5}}"#, Some(5), 1),
        (r#"{"plugin.rust":5,"plugin":7}"#, None, 0),
        (r#"{"plugin":[{"poll_rate":5}]}"#, None, 0),
    ];
    for (answer, expected, notes) in table {
        let settings = read(answer);
        assert_eq!(
            settings.poll_rate,
            expected.map(Duration::from_secs),
            "{answer}"
        );
        assert_eq!(
            settings.notes.len(),
            notes,
            "{answer}: {:?}",
            settings.notes
        );
    }
}

#[test]
fn w3c_switches() {
    #[rustfmt::skip]
    let table = [
        (r#"{}"#, None, None, 0),
        (r#"{"tracing":{"global":{"disable-w3c":true}}}"#, Some(false), Some(false), 0),
        (r#"{"tracing":{"global":{"disable-w3c":false}}}"#, Some(true), Some(true), 0),
        (r#"{"tracing":{"global":{"disable-w3c-correlation":true}}}"#, Some(false), None, 0),
        (r#"{"tracing":{"global":{"disable-w3c-propagation":true,"disable-w3c":false}}}"#, Some(true), Some(false), 0),
        (r#"{"tracing":{"global":{"disable-w3c":"true"}}}"#, None, None, 1),
        (r#"{"tracing":{"global":{"disable-w3c":1,"disable-w3c-correlation":null}}}"#, None, None, 1),
        (r#"{"tracing":{"global":[]}}"#, None, None, 1),
    ];
    for (answer, correlation, propagation, notes) in table {
        let settings = read(answer);
        let read = (settings.w3c_correlation, settings.w3c_propagation);
        assert_eq!(read, (correlation, propagation), "{answer}");
        assert_eq!(
            settings.notes.len(),
            notes,
            "{answer}: {:?}",
            settings.notes
        );
    }
}

#[test]
fn lists_and_notes_are_bounded() {
    let many: Vec<String> = (0..1000).map(|number| format!("\"h{number}\"")).collect();
    let settings = read(&format!(r#"{{"extraHeaders":[{}]}}"#, many.join(",")));
    assert_eq!(
        settings.extra_headers.map(|names| names.len()),
        Some(MAX_ENTRIES)
    );
    let long = "x".repeat(MAX_ENTRY + 1);
    let settings = read(&format!(r#"{{"extraHeaders":["{long}"]}}"#));
    assert_eq!(settings.extra_headers, Some(Vec::new()));
    let mut notes = Notes::default();
    for number in 0..100 {
        notes.add(&format!("note {number}"));
    }
    assert_eq!(notes.0.len(), MAX_NOTES);
}
