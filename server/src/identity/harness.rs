//! A small world for the tests of this room: a database in memory, a clock that is
//! moved by hand, and people at every step of their way.

use std::{net::Ipv4Addr, sync::Arc};

use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{
        CompleteRegistrationRequest, DenyVerificationRequest, DocumentType, GetMeRequest,
        GetVerificationRequest, LoginRequest, LoginResponse, RefreshSessionRequest,
        RefreshSessionResponse, Role, StartRegistrationRequest, SubmitVerificationRequest,
        SubmitVerificationResponse, UploadDocumentRequest, UploadDocumentResponse, User,
        UserStatus, Verification, VerifyContactRequest,
    },
};
use sea_orm::{IntoActiveModel, Set, entity::prelude::*};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{
    complete_registration::CompleteRegistration, contact::Contact,
    deny_verification::DenyVerification, entity::user, first_start::make_staff_in, get_me,
    get_verification::GetVerification, login::Login, person, refresh_session::RefreshSession,
    start_registration::StartRegistration, submit_verification::SubmitVerification,
    upload_document::UploadDocument, verify_contact::VerifyContact,
};
use crate::{
    app::App,
    auth::{Caller, Context, Password, Subject, UserId},
    cache::Wake,
    clock::{ManualClock, SharedClock},
    config::Config,
    error::{Error, Result},
    fixture,
    id::random_uuid,
    outbox::{Folder, Intake, intake},
    start,
    store::{DatabaseUrl, Store},
};

/// Someone's contact.
pub(super) const CONTACT: &str = "person@example.org";
/// Everybody's password.
pub(super) const PASSWORD: &str = "a long passphrase";
/// A document's number.
pub(super) const NUMBER: &str = "C01X00T47";
/// What a PNG begins with, and more.
pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand the rest of the picture";
/// 16 May 2026.
const START_MS: i64 = 1_778_889_600_000;

/// The world; its files go with it.
pub(super) struct Harness {
    pub(super) app: App,
    pub(super) clock: Arc<ManualClock>,
    /// Of every call.
    pub(super) context: Context,
    _data_dir: TempDir,
}

impl Harness {
    pub(super) async fn new() -> Self {
        Self::on(&DatabaseUrl::SqliteMemory, tempfile::tempdir().unwrap()).await
    }

