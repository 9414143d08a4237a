//! A panic ends its call and nothing else.

use std::{any::Any, panic::AssertUnwindSafe};

use anyhow::anyhow;
use axum::response::Response;
use futures::FutureExt;

use crate::error::Result;

/// The answer, or an error in place of a panic.
pub(super) async fn caught(answer: impl Future<Output = Result<Response>>) -> Result<Response> {
    AssertUnwindSafe(answer)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(anyhow!("a panic: {}", message(&*panic)).into()))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
