//! Sessions: the tokens of one, and their one keeper, who exchanges them once however
//! many callers find at the same time that they have expired.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::sync::watch;
use tonic::{Code, transport::Channel};
use uuid::Uuid;

use crate::{
    Error,
    call::{Bounds, Caller},
    proto::gx::{
        common::v1::Reason,
        identity::v1::{
            RefreshSessionRequest, RefreshSessionResponse,
            identity_service_client::IdentityServiceClient,
        },
    },
    retry::Repeat,
};

/// What one needs to go on with a session, in another process too. Whoever has it has
/// the session: keep it as a password is kept.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// What calls carry; may be empty, then it is got before the first call.
    pub access_token: String,
    /// What the next tokens are got for, once; empty means that the session ends with
    /// its access token.
    pub refresh_token: String,
}

impl Session {
    /// The session with these tokens.
    pub fn new(access_token: impl Into<String>, refresh_token: impl Into<String>) -> Self {
        Self {
            access_token: access_token.into(),
            refresh_token: refresh_token.into(),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// The access token of one moment.
#[derive(Clone)]
pub(crate) struct Pass {
    token: String,
    /// How many exchanges came before it.
    generation: u64,
}

impl Pass {
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.token.is_empty()
    }
}

/// Whether a call failed because of its token alone.
pub(crate) fn is_of_token(failure: &Error) -> bool {
    matches!(
        failure.reason(),
        Reason::TokenExpired | Reason::TokenInvalid
    )
}

/// One exchange under way, which all wait for.
type Flight = Shared<BoxFuture<'static, Result<Pass, Error>>>;

/// Keeps a session's tokens for all clones of a client.
pub(crate) struct Keeper {
    session: watch::Sender<Session>,
    /// Who asks for other tokens.
    anonymous: Caller,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    generation: u64,
    /// Made once an exchange, and kept until it has succeeded, so that a lost answer is
    /// asked for again instead of being taken for a thief's.
    request_id: Option<Uuid>,
    flight: Option<Flight>,
    ended: Option<Error>,
}

impl Keeper {
    pub(crate) fn new(session: Session, anonymous: Caller) -> Arc<Self> {
        Arc::new(Self {
            session: watch::Sender::new(session),
            anonymous,
            state: Mutex::default(),
        })
    }

    pub(crate) fn session(&self) -> Session {
        self.session.borrow().clone()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<Session> {
        self.session.subscribe()
    }

    pub(crate) fn can_renew(&self) -> bool {
        !self.session.borrow().refresh_token.is_empty()
    }

    /// The token to call with, unless the session is known to have ended.
    pub(crate) fn pass(&self) -> Result<Pass, Error> {
        let state = self.state();
        match &state.ended {
            Some(error) => Err(error.clone()),
            None => Ok(self.current(&state)),
        }
    }

    /// The tokens after `stale`: those that somebody got meanwhile, or those of the one
    /// exchange, which goes on whoever stops waiting for it.
    pub(crate) async fn renewed(self: &Arc<Self>, stale: &Pass) -> Result<Pass, Error> {
        let flight = {
            let mut state = self.state();
            if let Some(error) = &state.ended {
                return Err(error.clone());
            }
            if state.generation != stale.generation {
                return Ok(self.current(&state));
            }
            match &state.flight {
                Some(flight) => flight.clone(),
                None => {
                    let request_id = *state.request_id.get_or_insert_with(Uuid::new_v4);
                    let flight = self.clone().take_off(request_id);
                    state.flight.insert(flight).clone()
                }
            }
        };
        flight.await
    }

    fn take_off(self: Arc<Self>, request_id: Uuid) -> Flight {
        let exchange = tokio::spawn(async move {
            let refresh_token = self.session().refresh_token;
            let answer = exchange(&self.anonymous, refresh_token, request_id).await;
            self.land(answer)
        });
        let landed = async {
            let broken = |_| Error::local(Code::Internal, "the exchange of tokens broke off");
            exchange.await.map_err(broken).and_then(|landed| landed)
        };
        landed.boxed().shared()
    }

    fn land(&self, answer: Result<RefreshSessionResponse, Error>) -> Result<Pass, Error> {
        let mut state = self.state();
        state.flight = None;
        let tokens = match answer {
            Ok(tokens) => tokens,
            Err(error) => {
                if has_ended(&error) {
                    state.ended = Some(error.clone());
                }
                return Err(error);
            }
        };
        state.generation += 1;
        state.request_id = None;
        let session = Session::new(tokens.access_token, tokens.refresh_token);
        self.session.send_replace(session);
        Ok(self.current(&state))
    }

    fn current(&self, state: &State) -> Pass {
        Pass {
            token: self.session.borrow().access_token.clone(),
            generation: state.generation,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

async fn exchange(
    anonymous: &Caller,
    refresh_token: String,
    request_id: Uuid,
) -> Result<RefreshSessionResponse, Error> {
    let request = RefreshSessionRequest {
        refresh_token,
        request_id: request_id.to_string(),
    };
    let send = |channel: Channel, request| async move {
        IdentityServiceClient::new(channel)
            .refresh_session(request)
            .await
    };
    anonymous
        .call(Bounds::Answer, Repeat::Harmless, request, send)
        .await
}

/// Whether no exchange of the token can succeed any more.
fn has_ended(error: &Error) -> bool {
    matches!(
        error.reason(),
        Reason::RefreshTokenReused
            | Reason::SessionRevoked
            | Reason::TokenExpired
            | Reason::TokenInvalid
            | Reason::UserStatus
    )
}
