//! People, who walk the whole way by the API, and callers with any role, whom the
//! API does not make and who are put into the database.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use gx_proto::gx::{
    identity::v1::{
        ApproveVerificationRequest, CompleteRegistrationRequest, DocumentType, GetMeRequest,
        LoginRequest, LoginResponse, Role, StartRegistrationRequest, SubmitVerificationRequest,
        UploadDocumentRequest, VerifyContactRequest,
    },
    operation::v1::{Operation, OperationState, WaitOperationRequest},
};
use gx_server::{
    auth::{Authenticator, Password, Passwords, UserId, session},
    clock::{Clock, SystemClock},
    config::Config,
    id::random_uuid,
    identity::make_staff_in,
    outbox::{self, entity::operation},
    secrets::Secrets,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{Client, Gx, block_of};

/// The smallest file that is a picture by its first bytes.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A verified person.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) client: Client,
    /// `users/<uuid>`.
    pub(crate) name: String,
    pub(crate) contact: String,
    pub(crate) account: String,
    pub(crate) verification: String,
    /// The operation that made the account.
    pub(crate) operation: String,
}

/// Somebody registered, whose verification waits.
#[derive(Debug, Clone)]
pub(crate) struct Application {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) contact: String,
    pub(crate) document: String,
    pub(crate) verification: String,
}

/// Somebody signed in whom the API did not make.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) client: Client,
    pub(crate) user: UserId,
    pub(crate) session: Uuid,
    pub(crate) token: String,
}

impl Gx {
    /// A person with an account and a grant.
    pub(crate) async fn person(&self, nationality: &str) -> Person {
        self.person_with(nationality, &unused_number()).await
    }

    /// A person with this document.
    pub(crate) async fn person_with(&self, nationality: &str, document_number: &str) -> Person {
        let application = self.application_with(nationality, document_number).await;
        let operation = self.approve(&application.verification).await;
        assert_eq!(operation.state(), OperationState::Succeeded);
        let min_block = block_of(&operation);
        let me = GetMeRequest { min_block };
        let me = application.client.identity().get_me(me).await;
        let me = me.expect("me").into_inner().user.expect("a user");
        Person {
            client: application.client,
            name: application.name,
            contact: application.contact,
            account: me.account,
            verification: application.verification,
            operation: operation.name,
        }
    }

    /// Somebody who asked to be verified.
    pub(crate) async fn application(&self, nationality: &str) -> Application {
        self.application_with(nationality, &unused_number()).await
    }

    /// Somebody with this document who asked to be verified.
    pub(crate) async fn application_with(
        &self,
        nationality: &str,
        document_number: &str,
    ) -> Application {
        let contact = unused_contact();
        let name = self.register(&contact, nationality).await;
        let client = self.sign_in(&contact).await;
        let document = client.upload().await;
        let submit = SubmitVerificationRequest {
            document_type: DocumentType::Passport.into(),
            document_country: nationality.to_owned(),
            document_number: document_number.to_owned(),
            documents: vec![document.clone()],
        };
        let submitted = client.identity().submit_verification(submit).await;
        let verification = submitted.expect("submitted").into_inner().verification;
        Application {
            client,
            name,
            contact,
            document,
            verification: verification.expect("a verification").name,
        }
    }

    /// Somebody who registered and did nothing else.
    pub(crate) async fn newcomer(&self) -> Client {
        let contact = unused_contact();
        self.register(&contact, "DE").await;
        self.sign_in(&contact).await
    }

