//! The client: a connection, and whoever is signed in.

use std::time::Duration;

use tokio::sync::watch;
use tonic::{
    Code,
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use crate::{
    Error, Identity, Ledger, Operations, Session, Tokenomics, Wallets,
    call::Caller,
    identity::{LoginRequest, LogoutRequest},
};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How often a connection with open calls is asked whether it lives, and how long it may
/// take to answer.
const ALIVE_EVERY: Duration = Duration::from_secs(20);
const ALIVE_WITHIN: Duration = Duration::from_secs(10);

/// A client of GX. Clones share the connection and the session.
#[derive(Debug, Clone)]
pub struct GxClient(Caller);

impl GxClient {
    /// Connects to where GX answers, such as `https://gx.example.org`; `http://` without
    /// encryption. A connection that is lost later is made again.
    ///
    /// # Errors
    /// If that is no URL, or nobody answers there.
    pub async fn connect(url: impl Into<String>) -> Result<Self, Error> {
        let connected = endpoint(url.into())?.connect().await;
        connected.map(Self::over).map_err(Error::connection)
    }

    /// A client over a channel that was made elsewhere, as for certificates of one's own.
    pub fn over(channel: Channel) -> Self {
        Self(Caller::new(channel))
    }

    /// Signs in. The client that it answers is that person's or member of staff's; this
    /// one stays as it is.
    ///
    /// # Errors
    /// CREDENTIALS_WRONG, LOGIN_LOCKED, USER_STATUS.
    pub async fn sign_in(
        &self,
        contact: impl Into<String>,
        password: impl Into<String>,
    ) -> Result<Self, Error> {
        let request = LoginRequest {
            contact: contact.into(),
            password: password.into(),
            ..LoginRequest::default()
        };
        let answer = Identity(self.0.anonymous()).login(request).await?;
        Ok(self.resume(Session::new(answer.access_token, answer.refresh_token)))
    }

    /// A client that goes on with a session.
    pub fn resume(&self, session: Session) -> Self {
        Self(self.0.resume(session))
    }

    /// The session as it is now; none where nobody is signed in.
    pub fn session(&self) -> Option<Session> {
        self.0.keeper().map(|keeper| keeper.session())
    }

    /// Tells of each change of the session, for whoever keeps it: after an exchange the
    /// tokens before it are worth nothing. None where nobody is signed in.
    pub fn session_changes(&self) -> Option<watch::Receiver<Session>> {
        self.0.keeper().map(|keeper| keeper.changes())
    }

    /// Ends the session, for all clones of this client and on the server.
    ///
    /// # Errors
    /// If the server could not be told.
    pub async fn sign_out(self) -> Result<(), Error> {
        self.identity().logout(LogoutRequest {}).await?;
        Ok(())
    }

    /// The same client, whose calls may take so long, with all their tries.
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self(self.0.with_deadline(deadline))
    }

    /// People and their sessions.
    pub fn identity(&self) -> Identity {
        Identity(self.0.clone())
    }

    /// Balances, history, transfers.
    pub fn wallet(&self) -> Wallets {
        Wallets(self.0.clone())
    }

    /// What became of commands.
    pub fn operations(&self) -> Operations {
        Operations(self.0.clone())
    }

    /// Supply, countries, fees.
    pub fn tokenomics(&self) -> Tokenomics {
        Tokenomics(self.0.clone())
    }

    /// The chain.
    pub fn ledger(&self) -> Ledger {
        Ledger(self.0.clone())
    }
}

fn endpoint(url: String) -> Result<Endpoint, Error> {
    let unreadable = || Error::local(Code::InvalidArgument, format!("no URL: {url}"));
    let endpoint = Endpoint::from_shared(url.clone())
        .map_err(|_| unreadable())?
        .user_agent(concat!("gx-sdk-rust/", env!("CARGO_PKG_VERSION")))
        .map_err(Error::connection)?
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(ALIVE_EVERY)
        .keep_alive_timeout(ALIVE_WITHIN);
    match endpoint.uri().scheme_str() {
        Some("https") => endpoint
            .tls_config(ClientTlsConfig::new().with_enabled_roots())
            .map_err(Error::connection),
        Some("http") => Ok(endpoint),
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_url_is_told_before_anybody_is_asked() {
        for url in [
            "127.0.0.1:3001",
            "localhost",
            "ftp://localhost",
            "http://",
            "",
        ] {
            let told = endpoint(url.to_owned()).map(|_| ()).unwrap_err();
            assert_eq!(told.code(), Code::InvalidArgument, "{url}");
        }
        assert!(endpoint("http://localhost:3001".to_owned()).is_ok());
    }
}
