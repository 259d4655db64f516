//! The services that are compiled in.

use crate::service::Service;

/// The services that are compiled in.
static SERVICES: &[&dyn Service] = &[
    #[cfg(feature = "dynamodb")]
    &crate::dynamodb::DynamoDb,
    #[cfg(feature = "s3")]
    &crate::s3::S3,
    #[cfg(feature = "sns")]
    &crate::sns::Sns,
    #[cfg(feature = "sqs")]
    &crate::sqs::Sqs,
];

pub(crate) fn named(name: &str) -> Option<&'static dyn Service> {
    SERVICES
        .iter()
        .copied()
        .find(|service| service.name() == name)
}
