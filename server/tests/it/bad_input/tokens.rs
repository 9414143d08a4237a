//! Access tokens that are none, not any more, or not ours.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use gx_proto::gx::identity::v1::{GetMeRequest, Role};
use gx_server::{
    auth::{Authenticator, session},
    clock::SystemClock,
    secrets::{Secrets, TokenKey},
};
use sea_orm::{ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use std::sync::Arc;
use tonic::Code;

use super::{Case, World};
use crate::harness::{Caller, Gx};

const INVALID: (Code, &str) = (Code::Unauthenticated, "TOKEN_INVALID");
const MISSING: (Code, &str) = (Code::Unauthenticated, "TOKEN_MISSING");

pub(super) async fn cases(world: &World) -> Vec<Case> {
    let gx = &world.gx;
    let caller = gx.caller(&[Role::User]).await;
    let mut cases = forged(gx, &caller);
    cases.extend(foreign(gx, &caller).await);
    cases.extend(ended(gx).await);
    cases
}

/// `GetMe` with a value of `authorization`.
fn me(gx: &Gx, authorization: &str) -> impl Future<Output = MeAnswer> + Send + use<> {
    let mut identity = gx.client().with_authorization(authorization).identity();
    async move { identity.get_me(GetMeRequest::default()).await }
}

type MeAnswer = Result<tonic::Response<gx_proto::gx::identity::v1::GetMeResponse>, tonic::Status>;

fn bearer(gx: &Gx, token: &str) -> impl Future<Output = MeAnswer> + Send + use<> {
    me(gx, &format!("Bearer {token}"))
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The token with another header, truly signed.
fn resigned(key: &TokenKey, token: &str, header: &Value) -> String {
    let claims = token.split('.').nth(1).expect("claims");
    let signed = format!("{}.{claims}", part(header));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn forged(gx: &Gx, caller: &Caller) -> Vec<Case> {
    let (secrets, token) = (gx.secrets(), &caller.token);
    let key = secrets.signing();
    let mut altered = token.clone().into_bytes();
    let middle = token.find('.').expect("a header") + 10;
    altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).expect("text");
    let (signed, signature) = token.rsplit_once('.').expect("a signature");
    let claims = signed.split('.').nth(1).expect("claims");
    let none = part(&json!({"alg": "none", "typ": "at+jwt", "kid": key.kid()}));
    let typed = |typ: &str| {
        resigned(
            key,
            token,
            &json!({"alg": "EdDSA", "typ": typ, "kid": key.kid()}),
        )
    };
    let good = typed("at+jwt");
    assert!(
        good.rsplit_once('.')
            .is_some_and(|(_, other)| other.len() == signature.len())
    );
    vec![
        Case::new("an altered token", INVALID, bearer(gx, &altered)),
        Case::new(
            "a token without its signature",
            INVALID,
            bearer(gx, &format!("{signed}.")),
        ),
        Case::new(
            "alg none",
            INVALID,
            bearer(gx, &format!("{none}.{claims}.")),
        ),
        Case::new(
            "alg none, signed",
            INVALID,
            bearer(
                gx,
                &resigned(
                    key,
                    token,
                    &json!({"alg": "none", "typ": "at+jwt", "kid": key.kid()}),
                ),
            ),
        ),
        Case::new("a refresh token", INVALID, bearer(gx, &typed("rt+jwt"))),
        Case::new(
            "a token of no type of ours",
            INVALID,
            bearer(gx, &typed("JWT")),
        ),
        Case::new("no token after Bearer", INVALID, bearer(gx, "")),
        Case::new("no token at all", INVALID, bearer(gx, "opaque")),
        Case::new("another scheme", INVALID, me(gx, &format!("Basic {token}"))),
        Case::new("an empty header", MISSING, me(gx, "")),
    ]
}

async fn foreign(gx: &Gx, caller: &Caller) -> Vec<Case> {
    let store = gx.store().await.clone();
    let row = session::Entity::find_by_id(caller.session).one(store.read());
    let row = row.await.expect("read").expect("a session");
    let folder = tempfile::tempdir().expect("a folder");
    let others = Arc::new(Secrets::load_or_create(&folder.path().join("keys")).expect("keys"));
    let clock = Arc::new(SystemClock);
    let settings = gx.config().token;
    let mut elsewhere = settings.clone();
    elsewhere.audience = "another".to_owned();
    let by = |secrets, settings| {
        Authenticator::new(store.clone(), clock.clone(), secrets, settings).token(&row)
    };
    let foreign_key = by(others, &settings);
    let foreign_audience = by(Arc::new(gx.secrets()), &elsewhere);
    let mut foreign_user = row.clone();
    foreign_user.user_id = gx.caller(&[Role::SuperAdmin]).await.user.0;
    let borrowed = gx.authenticator().await.token(&foreign_user);
    let revoked = (Code::Unauthenticated, "SESSION_REVOKED");
    vec![
        Case::new("a key that is not ours", INVALID, bearer(gx, &foreign_key)),
        Case::new("another audience", INVALID, bearer(gx, &foreign_audience)),
        Case::new("another's session", revoked, bearer(gx, &borrowed)),
    ]
}

async fn ended(gx: &Gx) -> Vec<Case> {
    let expired = gx.caller_for(&[Role::User], 0).await;
    let revoked = gx.caller(&[Role::User]).await;
    let tx = gx.store().await.begin().await.expect("a transaction");
    let row = session::Entity::find_by_id(revoked.session).one(&tx).await;
    let mut row = row.expect("read").expect("a session").into_active_model();
    row.revoked_ms = Set(Some(1));
    session::Entity::update(row)
        .exec(&tx)
        .await
        .expect("revoked");
    tx.commit().await.expect("a commit");
    let mut forgotten = gx.caller(&[Role::User]).await;
    let tx = gx.store().await.begin().await.expect("a transaction");
    let delete = session::Entity::delete_by_id(forgotten.session).exec(&tx);
    delete.await.expect("deleted");
    tx.commit().await.expect("a commit");
    let token = std::mem::take(&mut forgotten.token);
    let told = (Code::Unauthenticated, "SESSION_REVOKED");
    let late = (Code::Unauthenticated, "TOKEN_EXPIRED");
    vec![
        Case::new("an expired token", late, bearer(gx, &expired.token)),
        Case::new("a session that was ended", told, bearer(gx, &revoked.token)),
        Case::new("a session that is gone", told, bearer(gx, &token)),
    ]
}
