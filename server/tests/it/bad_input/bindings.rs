//! People who are not bound to an account.

use gx_proto::gx::identity::v1::BindAccountRequest;
use gx_server::id::random_uuid;
use tonic::Code;

use super::{Case, World};

pub(super) async fn cases(world: &World) -> Vec<Case> {
    let admin = world.gx.admin().await.clone();
    let bind = |name: &str, account: &str| {
        let mut identity = admin.identity();
        let request = BindAccountRequest {
            name: name.to_owned(),
            account: account.to_owned(),
        };
        async move { identity.bind_account(request).await }
    };
    let (waiting, account) = (&world.waiting.verification, &world.ann.account);
    let nothing = format!("verifications/{}", random_uuid());
    vec![
        Case::fields("a binding of nobody", &["name", "account"], bind("", "")),
        Case::fields(
            "a binding to a treasury",
            &["account"],
            bind(waiting, "TREASURY_DE"),
        ),
        Case::new(
            "a binding by no verification",
            (Code::NotFound, "NOT_FOUND"),
            bind(&nothing, account),
        ),
        Case::new(
            "a binding to another's account",
            (Code::FailedPrecondition, "ACCOUNT_NOT_BINDABLE"),
            bind(waiting, account),
        )
        .with(&[("cause", "NOT_NAMED")]),
        Case::new(
            "a binding of who has an account",
            (Code::FailedPrecondition, "VERIFICATION_STATE"),
            bind(&world.ann.verification, account),
        )
        .with(&[("state", "APPROVED")]),
    ]
}
