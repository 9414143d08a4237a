//! Passwords: Argon2id on a bounded pool of its own, so that a flood of logins
//! takes neither the memory nor the threads of everything else.

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use gx_proto::gx::common::v1::Reason;
use metrics::counter;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization;

use crate::{
    config,
    error::{Error, Result},
    id::random_bytes,
    telemetry::metrics::PASSWORD_VERIFICATIONS,
};

/// Memory of one verification in KiB, passes and lanes.
const COST: (u32, u32, u32) = (19 * 1_024, 2, 1);
/// A hash of nothing at the same cost, for contacts that nobody has.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$\
    AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// When another try may help after OVERLOADED.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A password as somebody typed it; the same on every keyboard (NFC), never shown.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

impl Password {
    /// Takes any text; what a new one must be is decided where it is set.
    pub fn new(text: &str) -> Self {
        Self(text.nfc().collect::<String>().into())
    }

    /// The text, to look at its bounds.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Hashes and verifies passwords; cheap to clone.
#[derive(Debug, Clone)]
pub struct Passwords {
    line: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Passwords {
    /// A pool with the given bounds.
    pub fn new(login: &config::Login) -> Self {
        let running = login.concurrency.max(1);
        Self {
            line: Arc::new(Semaphore::new(running + login.waiting)),
            running: Arc::new(Semaphore::new(running)),
        }
    }

    /// The hash of a new password, with a salt of its own.
    ///
    /// # Errors
    /// `OVERLOADED` if too many wait.
    pub async fn hash(&self, password: &Password) -> Result<String> {
        let (place, password) = (self.place().await?, password.clone());
        run(place, move || {
            let hash = argon2()?
                .hash_password_with_salt(password.expose().as_bytes(), &random_bytes::<16>())
                .map_err(|error| anyhow!("password hash: {error}"))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password is the one of `hash`. Takes one verification, also
    /// against no hash, when the answer is no.
    ///
    /// # Errors
    /// `OVERLOADED` if too many wait; or if the hash cannot be read.
    pub async fn verify(&self, password: &Password, hash: Option<&str>) -> Result<bool> {
        let (place, password) = (self.place().await?, password.clone());
        let exists = hash.is_some();
        let hash = hash.unwrap_or(NOBODY).to_owned();
        counter!(PASSWORD_VERIFICATIONS).increment(1);
        run(place, move || {
            use argon2::password_hash::Error::PasswordInvalid;
            match argon2()?.verify_password(password.expose().as_bytes(), hash.as_str()) {
                Ok(()) => Ok(exists),
                Err(PasswordInvalid) => Ok(false),
                Err(error) => Err(anyhow!("password hash: {error}")),
            }
        })
        .await
    }

    async fn place(&self) -> Result<[OwnedSemaphorePermit; 2]> {
        let line = self.line.clone().try_acquire_owned().map_err(|_| {
            Error::rejected(Reason::Overloaded, "too many passwords wait to be checked")
                .retry_after(RETRY_AFTER)
        })?;
        let running = self.running.clone().acquire_owned().await;
        Ok([line, running.map_err(anyhow::Error::from)?])
    }
}

/// Runs on a blocking thread, which keeps the place even if the caller has gone.
async fn run<T: Send + 'static>(
    place: [OwnedSemaphorePermit; 2],
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    Ok(done.await.map_err(anyhow::Error::from)??)
}

fn argon2() -> anyhow::Result<Argon2<'static>> {
    let (memory_kib, passes, lanes) = COST;
    let params = Params::new(memory_kib, passes, lanes, None)
        .map_err(|error| anyhow!("argon2 parameters: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn pool(concurrency: usize, waiting: usize) -> Passwords {
        Passwords::new(&config::Login {
            concurrency,
            waiting,
            ..config::Config::default().login
        })
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let passwords = pool(1, 8);
        let password = Password::new("grüne Wiese");
        let hash = passwords.hash(&password).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_ne!(hash, passwords.hash(&password).await.unwrap());

        let decomposed = Password::new("gru\u{308}ne Wiese");
        assert!(passwords.verify(&decomposed, Some(&hash)).await.unwrap());
        let wrong = Password::new("grüne Wiesn");
        assert!(!passwords.verify(&wrong, Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&password, None).await.unwrap());
        assert!(passwords.verify(&password, Some("no hash")).await.is_err());
    }

    #[tokio::test]
    async fn who_finds_the_line_full_is_sent_away() {
        let passwords = pool(1, 1);
        let first = passwords.place().await.unwrap();
        let waiting = tokio::spawn({
            let passwords = passwords.clone();
            async move { passwords.place().await.map(drop) }
        });
        tokio::task::yield_now().await;
        let error = passwords.place().await.unwrap_err();
        assert_eq!(error.reason(), Reason::Overloaded);
        drop(first);
        waiting.await.unwrap().unwrap();
        assert!(passwords.place().await.is_ok());
    }

    /// Also where callers have gone whose verification is under way.
    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_run_at_once_than_the_pool_has_places() {
        let passwords = pool(2, 30);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let callers = (0..32).map(|caller| {
            let (passwords, now, most) = (passwords.clone(), now.clone(), most.clone());
            let called = tokio::spawn(async move {
                let place = passwords.place().await.unwrap();
                let work = move || {
                    let running = now.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(running, Ordering::SeqCst);
                    let hash = argon2()?.hash_password_with_salt(b"a password", &[7; 16]);
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(hash.is_ok())
                };
                assert!(run(place, work).await.unwrap());
            });
            (caller, called)
        });
        for (caller, called) in callers.collect::<Vec<_>>() {
            if caller % 4 == 0 {
                called.abort();
            }
            let _ = called.await;
        }
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    }

    #[test]
    fn a_password_is_never_shown() {
        assert!(!format!("{:?}", Password::new("a secret")).contains("secret"));
    }
}
