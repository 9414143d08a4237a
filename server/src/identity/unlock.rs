//! Takes the locks from a contact's login, for operators. What was done stands in the
//! audit log.

use anyhow::anyhow;

use super::{attempt_rows, contact::Contact, entity::user};
use crate::{
    audit::{self, Entry},
    secrets::Secrets,
    store::Store,
};

/// What stands in the audit log as the action.
const ACTION: &str = "users unlock";

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlocked {
    /// The user who has the contact, `users/<uuid>`, if anybody has.
    pub user: Option<String>,
    /// Whether failures were counted that are not counted any more.
    pub failures: bool,
}

/// Forgets the failed logins of a contact from everywhere, and with them the locks.
///
/// # Errors
/// If the contact is none, or the database fails.
pub async fn unlock(
    store: &Store,
    secrets: &Secrets,
    now_ms: i64,
    contact: &str,
) -> anyhow::Result<Unlocked> {
    let contact = Contact::known(contact).map_err(|fault| anyhow!("the contact {fault}"))?;
    let tx = store.begin().await?;
    let user = user::signing_in(&contact).one(&tx).await?;
    let user = user.as_ref().map(user::Model::name);
    let failures = attempt_rows::unlock_in(&tx, secrets, &contact).await?;
    let entry = Entry::of_system(ACTION, user.clone().unwrap_or_default());
    audit::record_in(&tx, now_ms, vec![entry]).await?;
    tx.commit().await?;
    Ok(Unlocked { user, failures })
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::common::v1::Reason;
    use sea_orm::{EntityTrait, QueryOrder};

    use super::*;
    use crate::{
        audit::entity::line,
        identity::harness::{CONTACT, Harness, PASSWORD, reason},
    };

    #[tokio::test]
    async fn an_operator_lets_a_contact_in_again_and_the_audit_log_says_so() {
        let harness = Harness::new().await;
        let name = harness.register(CONTACT).await.name;
        for _ in 0..10 {
            let _ = harness.login(CONTACT, "a wrong password").await;
        }
        let answer = harness.login(CONTACT, PASSWORD).await;
        assert_eq!(reason(answer), Some(Reason::LoginLocked));

        let app = &harness.app;
        let unlock = async |contact| {
            let now_ms = app.clock.now_ms();
            unlock(&app.store, &app.secrets, now_ms, contact).await
        };
        let told = unlock(" Person@Example.org").await.unwrap();
        assert_eq!(told.user.as_ref(), Some(&name));
        assert!(told.failures);
        let newest = line::Entity::find().order_by_desc(line::Column::Id);
        let line = newest.one(app.store.read()).await.unwrap().unwrap();
        assert_eq!((line.action.as_str(), line.subject), (ACTION, name));

        assert!(harness.login(CONTACT, PASSWORD).await.is_ok());
        assert!(!unlock(CONTACT).await.unwrap().failures);
        let nobody = unlock("nobody@example.org").await.unwrap();
        assert_eq!(nobody.user, None);
        assert!(unlock(" ").await.is_err());
    }
}
