//! The way of one call through a port: what it passes before it reaches its service, and
//! what its answer passes before it leaves. Each step is a file of its own.

use std::sync::Arc;

use axum::{extract::State, middleware::Next, response::Response};

use super::{
    Gate, Request, call::Call, deadline, errors, observe, panics, permit, rates, record, shed, size,
};
use crate::error::Result;

/// Answers a call. What leaves is complete, whoever answered.
///
/// This is one layer around all services, and its steps are futures within it. A layer a
/// step would copy, for each call, all layers that are within it.
pub(super) async fn answer(
    State(gate): State<Arc<Gate>>,
    request: Request,
    services: Next,
) -> Response {
    let call = Arc::new(Call::of(&gate, &request));
    // Boxed, since a future that is given to another is kept there twice.
    let answer = Box::pin(admitted(&gate, &call, request, services));
    let answer = panics::caught(answer);
    let answer = errors::completed(&call, answer);
    let answer = record::recorded(&gate, &call, answer);
    let mut response = observe::watched(&gate, &call, answer).await;
    call.name_in(response.headers_mut());
    response
}

/// Takes the call to its service if it may go there.
async fn admitted(
    gate: &Gate,
    call: &Call,
    mut request: Request,
    services: Next,
) -> Result<Response> {
    rates::take_address(gate, call).await?;
    let bound = deadline::of(gate, call, request.headers());
    deadline::within(bound, async {
        let _room = shed::enter(gate, call)?;
        permit::admit(gate, call, &mut request).await?;
        rates::take_caller(gate, call).await?;
        let _share = shed::share(gate, call)?;
        let request = size::bounded(gate, call, request);
        Ok(services.run(request).await)
    })
    .await
}
