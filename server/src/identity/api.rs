//! The RPCs of `gx.identity.v1`.

use gx_proto::gx::identity::v1::{
    ApproveVerificationRequest, ApproveVerificationResponse, BindAccountRequest,
    BindAccountResponse, ChangePasswordRequest, ChangePasswordResponse,
    CompleteRegistrationRequest, CompleteRegistrationResponse, DenyVerificationRequest,
    DenyVerificationResponse, DownloadDocumentRequest, DownloadDocumentResponse, GetMeRequest,
    GetMeResponse, GetVerificationRequest, GetVerificationResponse, ListPublicKeysRequest,
    ListPublicKeysResponse, ListSessionsRequest, ListSessionsResponse, ListVerificationsRequest,
    ListVerificationsResponse, LoginRequest, LoginResponse, LogoutRequest, LogoutResponse,
    RefreshSessionRequest, RefreshSessionResponse, RevokeSessionRequest, RevokeSessionResponse,
    StartRegistrationRequest, StartRegistrationResponse, SubmitVerificationRequest,
    SubmitVerificationResponse, UploadDocumentRequest, UploadDocumentResponse,
    VerifyContactRequest, VerifyContactResponse, identity_service_server::IdentityService,
};
use tonic::{Request, Response, Status};

use super::{
    approve_verification::ApproveVerification, bind_account::BindAccount,
    change_password::ChangePassword, complete_registration::CompleteRegistration,
    deny_verification::DenyVerification, download_document::DownloadDocument, get_me,
    get_verification::GetVerification, list_public_keys, list_sessions::ListSessions,
    list_verifications::ListVerifications, login::Login, logout, names, person,
    refresh_session::RefreshSession, revoke_session::RevokeSession,
    start_registration::StartRegistration, submit_verification::SubmitVerification,
    upload_document::UploadDocument, verify_contact::VerifyContact,
};
use crate::{app::App, auth, outbox::request_digest, watch::Sent};

/// Serves `gx.identity.v1`.
#[derive(Debug, Clone)]
pub struct Api {
    pub(super) app: App,
}

#[tonic::async_trait]
impl IdentityService for Api {
    async fn start_registration(
        &self,
        request: Request<StartRegistrationRequest>,
    ) -> Result<Response<StartRegistrationResponse>, Status> {
        let (context, message) = auth::anybody(request)?;
        let start = StartRegistration::try_from(message)?;
        Ok(Response::new(start.handle(&self.app, &context).await?))
    }

    async fn verify_contact(
        &self,
        request: Request<VerifyContactRequest>,
    ) -> Result<Response<VerifyContactResponse>, Status> {
        let (context, message) = auth::anybody(request)?;
        let verify = VerifyContact::try_from(message)?;
        Ok(Response::new(verify.handle(&self.app, &context).await?))
    }

    async fn complete_registration(
        &self,
        request: Request<CompleteRegistrationRequest>,
    ) -> Result<Response<CompleteRegistrationResponse>, Status> {
        let (context, message) = auth::anybody(request)?;
        let today = person::day(self.app.clock.now_ms());
        let complete = CompleteRegistration::try_from((message, today))?;
        Ok(Response::new(complete.handle(&self.app, &context).await?))
    }

    async fn login(
        &self,
        request: Request<LoginRequest>,
    ) -> Result<Response<LoginResponse>, Status> {
        let (context, message) = auth::anybody(request)?;
        let login = Login::try_from(message)?;
        Ok(Response::new(login.handle(&self.app, &context).await?))
    }

    async fn refresh_session(
        &self,
        request: Request<RefreshSessionRequest>,
    ) -> Result<Response<RefreshSessionResponse>, Status> {
        let (context, message) = auth::anybody(request)?;
        let refresh = RefreshSession::try_from(message)?;
        Ok(Response::new(refresh.handle(&self.app, &context).await?))
    }

    async fn logout(
        &self,
        request: Request<LogoutRequest>,
    ) -> Result<Response<LogoutResponse>, Status> {
        let (caller, context, _) = auth::signed_in(request)?;
        let answer = logout::handle(&self.app, &caller, &context).await?;
        Ok(Response::new(answer))
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let list = ListSessions::try_from(message)?;
        context.about(names::SESSIONS);
        Ok(Response::new(list.handle(&self.app, &caller).await?))
    }

