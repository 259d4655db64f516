//! Bodies that are large in many ways.

use std::fmt::Write;

/// A body of about that many bytes.
pub(crate) type Shape = fn(usize) -> Vec<u8>;

pub(crate) const SHAPES: &[(&str, Shape)] = &[
    ("empty objects", |bytes| array("{}", bytes)),
    ("empty arrays", |bytes| array("[]", bytes)),
    ("numbers", |bytes| array("0", bytes)),
    ("small objects", |bytes| array("{\"\":0}", bytes)),
    ("nulls", |bytes| {
        array("{\"t\":null,\"f\":{\"e\":null},\"data\":null}", bytes)
    }),
    ("spans of one trace", |bytes| {
        spans(bytes, |n| (1, n, n.saturating_sub(1)))
    }),
    ("spans of many traces", |bytes| spans(bytes, |n| (n, n, 0))),
    ("the same span", |bytes| spans(bytes, |_| (1, 1, 0))),
    ("exits without parents", |bytes| {
        spans(bytes, |n| (n % 7 + 1, n, n + 1))
    }),
    ("generic spans", |bytes| {
        array(
            "{\"spanId\":\"1\",\"traceId\":\"2\",\"timestamp\":1,\"duration\":1,\"name\":\"x\"}",
            bytes,
        )
    }),
    ("events", |bytes| {
        array("{\"title\":\"x\",\"severity\":7,\"more\":1}", bytes)
    }),
    ("a long text", |bytes| {
        format!("{{\"m\":\"{}\"}}", "x".repeat(bytes)).into_bytes()
    }),
    ("a text of escapes", |bytes| {
        format!("[{{\"m\":\"{}\"}}]", "\\n".repeat(bytes / 2)).into_bytes()
    }),
    ("a long key", |bytes| {
        let (key, half) = ("k".repeat(bytes / 2), array("{\"a\":null}", bytes / 2));
        let half = String::from_utf8_lossy(&half);
        format!("[{{\"{key}\":{{\"a\":{half}}}}}]").into_bytes()
    }),
    ("many keys", |bytes| {
        object(bytes, |n, text| {
            let _ = write!(text, "\"{n}\":{n}");
        })
    }),
    ("one key many times", |bytes| {
        object(bytes, |_, text| text.push_str("\"pid\":1"))
    }),
    ("a deep text", |bytes| "[".repeat(bytes).into_bytes()),
    ("deep objects", |bytes| {
        let deep = format!("{}0{}", "{\"a\":".repeat(120), "}".repeat(120));
        array(&deep, bytes)
    }),
    ("one wide item", |bytes| {
        let wide = array("{\"\":0}", bytes);
        let wide = String::from_utf8_lossy(&wide);
        format!("[{{\"data\":{{\"sdk\":{{\"custom\":{{\"tags\":{{\"a\":{wide}}}}}}}}}}}]")
            .into_bytes()
    }),
    ("call sites", |bytes| {
        let roots = array("{\"method_name\":\"m\",\"children\":[{},{}]}", bytes);
        let roots = String::from_utf8_lossy(&roots);
        format!("[{{\"id\":\"x\",\"roots\":{roots}}}]").into_bytes()
    }),
    ("numbers out of range", |bytes| array("1e999", bytes)),
    ("no UTF-8", |bytes| {
        let mut text = array("\"x\"", bytes);
        let middle = text.len() / 2;
        text[middle] = 0xff;
        text
    }),
    ("no end", |bytes| {
        let mut text = array("{\"a\":1}", bytes);
        text.pop();
        text
    }),
    ("no JSON", |bytes| vec![b'x'; bytes]),
    ("only commas", |bytes| {
        [b"[".as_slice(), &vec![b','; bytes]].concat()
    }),
    ("zeros", |bytes| vec![0; bytes]),
];

fn array(item: &str, bytes: usize) -> Vec<u8> {
    let count = bytes / (item.len() + 1);
    let mut text = format!("[{}{item}]", format!("{item},").repeat(count));
    text.shrink_to_fit();
    text.into_bytes()
}

fn object(bytes: usize, member: impl Fn(usize, &mut String)) -> Vec<u8> {
    let mut text = "{".to_owned();
    for n in 0.. {
        member(n, &mut text);
        if text.len() >= bytes {
            break;
        }
        text.push(',');
    }
    text.push('}');
    text.into_bytes()
}

/// Spans whose trace, id and parent are made of their number.
fn spans(bytes: usize, ids: impl Fn(usize) -> (usize, usize, usize)) -> Vec<u8> {
    let mut text = "[".to_owned();
    for n in 1.. {
        let (trace, id, parent) = ids(n);
        let kind = if parent == 0 { 1 } else { 2 };
        let _ = write!(
            text,
            "{{\"t\":\"{trace:016x}\",\"s\":\"{id:016x}\",\"k\":{kind},"
        );
        if parent > 0 {
            let _ = write!(text, "\"p\":\"{parent:016x}\",");
        }
        text.push_str(
            "\"n\":\"redis\",\"ts\":1,\"d\":1,\"ec\":0,\"data\":{\"service\":\"shop\",\"redis\":{\"command\":\"get\"}}}",
        );
        if text.len() >= bytes {
            break;
        }
        text.push(',');
    }
    text.push(']');
    text.into_bytes()
}
