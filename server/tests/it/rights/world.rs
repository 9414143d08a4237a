//! Callers of every kind, and rows for them to call with.

use gx_proto::gx::identity::v1::Role;
use gx_server::{auth::UserId, id::random_uuid};

use crate::harness::{
    Application, Client, Database, Forgotten, GX, Gx, Person, block_of, transaction_of,
    unopened_account, unused_contact,
};

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Nobody,
    /// A USER, with an own row.
    Owner,
    /// A USER, with the row of another.
    Stranger,
    Partner,
    Auditor,
    Admin,
    SuperAdmin,
}

/// What requests name.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) account: String,
    pub(crate) receiver: String,
    /// An entry of the account.
    pub(crate) entry: String,
    pub(crate) operation: String,
    /// The Fabric transaction of the operation.
    pub(crate) transaction: String,
    pub(crate) verification: String,
    pub(crate) document: String,
    /// Somebody who can log in.
    pub(crate) contact: String,
    /// A session of whoever has the account, that calls nothing itself.
    pub(crate) session: String,
    /// A token that was not exchanged.
    pub(crate) refresh_token: String,
    pub(crate) registration: String,
    pub(crate) code: String,
}

impl Rows {
    /// The names of what belongs to somebody.
    pub(crate) fn names(&self) -> [String; 5] {
        [
            self.session.clone(),
            self.account.clone(),
            self.operation.clone(),
            self.verification.clone(),
            self.document.clone(),
        ]
    }
}

/// One system with two people, somebody who waits to be verified, and a newcomer.
pub(crate) struct World {
    pub(crate) gx: Gx,
    ann: Person,
    bee: Person,
    waiting: Application,
    newcomer: (Client, String),
    rows: Rows,
}

impl World {
    pub(crate) async fn new(database: Database) -> Self {
        let gx = Gx::start(database).await;
        let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
        let paid = ann.pay(ann.to(&bee.account, GX, 0)).await;
        gx.supply(block_of(&paid)).await;
        let waiting = gx.application("DE").await;
        let newcomer = gx.newcomer().await;
        let document = newcomer.upload().await;
        let rows = Rows {
            account: ann.account.clone(),
            receiver: bee.account.clone(),
            entry: ann.entries().await.remove(0).name,
            transaction: transaction_of(&paid),
            operation: paid.name,
            verification: ann.verification.clone(),
            document: document.clone(),
            contact: ann.contact.clone(),
            session: gx.login(&ann.contact).await.session,
            refresh_token: String::new(),
            registration: String::new(),
            code: String::new(),
        };
        Self {
            gx,
            ann,
            bee,
            waiting,
            newcomer: (newcomer, document),
            rows,
        }
    }

    /// Makes what a call needs so that nothing but rights can refuse it.
    pub(crate) async fn arrange(&self, method: &str, who: Who) -> (Client, Rows) {
        let mut rows = self.rows.clone();
        let mut client = self.client(who).await;
        match method {
            "VerifyContact" => {
                let contact = unused_contact();
                rows.registration = self.gx.registration(&contact).await;
                rows.code = self.gx.code(&contact);
            }
            "CompleteRegistration" => {
                rows.registration = self.gx.proven_registration(&unused_contact()).await;
            }
            "RefreshSession" => {
                rows.refresh_token = self.gx.login(&rows.contact).await.refresh_token;
            }
            // Whose password is changed, or who is out, is not needed any more.
            "ChangePassword" | "Logout" if who == Who::Owner => {
                client = self.gx.caller(&[Role::User]).await.client;
            }
            "UploadDocument" if who == Who::Owner => client = self.gx.newcomer().await,
            "DownloadDocument" if who == Who::Owner => client = self.newcomer.0.clone(),
            "SubmitVerification" => match who {
                Who::Owner => {
                    client = self.gx.newcomer().await;
                    rows.document = client.upload().await;
                }
                Who::Stranger => client = self.gx.newcomer().await,
                _ => rows.document = self.newcomer.1.clone(),
            },
            "BindAccount" if matches!(who, Who::Admin | Who::SuperAdmin) => {
                let Forgotten { before, now } = self.gx.forgotten(async |_| ()).await;
                (rows.verification, rows.account) = (now.verification, before.account);
            }
            "ApproveVerification" | "DenyVerification" => {
                rows.verification = match who {
                    Who::Admin | Who::SuperAdmin => self.gx.application("DE").await.verification,
                    _ => self.waiting.verification.clone(),
                };
                if who == Who::Owner {
                    client = self.waiting.client.clone();
                }
            }
            _ => {}
        }
        (client, rows)
    }

    /// Each has a session of its own, so that none disturbs another.
    async fn client(&self, who: Who) -> Client {
        let role = match who {
            Who::Nobody => return self.gx.client(),
            Who::Owner => return self.ann.client.clone(),
            Who::Stranger => return self.bee.client.clone(),
            Who::Partner => Role::Partner,
            Who::Auditor => Role::Auditor,
            Who::Admin => Role::Admin,
            Who::SuperAdmin => Role::SuperAdmin,
        };
        self.gx.caller(&[role]).await.client
    }

    /// Somebody who waits to be verified and is an ADMIN too.
    pub(crate) async fn person_and_admin(&self) -> (Client, Rows) {
        let person = self.gx.application("DE").await;
        let id = person.name.trim_start_matches("users/").parse();
        let user = UserId(id.expect("an id"));
        let rows = Rows {
            verification: person.verification,
            ..self.rows.clone()
        };
        let roles = [Role::User, Role::Admin];
        (self.gx.session(user, &roles).await, rows)
    }

    /// Well-formed names of nothing.
    pub(crate) fn missing(&self, rows: &Rows) -> Rows {
        let uuid = random_uuid();
        Rows {
            session: format!("sessions/{uuid}"),
            account: unopened_account(1),
            operation: format!("operations/{}", uuid.simple()),
            verification: format!("verifications/{uuid}"),
            document: format!("documents/{uuid}"),
            ..rows.clone()
        }
    }

    /// Waits until every command is settled and every partition shows it.
    pub(crate) async fn quiet(&self) {
        let auditor = self.gx.admin().await;
        for operation in self.gx.open_operations().await {
            let settled = auditor.settled(&operation).await;
            self.gx.supply(block_of(&settled)).await;
        }
    }
}
