//! Looks after all identities, one after another.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use gx_fabric::{
    ca::{Client, ClientOptions, EnrolError, Enrolment},
    msp::Certificate,
};

use super::{
    Found, Line, Outcome,
    identity::{Due, Identity},
};
use crate::{
    clock::SharedClock,
    config::{Config, Enroll},
    secrets::write_private,
    telemetry::{self, metrics::ENROLMENTS},
};

/// So long an identity rests that the authority refused: the answer will be the same,
/// and Fabric CA locks an identity after a few wrong secrets.
const REST_MS: i64 = 3_600_000;
/// Where the first enrolment keeps the root that it is told.
const LEARNT_ROOT: &str = "cacert.pem";

/// Looks after identities.
pub(super) struct Keeper {
    settings: Enroll,
    folder: PathBuf,
    identities: Vec<Identity>,
    clock: SharedClock,
    /// Refusals, with the time until which nobody is asked again.
    resting: BTreeMap<&'static str, (i64, String)>,
}

impl Keeper {
    /// Checks what can be checked without asking anybody.
    ///
    /// # Errors
    /// If the settings name no authority, no identity, or files that cannot be used.
    pub(super) fn new(config: &Config, clock: SharedClock) -> anyhow::Result<Self> {
        let (settings, folder) = (config.enroll.clone(), config.identities_dir());
        if settings.url.is_empty() {
            bail!("enroll.url is not set: there is no authority to ask");
        }
        let identities = Identity::all(&settings, &folder);
        if identities.is_empty() {
            bail!("no identity has a name (settings enroll.partner_id and the like)");
        }
        let keeper = Self {
            settings,
            folder,
            identities,
            clock,
            resting: BTreeMap::new(),
        };
        keeper.client()?;
        Ok(keeper)
    }

    /// Gets what is due for every identity, and tells.
    pub(super) async fn look(&mut self) -> Found {
        let mut lines = Vec::new();
        for index in 0..self.identities.len() {
            let done = self.look_after(index).await;
            lines.push(self.line(index, &done));
        }
        Found { identities: lines }
    }

    async fn look_after(&mut self, index: usize) -> anyhow::Result<Outcome> {
        let (now_ms, identity) = (self.clock.now_ms(), &self.identities[index]);
        let due = identity.due(now_ms, self.settings.renew_left_percent)?;
        if matches!(due, Due::Nothing) {
            return Ok(Outcome::Kept);
        }
        match self.resting.get(identity.name) {
            Some((until_ms, error)) if *until_ms > now_ms => bail!("{error}"),
            _ => {}
        }
        let name = identity.name;
        let done = self.get(identity, due).await;
        match &done {
            Err(error) if is_refusal(error) => {
                let until_ms = now_ms.saturating_add(REST_MS);
                self.resting.insert(name, (until_ms, format!("{error:#}")));
            }
            _ => {
                self.resting.remove(name);
            }
        }
        done
    }

    async fn get(&self, identity: &Identity, due: Due) -> anyhow::Result<Outcome> {
        let client = self.client()?;
        let (outcome, enrolment) = match due {
            Due::Renew(files) => identity.renew(&client, &files).await?,
            Due::Enrol | Due::Nothing => identity.enrol(&client).await?,
        };
        // Before the identity: what is trusted must never come from a later answer.
        self.learn_root(&enrolment)?;
        identity.keep(&enrolment)?;
        Ok(outcome)
    }

    fn line(&self, index: usize, done: &anyhow::Result<Outcome>) -> Line {
        let identity = &self.identities[index];
        let certificate = identity.certificate();
        let not_after_ms = certificate.as_ref().map(Certificate::not_after_ms);
        if let Some(not_after_ms) = not_after_ms {
            telemetry::tell_expiry(identity.name, not_after_ms, self.clock.now_ms());
        }
        let outcome = done.as_ref().map_or(Outcome::Failed, |outcome| *outcome);
        if outcome != Outcome::Kept {
            // One that rests is counted at each look too: it is as far from a certificate.
            metrics::counter!(ENROLMENTS, "identity" => identity.name, "outcome" => outcome.name())
                .increment(1);
        }
        Line {
            identity: identity.name,
            outcome,
            not_after_ms,
            error: done.as_ref().err().map(|error| format!("{error:#}")),
        }
    }

    /// A client as the files of the settings are now.
    fn client(&self) -> anyhow::Result<Client> {
        let settings = &self.settings;
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let clock = self.clock.clone();
        let tls_ca = Path::new(&settings.tls_ca_file);
        let options = ClientOptions {
            url: settings.url.clone(),
            server_name: some(&settings.server_name),
            tls_authorities: read(tls_ca).context("enroll.tls_ca_file")?,
            authority: some(&settings.ca_name),
            trusted: self.trusted()?,
            clock: std::sync::Arc::new(move || clock.now_ms()),
        };
        Client::new(options).context("the settings in [enroll] cannot be used")
    }

    /// Those to whom certificates must lead; none before the first enrolment.
    fn trusted(&self) -> anyhow::Result<Option<String>> {
        let given = &self.settings.ca_certificate_file;
        if !given.is_empty() {
            let trusted = read(Path::new(given)).context("enroll.ca_certificate_file")?;
            return Ok(Some(trusted));
        }
        match fs::read_to_string(self.learnt()) {
            Ok(trusted) => Ok(Some(trusted)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context(self.learnt().display().to_string()),
        }
    }

    fn learn_root(&self, enrolment: &Enrolment) -> anyhow::Result<()> {
        if self.trusted()?.is_some() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder).context("enroll.folder")?;
        write_private(&self.learnt(), enrolment.root.as_bytes())?;
        tracing::info!(file = %self.learnt().display(), "this root is trusted from now on");
        Ok(())
    }

    fn learnt(&self) -> PathBuf {
        self.folder.join(LEARNT_ROOT)
    }
}

fn is_refusal(error: &anyhow::Error) -> bool {
    let enrol = error.downcast_ref::<EnrolError>();
    matches!(enrol, Some(EnrolError::Refused { .. }))
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}