    /// Registers a contact and answers `users/<uuid>`.
    pub(crate) async fn register(&self, contact: &str, nationality: &str) -> String {
        let mut identity = self.client().identity();
        let registration_token = self.proven_registration(contact).await;
        let complete = CompleteRegistrationRequest {
            registration_token,
            given_names: "Ämilie".to_owned(),
            family_name: "Müller".to_owned(),
            birth_date: "1990-05-17".to_owned(),
            nationality: nationality.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let completed = identity.complete_registration(complete).await;
        let user = completed.expect("completed").into_inner().user;
        user.expect("a user").name
    }

    /// Begins a registration and answers its token.
    pub(crate) async fn registration(&self, contact: &str) -> String {
        let start = StartRegistrationRequest {
            contact: contact.to_owned(),
        };
        let started = self.client().identity().start_registration(start).await;
        started.expect("started").into_inner().registration_token
    }

    /// Begins a registration and proves its contact.
    pub(crate) async fn proven_registration(&self, contact: &str) -> String {
        let registration_token = self.registration(contact).await;
        let verify = VerifyContactRequest {
            registration_token: registration_token.clone(),
            code: self.code(contact),
        };
        let verified = self.client().identity().verify_contact(verify).await;
        verified.expect("verified");
        registration_token
    }

    /// The last code that was sent to a contact.
    pub(crate) fn code(&self, contact: &str) -> String {
        let sent = std::fs::read_to_string(self.data_dir().join("codes.jsonl"));
        let sent = sent.expect("codes");
        let lines = sent.lines().rev();
        lines
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line"))
            .find(|line| line["contact"] == contact)
            .and_then(|line| Some(line["code"].as_str()?.to_owned()))
            .unwrap_or_else(|| panic!("no code for {contact}"))
    }

    /// Signs in a person of the tests.
    pub(crate) async fn sign_in(&self, contact: &str) -> Client {
        let token = self.login(contact).await.access_token;
        self.client().with_token(&token)
    }

    /// Opens a session of a person of the tests.
    pub(crate) async fn login(&self, contact: &str) -> LoginResponse {
        let login = LoginRequest {
            contact: contact.to_owned(),
            password: PASSWORD.to_owned(),
            label: String::new(),
        };
        let answer = self.client().identity().login(login).await;
        answer.expect("signed in").into_inner()
    }

    /// Has an ADMIN approve a verification and waits for the outcome.
    pub(crate) async fn approve(&self, verification: &str) -> Operation {
        let admin = self.admin().await;
        let approve = ApproveVerificationRequest {
            name: verification.to_owned(),
            request_id: random_uuid().to_string(),
        };
        let approved = admin.identity().approve_verification(approve).await;
        let operation = approved.expect("approved").into_inner().operation;
        admin.settled(&operation.expect("an operation").name).await
    }

    /// A client of an ADMIN.
    pub(crate) async fn admin(&self) -> &Client {
        let make = || async { self.caller(&[Role::Admin]).await.client };
        self.admin.get_or_init(make).await
    }

    /// Somebody signed in with these roles.
    pub(crate) async fn caller(&self, roles: &[Role]) -> Caller {
        self.caller_for(roles, 900).await
    }

    /// Somebody whose session lasts so long.
    pub(crate) async fn caller_for(&self, roles: &[Role], ttl_s: u64) -> Caller {
        let hash = password_hash().await;
        let now_ms = SystemClock.now_ms();
        let tx = self.store().await.begin().await.expect("a transaction");
        let user = make_staff_in(&tx, now_ms, &unused_contact(), hash, roles).await;
        let user = user.expect("made").expect("a new contact");
        let begun = session::Model::begun(now_ms, user, roles, ttl_s);
        let session = session::open_in(&tx, now_ms, begun).await;
        let session = session.expect("a session");
        tx.commit().await.expect("a commit");
        let token = self.authenticator().await.token(&session);
        Caller {
            client: self.client().with_token(&token),
            user,
            session: session.id,
            token,
        }
    }

    /// A session of a user with these roles, whatever the user's own are.
    pub(crate) async fn session(&self, user: UserId, roles: &[Role]) -> Client {
        let tx = self.store().await.begin().await.expect("a transaction");
        let now_ms = SystemClock.now_ms();
        let begun = session::Model::begun(now_ms, user, roles, 900);
        let session = session::open_in(&tx, now_ms, begun).await;
        let session = session.expect("a session");
        tx.commit().await.expect("a commit");
        let token = self.authenticator().await.token(&session);
        self.client().with_token(&token)
    }

    /// Signs tokens as the system does.
    pub(crate) async fn authenticator(&self) -> Authenticator {
        let secrets = Arc::new(self.secrets());
        let (store, clock) = (self.store().await.clone(), Arc::new(SystemClock));
        Authenticator::new(store, clock, secrets, &self.config().token)
    }

    /// The names of operations that have no outcome yet.
    pub(crate) async fn open_operations(&self) -> Vec<String> {
        let open = [OperationState::Accepted, OperationState::Submitted].map(i32::from);
        let open = operation::Column::State.is_in(open);
        let rows = operation::Entity::find().filter(open);
        let rows = rows.all(self.store().await.read()).await;
        let names = rows.expect("operations").into_iter();
        names.map(|row| outbox::operation::name(row.id)).collect()
    }

    /// The keys of the system.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::load_or_create(&self.data_dir().join("keys")).expect("keys")
    }
}

impl Client {
    /// Stores a file and answers its name.
    pub(crate) async fn upload(&self) -> String {
        let upload = UploadDocumentRequest {
            content: PNG.to_vec(),
            content_type: "image/png".to_owned(),
        };
        let upload = self.identity().upload_document(upload).await;
        let document = upload.expect("stored").into_inner().document;
        document.expect("a document").name
    }

    /// Waits until an operation has its outcome.
    pub(crate) async fn settled(&self, name: &str) -> Operation {
        let wait = WaitOperationRequest {
            name: name.to_owned(),
            timeout_ms: 60_000,
        };
        let waited = self.operation().wait_operation(wait).await;
        let operation = waited.expect("waited").into_inner().operation;
        operation.expect("an operation")
    }
}

/// The hash of everybody's password, made once.
async fn password_hash() -> &'static str {
    static HASH: OnceCell<String> = OnceCell::const_new();
    let hash = async || {
        let passwords = Passwords::new(&Config::default().login);
        let hash = passwords.hash(&Password::new(PASSWORD)).await;
        hash.expect("a hash")
    };
    HASH.get_or_init(hash).await
}

/// A document's number that nobody else has.
pub(crate) fn unused_number() -> String {
    random_uuid().simple().to_string()
}

/// An address that no other test uses.
pub(crate) fn unused_contact() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("person-{number}@example.org")
}
