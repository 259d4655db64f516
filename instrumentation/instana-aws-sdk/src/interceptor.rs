//! The hook of the AWS SDK.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::endpoint::Endpoint;
use aws_types::region::Region;

use crate::call::{Call, Finish, OpenCall};
use crate::services;

/// Records the calls of one client as exits, and writes trace context into the messages
/// it sends. It is the same for all services; it records nothing of services without a
/// feature of this crate.
///
/// It never fails a call. It runs when the call's future is first polled, and when the
/// future ends.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct InstanaInterceptor;

impl InstanaInterceptor {
    /// The interceptor, for the configuration of a client.
    pub fn new() -> Self {
        Self
    }
}

// An error of an interceptor fails the call: there is none.
impl Intercept for InstanaInterceptor {
    fn name(&self) -> &'static str {
        "InstanaInterceptor"
    }

    // The first hook that knows the operation. It runs in the first poll, as the
    // earlier one does: the current context is the caller's.
    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // If it is set twice, on the client and on one call, it records once.
        if config.load::<OpenCall>().is_some() {
            return Ok(());
        }
        let Some(metadata) = config.load::<Metadata>() else {
            return Ok(());
        };
        let Some(service) = services::named(metadata.service()) else {
            return Ok(());
        };
        let region = config.load::<Region>().map(AsRef::as_ref);
        let call = Call::begin(service, metadata.name(), region, context.input_mut());
        if let Some(call) = call {
            config.interceptor_state().store_put(OpenCall::from(call));
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = config.get_mut_from_interceptor_state::<OpenCall>();
        let Some(call) = call.and_then(OpenCall::take) else {
            return Ok(());
        };
        call.finish(&Finish {
            operation: config.load::<Metadata>().map_or("", Metadata::name),
            attempts: config
                .load::<RequestAttempts>()
                .map_or(0, RequestAttempts::attempts),
            endpoint: config.load::<Endpoint>().map(Endpoint::url),
            status: context
                .response()
                .map(|response| response.status().as_u16()),
            result: context.output_or_error(),
        });
        Ok(())
    }
}
