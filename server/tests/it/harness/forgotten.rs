//! People whom the database lost, as after a restore of what it was before them, and
//! whose accounts the ledger still has.

use gx_proto::gx::operation::v1::OperationState;
use gx_server::{
    auth::session,
    identity::entity::{document, user, verification},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Application, Gx, Person, people::unused_number, reason_of};

/// Somebody who had an account, registered again, and was refused another.
#[derive(Debug)]
pub(crate) struct Forgotten {
    /// As it was.
    pub(crate) before: Person,
    /// As it is.
    pub(crate) now: Application,
}

impl Gx {
    /// A person, forgotten after `life`, who registered again and was refused.
    pub(crate) async fn forgotten(&self, life: impl AsyncFnOnce(&Person)) -> Forgotten {
        let number = unused_number();
        let before = self.person_with("DE", &number).await;
        life(&before).await;
        self.forget(&before).await;
        let now = self.application_with("DE", &number).await;
        let refused = self.approve(&now.verification).await;
        assert_eq!(refused.state(), OperationState::Refused);
        assert_eq!(reason_of(&refused), "KNOWN_COMMITMENT");
        Forgotten { before, now }
    }

    /// Takes away what the ledger does not know of a person.
    async fn forget(&self, person: &Person) {
        let id = person.name.trim_start_matches("users/").parse::<Uuid>();
        let id = id.expect("an id");
        let tx = self.store().await.begin().await.expect("a transaction");
        let documents = document::Entity::delete_many();
        let documents = documents.filter(document::Column::UserId.eq(id));
        documents.exec(&tx).await.expect("documents");
        let verifications = verification::Entity::delete_many();
        let verifications = verifications.filter(verification::Column::UserId.eq(id));
        verifications.exec(&tx).await.expect("verifications");
        let sessions = session::Entity::delete_many();
        let sessions = sessions.filter(session::Column::UserId.eq(id));
        sessions.exec(&tx).await.expect("sessions");
        let user = user::Entity::delete_by_id(id);
        user.exec(&tx).await.expect("the user");
        let account = &person.account;
        for owner in [
            format!(
                "update directory set user_id = null, masked_name = '' where account = '{account}'"
            ),
            format!("update wallets set user_id = null where account = '{account}'"),
            format!("update operations set owner = null, request_id = null where owner = '{id}'"),
        ] {
            tx.execute_unprepared(&owner).await.expect("the owner");
        }
        tx.commit().await.expect("a commit");
    }
}
