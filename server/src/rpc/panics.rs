//! A panic ends its call and nothing else.

use std::{any::Any, panic::AssertUnwindSafe};

use anyhow::anyhow;
use axum::{middleware::Next, response::Response};
use futures::FutureExt;

use super::{Request, errors};

/// Answers INTERNAL in place of a panic.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => errors::answer(anyhow!("a panic: {}", message(&*panic))),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
