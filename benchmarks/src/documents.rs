//! The JSON of scenario b by `serde_json` with derived structs: the measure for
//! the tracer's own JSON pass. The texts are ready; only writing is measured.

use std::hint::black_box;

use serde::Serialize;
use serde_json::{Value, json};

use crate::values;

#[derive(Serialize)]
struct Document {
    t: String,
    s: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<String>,
    n: String,
    k: u8,
    ts: u64,
    d: u64,
    ec: u32,
    f: From,
    data: Data,
}

#[derive(Serialize)]
struct From {
    e: String,
    h: String,
}

#[derive(Serialize)]
struct Data {
    service: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Http>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pg: Option<Database>,
}

#[derive(Serialize)]
struct Http {
    method: String,
    path: String,
    path_tpl: String,
    host: String,
    params: String,
    status: u16,
}

#[derive(Serialize)]
struct Database {
    stmt: String,
    host: String,
    user: String,
    db: String,
}

/// Writes so many bursts of 1,000 documents into a buffer that is kept, after
/// one for warming up; tells how long those of one request are.
pub(crate) fn run(bursts: u64) -> Value {
    let documents: Vec<Document> = (0..250).flat_map(|_| request()).collect();
    let mut body = Vec::new();
    for _ in 0..=bursts {
        body.clear();
        measured_documents(black_box(&documents), &mut body);
    }
    json!({
        "iterations": bursts * 250,
        // Without the comma or bracket around each document.
        "bytes": (body.len() - documents.len() - 1) as f64 / 250.0,
    })
}

#[inline(never)]
fn measured_documents(documents: &[Document], body: &mut Vec<u8>) {
    if serde_json::to_writer(body, documents).is_err() {
        eprintln!("benchmarks: the documents cannot be written");
    }
}

fn request() -> Vec<Document> {
    let entry = Http {
        method: values::METHOD.to_owned(),
        path: values::PATH.to_owned(),
        path_tpl: values::TEMPLATE.to_owned(),
        host: values::HOST.to_owned(),
        params: values::PARAMS.to_owned(),
        status: values::STATUS,
    };
    let mut documents = vec![document("g.http", 1, Some(entry), None)];
    for _ in 0..3 {
        let exit = Database {
            stmt: values::STATEMENT.to_owned(),
            host: values::CONNECTION.to_owned(),
            user: values::USER.to_owned(),
            db: values::DATABASE.to_owned(),
        };
        documents.push(document("postgres", 2, None, Some(exit)));
    }
    documents
}

fn document(name: &str, kind: u8, http: Option<Http>, pg: Option<Database>) -> Document {
    Document {
        t: values::TRACE_ID.to_owned(),
        s: "b7ad6b7169203331".to_owned(),
        p: Some(values::PARENT_ID.to_owned()),
        n: name.to_owned(),
        k: kind,
        ts: 1_763_719_200_123,
        d: 0,
        ec: 0,
        f: From {
            e: std::process::id().to_string(),
            h: "4c:9d:1f:ff:fe:2a:03:b1".to_owned(),
        },
        data: Data {
            service: "bench".to_owned(),
            http,
            pg,
        },
    }
}
