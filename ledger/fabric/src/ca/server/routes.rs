//! The three operations, each with and without the prefix.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{Method, StatusCode};
use serde::Serialize;

use super::{Hosted, Refusal, Server, call::Call, hosted::Known, request};
use crate::ca::wire::{Answer, EnrolmentRequest, Info, Issued, PREFIX};

pub(super) fn routes(server: Arc<Server>) -> Router {
    // Not nested: a nested route does not see the path that was signed.
    let routes = ["", PREFIX]
        .into_iter()
        .fold(Router::new(), |routes, prefix| {
            routes
                .route(&format!("{prefix}/enroll"), any(enroll))
                .route(&format!("{prefix}/reenroll"), any(reenroll))
                .route(&format!("{prefix}/cainfo"), any(info))
        });
    routes.with_state(server)
}

async fn enroll(State(server): State<Arc<Server>>, request: Request) -> Result<Response, Refusal> {
    let call = Call::read(request).await?;
    call.is(&[Method::POST])?;
    let login = call.login()?;
    let hosted = server.authority(call.authority()?.as_deref())?;
    issue(&server, hosted, hosted.by_secret(&login)?, &call)
}

async fn reenroll(
    State(server): State<Arc<Server>>,
    request: Request,
) -> Result<Response, Refusal> {
    let call = Call::read(request).await?;
    call.is(&[Method::POST])?;
    let signer = call.signer()?;
    let hosted = server.authority(call.authority()?.as_deref())?;
    let known = hosted.by_certificate(&signer, (server.clock)())?;
    issue(&server, hosted, known, &call)
}

async fn info(State(server): State<Arc<Server>>, request: Request) -> Result<Response, Refusal> {
    let call = Call::read(request).await?;
    call.is(&[Method::GET, Method::POST, Method::HEAD])?;
    let hosted = server.authority(call.authority()?.as_deref())?;
    let info = Info {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..info_of(hosted)
    };
    Ok(answer(StatusCode::OK, info))
}

fn issue(
    server: &Server,
    hosted: &Hosted,
    known: &Known,
    call: &Call,
) -> Result<Response, Refusal> {
    let asked: EnrolmentRequest = call.json()?;
    if let Some(profile) = asked.profile.filter(|profile| !profile.is_empty()) {
        return Err(Refusal::other(format!("Invalid profile: '{profile}'")));
    }
    let request = request::Request::from_pem(&asked.certificate_request)?;
    let (now_ms, attributes) = ((server.clock)(), asked.attr_reqs.as_deref());
    let certificate = hosted.issue(known, &request, attributes, now_ms, server.ttl)?;
    let issued = Issued {
        cert: BASE64_STANDARD.encode(certificate),
        server_info: info_of(hosted),
    };
    Ok(answer(StatusCode::CREATED, issued))
}

fn info_of(hosted: &Hosted) -> Info {
    Info {
        name: hosted.name().to_owned(),
        chain: BASE64_STANDARD.encode(hosted.chain()),
        issuer_public_key: String::new(),
        issuer_revocation_public_key: String::new(),
        version: String::new(),
    }
}

fn answer(status: StatusCode, result: impl Serialize) -> Response {
    let answer = Answer {
        result,
        errors: Vec::new(),
        messages: Vec::new(),
        success: true,
    };
    (status, Json(answer)).into_response()
}
