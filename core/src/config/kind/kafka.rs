//! The headers of Kafka records.

use std::fmt;

use crate::config::kind::Kind;
use crate::config::reader::{Place, Reader};

/// A [`KafkaHeaderFormat`].
pub(crate) struct KafkaFormat;

/// In which form trace context is written into the headers of Kafka records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KafkaHeaderFormat {
    /// The older form: `X_INSTANA_C` and `X_INSTANA_L`, as bytes.
    Binary,
    /// Both forms, while consumers are being updated.
    Both,
    /// `X_INSTANA_T`, `X_INSTANA_S` and `X_INSTANA_L_S`, as text.
    #[default]
    String,
}

impl Kind for KafkaFormat {
    type Value = KafkaHeaderFormat;

    const ACCEPTED: &'static str = "a format of headers (string, binary or both)";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<KafkaHeaderFormat> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "binary" => KafkaHeaderFormat::Binary,
            "both" => KafkaHeaderFormat::Both,
            "string" => KafkaHeaderFormat::String,
            _ => return None,
        })
    }

    fn show(value: &KafkaHeaderFormat) -> String {
        value.to_string()
    }
}

impl fmt::Display for KafkaHeaderFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary",
            Self::Both => "both",
            Self::String => "string",
        })
    }
}