    /// On a database in which readers do not wait for the writer.
    pub(super) async fn in_file() -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let file = data_dir.path().join("gx.db");
        Self::on(&DatabaseUrl::SqliteFile(file), data_dir).await
    }

    async fn on(url: &DatabaseUrl, data_dir: TempDir) -> Self {
        let clock = Arc::new(ManualClock::at(START_MS));
        let store = Store::open(url).await.unwrap();
        let app = app(data_dir.path(), clock.clone(), store).await;
        Self {
            app,
            clock,
            context: Context {
                method: "/gx.identity.v1.IdentityService/Test",
                request_id: "request".to_owned(),
                traceparent: None,
                client: Ipv4Addr::LOCALHOST.into(),
                subject: Subject::default(),
                leaving: CancellationToken::new(),
            },
            _data_dir: data_dir,
        }
    }

    /// What the notifier delivered so far.
    pub(super) fn messages(&self) -> Vec<serde_json::Value> {
        let file = std::fs::read_to_string(self.app.data_dir.join("codes.jsonl"));
        let file = file.unwrap_or_default();
        let lines = file.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(super) fn last_code(&self) -> String {
        let messages = self.messages();
        let codes = messages.iter().rev();
        let mut codes = codes.filter_map(|message| message["code"].as_str());
        codes.next().unwrap().to_owned()
    }

    /// The token of a registration that was begun.
    pub(super) async fn start(&self, contact: &str) -> String {
        let message = StartRegistrationRequest {
            contact: contact.to_owned(),
        };
        let start = StartRegistration::try_from(message).unwrap();
        let answer = start.handle(&self.app, &self.context);
        answer.await.unwrap().registration_token
    }

    /// The token of a registration whose contact is proven.
    pub(super) async fn verified(&self, contact: &str) -> String {
        let token = self.start(contact).await;
        let message = VerifyContactRequest {
            registration_token: token.clone(),
            code: self.last_code(),
        };
        let verify = VerifyContact::try_from(message).unwrap();
        let answer = verify.handle(&self.app, &self.context);
        answer.await.unwrap();
        token
    }

    /// A user in status REGISTERED.
    pub(super) async fn register(&self, contact: &str) -> User {
        let token = self.verified(contact).await;
        let today = person::day(self.app.clock.now_ms());
        let complete = CompleteRegistration::try_from((completion(&token), today)).unwrap();
        let answer = complete.handle(&self.app, &self.context);
        answer.await.unwrap().user.unwrap()
    }

    pub(super) async fn login(&self, contact: &str, password: &str) -> Result<LoginResponse> {
        let message = LoginRequest {
            contact: contact.to_owned(),
            password: password.to_owned(),
            label: String::new(),
        };
        self.login_by(message).await
    }

    pub(super) async fn login_by(&self, message: LoginRequest) -> Result<LoginResponse> {
        let login = Login::try_from(message)?;
        login.handle(&self.app, &self.context).await
    }

    /// An exchange of its own.
    pub(super) async fn refresh(&self, refresh_token: &str) -> Result<RefreshSessionResponse> {
        let exchange = RefreshSession::try_from(RefreshSessionRequest {
            refresh_token: refresh_token.to_owned(),
            request_id: random_uuid().to_string(),
        })?;
        exchange.handle(&self.app, &self.context).await
    }

    pub(super) async fn caller(&self, token: &str) -> Result<Caller> {
        let header = format!("Bearer {token}");
        self.app.auth.caller(Some(&header)).await
    }

    pub(super) async fn sign_in(&self, contact: &str) -> Caller {
        let answer = self.login(contact, PASSWORD).await.unwrap();
        self.caller(&answer.access_token).await.unwrap()
    }

    /// Somebody who may submit a verification.
    pub(super) async fn applicant(&self, contact: &str) -> Caller {
        self.register(contact).await;
        self.sign_in(contact).await
    }

    /// An ADMIN.
    pub(super) async fn staff(&self) -> Caller {
        let contact = "staff@example.org";
        let password = Password::new(PASSWORD);
        let hash = self.app.passwords.hash(&password).await.unwrap();
        let (now_ms, roles) = (self.app.clock.now_ms(), [Role::Admin]);
        let tx = self.app.store.begin().await.unwrap();
        let made = make_staff_in(&tx, now_ms, contact, &hash, &roles).await;
        made.unwrap().unwrap();
        tx.commit().await.unwrap();
        self.sign_in(contact).await
    }

    pub(super) async fn me(&self, caller: &Caller) -> User {
        let answer = get_me::handle(&self.app, caller, &GetMeRequest::default())
            .await
            .unwrap();
        answer.user.unwrap()
    }

    pub(super) async fn status(&self, caller: &Caller) -> UserStatus {
        self.me(caller).await.status()
    }

    pub(super) async fn set_status(&self, contact: &str, status: UserStatus) {
        let find = user::signing_in(&Contact::stored(contact));
        let row = find.one(self.app.store.read()).await.unwrap().unwrap();
        let mut row = row.into_active_model();
        row.status = Set(status.into());
        row.update(self.app.store.read()).await.unwrap();
    }

    pub(super) async fn upload(
        &self,
        caller: &Caller,
        content: &[u8],
        content_type: &str,
    ) -> Result<UploadDocumentResponse> {
        let upload = UploadDocument::try_from(UploadDocumentRequest {
            content: content.to_vec(),
            content_type: content_type.to_owned(),
        })?;
        let context = &self.context;
        upload.handle(&self.app, caller, context).await
    }

    /// The names of fresh uploads of the caller.
    pub(super) async fn documents(&self, caller: &Caller) -> Vec<String> {
        let answer = self.upload(caller, PNG, "image/png").await.unwrap();
        vec![answer.document.unwrap().name]
    }

    pub(super) async fn submit(
        &self,
        caller: &Caller,
        number: &str,
    ) -> Result<SubmitVerificationResponse> {
        let documents = self.documents(caller).await;
        self.submit_message(caller, submission(number, documents))
            .await
    }

    pub(super) async fn submit_message(
        &self,
        caller: &Caller,
        message: SubmitVerificationRequest,
    ) -> Result<SubmitVerificationResponse> {
        let submit = SubmitVerification::try_from(message)?;
        let context = &self.context;
        submit.handle(&self.app, caller, context).await
    }

    pub(super) async fn verification(&self, caller: &Caller, name: &str) -> Result<Verification> {
        let read = GetVerification::try_from(GetVerificationRequest {
            name: name.to_owned(),
        })?;
        let answer = read.handle(&self.app, caller).await?;
        Ok(answer.verification.unwrap())
    }

    /// Denies the pending verification of a person.
    pub(super) async fn deny(&self, person: &Caller, reason: &str) {
        use super::entity::verification;
        let pending = verification::Entity::visible_to(person)
            .filter(verification::Column::State.eq(1))
            .one(self.app.store.read());
        let message = DenyVerificationRequest {
            name: pending.await.unwrap().unwrap().name(),
            reason: reason.to_owned(),
        };
        let staff = Caller {
            user: UserId(Uuid::max()),
            roles: vec![Role::Admin],
            ..person.clone()
        };
        let deny = DenyVerification::try_from(message).unwrap();
        let answer = deny.handle(&self.app, &staff, &self.context);
        answer.await.unwrap();
    }
}

/// The app, with an intake that takes commands as long as the test runs.
async fn app(data_dir: &std::path::Path, clock: SharedClock, store: Store) -> App {
    let config = Config::default();
    let (wake, (intake, line)) = (Wake::default(), Intake::new(&config.intake));
    let folder = Folder {
        store: store.clone(),
        clock: clock.clone(),
        wake: wake.clone(),
    };
    let forever = CancellationToken::new();
    let topology = start::topology(&store, &config).await.unwrap();
    tokio::spawn(intake::run(line, folder, config.intake, forever));
    fixture::assemble(store, clock, wake, intake, topology, data_dir)
}

/// A person's declaration.
pub(super) fn completion(token: &str) -> CompleteRegistrationRequest {
    CompleteRegistrationRequest {
        registration_token: token.to_owned(),
        given_names: "Given".to_owned(),
        family_name: "Family".to_owned(),
        birth_date: "1990-05-17".to_owned(),
        nationality: "DE".to_owned(),
        password: PASSWORD.to_owned(),
    }
}

/// A passport with these uploads.
pub(super) fn submission(number: &str, documents: Vec<String>) -> SubmitVerificationRequest {
    SubmitVerificationRequest {
        document_type: DocumentType::Passport.into(),
        document_country: "DE".to_owned(),
        document_number: number.to_owned(),
        documents,
    }
}

/// The reason of a refusal; none for an answer.
pub(super) fn reason<T>(answer: Result<T>) -> Option<Reason> {
    answer.err().map(|error| error.reason())
}

/// The fields that a client is told about.
pub(super) fn violations(error: Error) -> Vec<String> {
    let status = Status::from(error);
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_details_bad_request().unwrap();
    let fields = details.field_violations.into_iter();
    fields.map(|violation| violation.field).collect()
}
