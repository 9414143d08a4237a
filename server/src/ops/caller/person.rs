//! A person as the interface sees one: from a contact to an account with a grant.

use std::path::Path;

use anyhow::{Context as _, bail};
use gx_proto::gx::{
    identity::v1::{
        CompleteRegistrationRequest, DocumentType, GetMeRequest, LoginRequest,
        StartRegistrationRequest, SubmitVerificationRequest, UploadDocumentRequest, UserStatus,
        VerifyContactRequest,
    },
    operation::v1::{CreateAccountResult, operation, operation_result},
};

use tonic::metadata::{Ascii, MetadataValue};

use super::{
    api::{Api, call},
    codes::code,
    picture::png,
    staff::Staff,
};
use crate::{id::random_bytes, ops::table::Qirat};

/// Somebody who was never here before.
#[derive(Debug)]
pub(in crate::ops) struct Person {
    pub(in crate::ops) contact: String,
    password: String,
    country: &'static str,
    pub(in crate::ops) token: String,
    pub(in crate::ops) verification: String,
    pub(in crate::ops) account: String,
    pub(in crate::ops) grant_qirat: u64,
}

impl Person {
    fn new(country: &'static str) -> Self {
        let name = hex::encode(random_bytes::<6>());
        Self {
            contact: format!("person-{name}@example.org"),
            password: hex::encode(random_bytes::<16>()),
            country,
            token: String::new(),
            verification: String::new(),
            account: String::new(),
            grant_qirat: 0,
        }
    }

    /// Proves the contact by its code and becomes a user.
    pub(in crate::ops) async fn register(
        api: &Api,
        data_dir: &Path,
        country: &'static str,
    ) -> anyhow::Result<Self> {
        let person = Self::new(country);
        let contact = person.contact.clone();
        let message = StartRegistrationRequest { contact };
        let started = call(&api.identity, None, message, async |mut api, message| {
            api.start_registration(message).await
        });
        let registration_token = started.await?.registration_token;
        let message = VerifyContactRequest {
            registration_token: registration_token.clone(),
            code: code(data_dir, &person.contact).await?,
        };
        let verified = call(&api.identity, None, message, async |mut api, message| {
            api.verify_contact(message).await
        });
        verified.await?;
        let message = person.completion(registration_token);
        let completed = call(&api.identity, None, message, async |mut api, message| {
            api.complete_registration(message).await
        });
        completed.await?;
        Ok(person)
    }

    fn completion(&self, registration_token: String) -> CompleteRegistrationRequest {
        CompleteRegistrationRequest {
            registration_token,
            given_names: "Demo".to_owned(),
            family_name: format!("Person {}", self.country),
            birth_date: "1990-01-01".to_owned(),
            nationality: self.country.to_owned(),
            password: self.password.clone(),
        }
    }

    /// Opens a session and tells the user's status.
    pub(in crate::ops) async fn sign_in(&mut self, api: &Api) -> anyhow::Result<&'static str> {
        let message = LoginRequest {
            contact: self.contact.clone(),
            password: self.password.clone(),
            label: String::new(),
        };
        let answer = call(&api.identity, None, message, async |mut api, message| {
            api.login(message).await
        });
        let answer = answer.await?;
        self.token = answer.access_token;
        let user = answer.user.context("no user was answered")?;
        let status = user.status().as_str_name();
        Ok(status.strip_prefix("USER_STATUS_").unwrap_or(status))
    }

    /// What the person's calls are authorized by.
    ///
    /// # Errors
    /// If the token is none.
    pub(in crate::ops) fn bearer(&self) -> anyhow::Result<MetadataValue<Ascii>> {
        Ok(format!("Bearer {}", self.token).parse()?)
    }

    /// Uploads a picture and answers its name.
    pub(in crate::ops) async fn upload(&self, api: &Api) -> anyhow::Result<String> {
        let [red, green, blue] = random_bytes();
        let message = UploadDocumentRequest {
            content: png(red, green, blue),
            content_type: "image/png".to_owned(),
        };
        let token = Some(self.token.as_str());
        let answer = call(&api.identity, token, message, async |mut api, message| {
            api.upload_document(message).await
        });
        let document = answer.await?.document;
        Ok(document.context("no document was answered")?.name)
    }

    /// Asks to be verified, with a document of a number that nobody has.
    pub(in crate::ops) async fn submit(
        &mut self,
        api: &Api,
        upload: String,
    ) -> anyhow::Result<String> {
        let number = hex::encode_upper(random_bytes::<8>());
        let message = SubmitVerificationRequest {
            document_type: DocumentType::Passport.into(),
            document_country: self.country.to_owned(),
            document_number: number,
            documents: vec![upload],
        };
        let token = Some(self.token.as_str());
        let answer = call(&api.identity, token, message, async |mut api, message| {
            api.submit_verification(message).await
        });
        let verification = answer.await?.verification;
        let verification = verification.context("no verification was answered")?;
        self.verification.clone_from(&verification.name);
        Ok(verification.name)
    }

    /// Waits until the ledger has made the account, and looks at it as its owner.
    pub(in crate::ops) async fn open(
        &mut self,
        api: &Api,
        staff: &Staff,
        operation: &str,
    ) -> anyhow::Result<Vec<String>> {
        let settled = api.settled(&staff.token, operation).await?;
        let made = match settled.result {
            Some(operation::Result::Response(response)) => response.result,
            _ => None,
        };
        let Some(operation_result::Result::CreateAccount(made)) = made else {
            bail!("{operation} made no account");
        };
        let token = Some(self.token.as_str());
        let min_block = settled.metadata.unwrap_or_default().block;
        let answer = call(
            &api.identity,
            token,
            GetMeRequest { min_block },
            async |mut api, ask| api.get_me(ask).await,
        );
        let user = answer.await?.user.context("no user was answered")?;
        if user.status() != UserStatus::Active || user.account != made.account {
            bail!("{} is not ACTIVE with {}", user.name, made.account);
        }
        self.account.clone_from(&made.account);
        self.grant_qirat = made.grant_qirat;
        Ok(tell(&made, min_block))
    }
}

fn tell(made: &CreateAccountResult, block: u64) -> Vec<String> {
    let (account, phase) = (&made.account, made.phase);
    let grant = Qirat(made.grant_qirat.into());
    vec![
        format!("{account}, block {block}"),
        format!("granted {grant} in phase {phase}"),
    ]
}
