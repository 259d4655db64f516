//! Cases in the form of the shared ones.

use serde_json::{Map, Value, json};

/// Rows of the decision table, and bad input, that the shared cases leave out.
pub(crate) fn own_cases() -> Vec<Map<String, Value>> {
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01";
    let unsampled = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-00";
    let new = json!({
        "entrySpan.t": "$t", "entrySpan.s": "$e", "exitSpan.t": "$t", "exitSpan.p": "$e", "exitSpan.s": "$x",
        "X-INSTANA-T out": "$t", "X-INSTANA-S out": "$x", "X-INSTANA-L out": "1", "Server-Timing": "intid;desc=$t",
        "traceparent out": "00-0000000000000000$t-$x-03", "tracestate out": "in=$t;$x",
    });
    let w3c = json!({
        "entrySpan.t": "8448eb211c80319c", "entrySpan.p": "b9c7c989f97918e1", "entrySpan.s": "$e",
        "entrySpan.lt": "0af7651916cd43dd8448eb211c80319c", "entrySpan.tp": true,
        "exitSpan.t": "8448eb211c80319c", "exitSpan.p": "$e", "exitSpan.s": "$x",
        "X-INSTANA-T out": "8448eb211c80319c", "X-INSTANA-S out": "$x", "X-INSTANA-L out": "1",
        "Server-Timing": "intid;desc=8448eb211c80319c",
        "traceparent out": "00-0af7651916cd43dd8448eb211c80319c-$x-01",
        "tracestate out": "in=8448eb211c80319c;$x",
    });
    let suppressed = json!({
        "suppressed": true, "X-INSTANA-L out": "0", "traceparent out": "00-0000000000000000$t-$x-02",
    });
    let pair = json!({
        "entrySpan.t": "fa2375d711a4ca0f", "entrySpan.p": "37cb2d6e9b1c078a", "entrySpan.s": "$e",
        "exitSpan.t": "fa2375d711a4ca0f", "exitSpan.p": "$e", "exitSpan.s": "$x",
        "X-INSTANA-T out": "fa2375d711a4ca0f", "X-INSTANA-S out": "$x", "X-INSTANA-L out": "1",
        "Server-Timing": "intid;desc=fa2375d711a4ca0f",
        "traceparent out": "00-0000000000000000fa2375d711a4ca0f-$x-03", "tracestate out": "in=fa2375d711a4ca0f;$x",
    });
    let table = [
        (
            "T without S",
            json!({"X-INSTANA-T in": "fa2375d711a4ca0f"}),
            &new,
        ),
        (
            "S without T",
            json!({"X-INSTANA-S in": "37cb2d6e9b1c078a"}),
            &new,
        ),
        (
            "ids that are none",
            json!({"X-INSTANA-T in": "not-a-trace", "X-INSTANA-S in": "37cb2d6e9b1c078a"}),
            &new,
        ),
        (
            "a span id that is too long",
            json!({"X-INSTANA-T in": "1", "X-INSTANA-S in": "37cb2d6e9b1c078a0"}),
            &new,
        ),
        (
            "zeros",
            json!({"X-INSTANA-T in": "0000000000000000", "X-INSTANA-S in": "37cb2d6e9b1c078a"}),
            &new,
        ),
        (
            "a level that is none",
            json!({"X-INSTANA-L in": "maybe"}),
            &new,
        ),
        (
            "T without S, but a traceparent",
            json!({"X-INSTANA-T in": "fa2375d711a4ca0f", "traceparent in": traceparent}),
            &w3c,
        ),
        (
            "upper case and white space",
            json!({"X-INSTANA-T in": "  FA2375D711A4CA0F ", "X-INSTANA-S in": "37CB2D6E9B1C078A "}),
            &pair,
        ),
        (
            "not sampled, but level 1",
            json!({"X-INSTANA-L in": "1", "traceparent in": unsampled}),
            &w3c,
        ),
        (
            "upper-case traceparent",
            json!({"traceparent in": traceparent.to_uppercase()}),
            &new,
        ),
        (
            "tracestate without traceparent",
            json!({"tracestate in": "in=fa2375d711a4ca0f;02468acefdb97531,a=b"}),
            &new,
        ),
        (
            "suppression with correlation",
            json!({"X-INSTANA-L in": "0,correlationType=web;correlationId=abc"}),
            &suppressed,
        ),
    ];
    let mut cases: Vec<_> = table
        .into_iter()
        .map(|(name, input, output)| {
            let mut case = input.as_object().unwrap().clone();
            case.extend(output.as_object().unwrap().clone());
            case.insert("Scenario".to_owned(), name.into());
            case
        })
        .collect();
    cases.push(correlated(new.as_object().unwrap()));
    cases.push(repeated_tracestate(w3c.as_object().unwrap()));
    cases
}

fn correlated(new: &Map<String, Value>) -> Map<String, Value> {
    let mut case = new.clone();
    for (key, value) in [
        (
            "Scenario",
            "correlation of a page view; its T and S do not count",
        ),
        ("X-INSTANA-T in", "fa2375d711a4ca0f"),
        ("X-INSTANA-S in", "37cb2d6e9b1c078a"),
        (
            "X-INSTANA-L in",
            "1, correlationType=web ;correlationId=1234567890abcdef",
        ),
        ("entrySpan.crtp", "web"),
        ("entrySpan.crid", "1234567890abcdef"),
    ] {
        case.insert(key.to_owned(), value.into());
    }
    case
}

fn repeated_tracestate(w3c: &Map<String, Value>) -> Map<String, Value> {
    let mut case = w3c.clone();
    for (key, value) in [
        (
            "Scenario",
            json!("tracestate in two headers, with stray white space"),
        ),
        (
            "traceparent in",
            json!("00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01"),
        ),
        ("tracestate in", json!("congo=ucfJifl5GOE , admin=1;2")),
        (
            "tracestate in again",
            json!("in=fa2375d711a4ca0f;02468acefdb97531,in=1;2, rojo=00f067aa0ba902b7"),
        ),
        (
            "tracestate out",
            json!("in=8448eb211c80319c;$x,congo=ucfJifl5GOE,admin=1;2,rojo=00f067aa0ba902b7"),
        ),
        (
            "entrySpan.ia",
            json!({"t": "fa2375d711a4ca0f", "p": "02468acefdb97531"}),
        ),
    ] {
        case.insert(key.to_owned(), value);
    }
    case
}
