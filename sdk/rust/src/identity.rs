//! People: how they register, sign in, and are verified.

pub use crate::proto::gx::identity::v1::*;
use crate::{
    Error, Results,
    call::{Bounds, Caller},
    pages::{items, paged},
    retry::Repeat,
    service::methods,
};

/// People and their sessions.
#[derive(Debug, Clone)]
pub struct Identity(pub(crate) Caller);

methods! { Identity: identity_service_client::IdentityServiceClient =>
    change start_registration(StartRegistrationRequest) -> StartRegistrationResponse;
    read verify_contact(VerifyContactRequest) -> VerifyContactResponse;
    read complete_registration(CompleteRegistrationRequest) -> CompleteRegistrationResponse;
    change login(LoginRequest) -> LoginResponse;
    read refresh_session(RefreshSessionRequest) -> RefreshSessionResponse;
    change logout(LogoutRequest) -> LogoutResponse;
    read list_sessions(ListSessionsRequest) -> ListSessionsResponse;
    read revoke_session(RevokeSessionRequest) -> RevokeSessionResponse;
    change change_password(ChangePasswordRequest) -> ChangePasswordResponse;
    read get_me(GetMeRequest) -> GetMeResponse;
    change upload_document(UploadDocumentRequest) -> UploadDocumentResponse;
    change submit_verification(SubmitVerificationRequest) -> SubmitVerificationResponse;
    read get_verification(GetVerificationRequest) -> GetVerificationResponse;
    read list_verifications(ListVerificationsRequest) -> ListVerificationsResponse;
    command approve_verification(ApproveVerificationRequest) -> ApproveVerificationResponse;
    read deny_verification(DenyVerificationRequest) -> DenyVerificationResponse;
    read bind_account(BindAccountRequest) -> BindAccountResponse;
    read list_public_keys(ListPublicKeysRequest) -> ListPublicKeysResponse;
}

paged! {
    ListSessionsRequest => ListSessionsResponse.sessions: Session;
    ListVerificationsRequest => ListVerificationsResponse.verifications: Verification;
}

impl Identity {
    /// Whoever is signed in.
    ///
    /// # Errors
    /// Those of a session alone.
    pub async fn me(&self) -> Result<User, Error> {
        let answer = self.get_me(GetMeRequest::default()).await?;
        answer.user.ok_or_else(|| Error::missing("user"))
    }

    /// One's own sessions, the latest login first.
    pub fn sessions(&self) -> Results<Session> {
        items(
            self,
            ListSessionsRequest::default(),
            |identity: Self, request| async move { identity.list_sessions(request).await },
        )
    }

    /// Verifications, oldest first: one's own, for staff everybody's.
    /// [`VerificationState::Unspecified`] means those in any state.
    pub fn verifications(&self, state: VerificationState) -> Results<Verification> {
        let request = ListVerificationsRequest {
            state: state.into(),
            ..ListVerificationsRequest::default()
        };
        items(self, request, |identity: Self, request| async move {
            identity.list_verifications(request).await
        })
    }

    /// A stored document and its whole file.
    ///
    /// # Errors
    /// NOT_FOUND; whatever breaks the stream, which is not taken up again, since each
    /// reading stands in the audit log.
    pub async fn download(&self, name: impl Into<String>) -> Result<(Document, Vec<u8>), Error> {
        let request = DownloadDocumentRequest { name: name.into() };
        let send = |channel, request| async move {
            let mut client = identity_service_client::IdentityServiceClient::new(channel);
            client.download_document(request).await
        };
        let opened = self
            .0
            .call(Bounds::Opening, Repeat::Harmless, request, send);
        let mut parts = opened.await?;
        let (mut document, mut content) = (Document::default(), Vec::new());
        while let Some(part) = parts.message().await? {
            document = part.document.unwrap_or(document);
            content.extend(part.content);
        }
        Ok((document, content))
    }
}