    async fn revoke_session(
        &self,
        request: Request<RevokeSessionRequest>,
    ) -> Result<Response<RevokeSessionResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let revoke = RevokeSession::try_from(message)?;
        context.about(revoke.subject());
        let answer = revoke.handle(&self.app, &caller, &context).await?;
        Ok(Response::new(answer))
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let change = ChangePassword::try_from(message)?;
        let answer = change.handle(&self.app, &caller, &context).await?;
        Ok(Response::new(answer))
    }

    async fn get_me(
        &self,
        request: Request<GetMeRequest>,
    ) -> Result<Response<GetMeResponse>, Status> {
        let (caller, _, message) = auth::signed_in(request)?;
        let answer = get_me::handle(&self.app, &caller, &message).await?;
        Ok(Response::new(answer))
    }

    async fn upload_document(
        &self,
        request: Request<UploadDocumentRequest>,
    ) -> Result<Response<UploadDocumentResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let upload = UploadDocument::try_from(message)?;
        let answer = upload.handle(&self.app, &caller, &context).await?;
        Ok(Response::new(answer))
    }

    type DownloadDocumentStream = Sent<DownloadDocumentResponse>;

    async fn download_document(
        &self,
        request: Request<DownloadDocumentRequest>,
    ) -> Result<Response<Self::DownloadDocumentStream>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let download = DownloadDocument::try_from(message)?;
        context.about(download.subject());
        let sent = download.handle(&self.app, &caller, &context).await?;
        Ok(Response::new(sent))
    }

    async fn submit_verification(
        &self,
        request: Request<SubmitVerificationRequest>,
    ) -> Result<Response<SubmitVerificationResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let submit = SubmitVerification::try_from(message)?;
        let answer = submit.handle(&self.app, &caller, &context).await?;
        Ok(Response::new(answer))
    }

    async fn get_verification(
        &self,
        request: Request<GetVerificationRequest>,
    ) -> Result<Response<GetVerificationResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let read = GetVerification::try_from(message)?;
        context.about(read.subject());
        Ok(Response::new(read.handle(&self.app, &caller).await?))
    }

    async fn list_verifications(
        &self,
        request: Request<ListVerificationsRequest>,
    ) -> Result<Response<ListVerificationsResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let list = ListVerifications::try_from(message)?;
        context.about(list.subject());
        Ok(Response::new(list.handle(&self.app, &caller).await?))
    }

    async fn approve_verification(
        &self,
        request: Request<ApproveVerificationRequest>,
    ) -> Result<Response<ApproveVerificationResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        // However the request_id is spelled, it names the same command.
        let request_id = String::new();
        let anonymous = ApproveVerificationRequest {
            request_id,
            ..message.clone()
        };
        let digest = request_digest(context.method, &anonymous);
        let approve = ApproveVerification::try_from(message)?;
        let operation = approve.handle(&self.app, &caller, &context, digest).await?;
        Ok(Response::new(ApproveVerificationResponse {
            operation: Some(operation),
        }))
    }

    async fn deny_verification(
        &self,
        request: Request<DenyVerificationRequest>,
    ) -> Result<Response<DenyVerificationResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let deny = DenyVerification::try_from(message)?;
        let answer = deny.handle(&self.app, &caller, &context).await?;
        Ok(Response::new(answer))
    }

    async fn bind_account(
        &self,
        request: Request<BindAccountRequest>,
    ) -> Result<Response<BindAccountResponse>, Status> {
        let (caller, context, message) = auth::signed_in(request)?;
        let bind = BindAccount::try_from(message)?;
        context.about(bind.subject());
        let answer = bind.handle(&self.app, &caller, &context).await?;
        Ok(Response::new(answer))
    }

    async fn list_public_keys(
        &self,
        _request: Request<ListPublicKeysRequest>,
    ) -> Result<Response<ListPublicKeysResponse>, Status> {
        Ok(Response::new(list_public_keys::handle(&self.app)))
    }
}
