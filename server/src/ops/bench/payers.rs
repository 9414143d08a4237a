//! People who pay each other, one by one or many at once.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};
use gx_proto::gx::{
    operation::v1::{Operation, OperationState},
    wallet::v1::{
        BatchTransferRequest, BatchedTransfer, TransferRequest, batched_transfer_result,
        wallet_service_client::WalletServiceClient,
    },
};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

use super::{
    load::{Caller, Failure},
    ways::Grpc,
};
use crate::{
    id::random_uuid,
    ops::caller::{Api, Person, Staff},
};

/// So little pays no fee, and a grant lasts for any measurement.
const AMOUNT_QIRAT: u64 = 1;

/// Accounts that are opened at once: each hashes a password, and few are hashed at once.
const AT_ONCE: usize = 32;

/// People with money.
#[derive(Debug)]
pub(super) struct Payers {
    people: Vec<Person>,
}

impl Payers {
    /// Opens so many accounts.
    pub(super) async fn open(
        api: &Api,
        staff: &Staff,
        data_dir: &Path,
        count: usize,
    ) -> anyhow::Result<Self> {
        let open = (0..count).map(|_| person(api, staff, data_dir));
        let open = stream::iter(open).buffer_unordered(AT_ONCE);
        let people: Vec<_> = open.try_collect().await?;
        let poor = people.iter().any(|one| one.grant_qirat == 0);
        ensure!(
            !poor,
            "no grant is due any more, so there is nothing to pay with"
        );
        Ok(Self { people })
    }

    /// The token of one of them.
    pub(super) fn token(&self) -> &str {
        self.people.first().map_or("", |one| &one.token)
    }

    /// So many readers of their own wallets, in turn for each person over each connection.
    pub(super) fn readers(&self, channels: &[Channel], count: usize) -> anyhow::Result<Vec<Grpc>> {
        let people = self.people.iter().cycle().zip(channels.iter().cycle());
        let reader = |(person, channel): (&Person, &Channel)| {
            Ok(Grpc {
                channel: channel.clone(),
                bearer: person.bearer()?,
                account: person.account.clone(),
            })
        };
        people.take(count).map(reader).collect()
    }

    /// So many callers, in turn for each person over each connection; everybody pays
    /// everybody, or all pay the first.
    pub(super) fn senders(
        &self,
        channels: &[Channel],
        count: usize,
        to: To,
    ) -> anyhow::Result<Vec<Sender>> {
        let accounts = self.people.iter().map(|one| one.account.clone());
        let accounts: Arc<[String]> = accounts.collect();
        let people = self.people.iter().cycle();
        // Whoever receives everything does not send to itself.
        let people = people.skip(usize::from(to == To::One));
        let people = people.filter(|one| to == To::All || one.account != accounts[0]);
        let connected = people.zip(channels.iter().cycle()).take(count);
        connected
            .map(|(person, channel)| {
                Ok(Sender {
                    client: WalletServiceClient::new(channel.clone()),
                    bearer: person.bearer()?,
                    account: person.account.clone(),
                    receivers: match to {
                        To::All => accounts.clone(),
                        To::One => Arc::from([accounts[0].clone()]),
                    },
                    next: 0,
                })
            })
            .collect()
    }
}

async fn person(api: &Api, staff: &Staff, data_dir: &Path) -> anyhow::Result<Person> {
    let mut person = Person::register(api, data_dir, "DE").await?;
    person.sign_in(api).await?;
    let upload = person.upload(api).await?;
    person.submit(api, upload).await?;
    let operation = staff.approve(api, &person).await?;
    person.open(api, staff, &operation).await?;
    Ok(person)
}

/// Whom senders pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    /// Each other.
    All,
    /// One person.
    One,
}

/// A person who sends over one connection.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    client: WalletServiceClient<Channel>,
    bearer: MetadataValue<Ascii>,
    account: String,
    receivers: Arc<[String]>,
    next: usize,
}

impl Sender {
    /// Sends one transfer; its operation.
    pub(super) async fn send(&mut self) -> Result<Operation, Failure> {
        let message = TransferRequest {
            account: self.account.clone(),
            request_id: random_uuid().to_string(),
            receiver: self.receiver(),
            amount_qirat: AMOUNT_QIRAT,
            max_fee_qirat: 0,
            reference: String::new(),
        };
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.bearer.clone());
        let answer = self.client.transfer(request).await?.into_inner();
        taken(answer.operation.unwrap_or_default())
    }

    /// Sends so many at once; how many were taken.
    async fn send_batch(&mut self, transfers: usize) -> Result<u64, Failure> {
        let one = |receiver| BatchedTransfer {
            request_id: random_uuid().to_string(),
            receiver,
            amount_qirat: AMOUNT_QIRAT,
            max_fee_qirat: 0,
            reference: String::new(),
        };
        let message = BatchTransferRequest {
            account: self.account.clone(),
            transfers: (0..transfers).map(|_| one(self.receiver())).collect(),
        };
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.bearer.clone());
        let answer = self.client.batch_transfer(request).await?.into_inner();
        let mut count = 0;
        for one in answer.results {
            match one.result {
                Some(batched_transfer_result::Result::Operation(operation)) => taken(operation)?,
                _ => return Err(Failure("not taken".to_owned())),
            };
            count += 1;
        }
        Ok(count)
    }

    fn receiver(&mut self) -> String {
        loop {
            self.next += 1;
            let receiver = &self.receivers[self.next % self.receivers.len()];
            if *receiver != self.account {
                return receiver.clone();
            }
        }
    }
}

/// An operation, unless it was refused at the door.
fn taken(operation: Operation) -> Result<Operation, Failure> {
    match operation.state() {
        OperationState::Refused => Err(Failure("refused".to_owned())),
        _ => Ok(operation),
    }
}

impl Caller for Sender {
    async fn call(&mut self) -> Result<u64, Failure> {
        self.send().await.map(|_| 1)
    }
}

/// A person who sends many at once.
#[derive(Debug)]
pub(super) struct BatchSender {
    /// Who sends.
    pub(super) sender: Sender,
    /// How many at once.
    pub(super) transfers: usize,
}

impl Caller for BatchSender {
    async fn call(&mut self) -> Result<u64, Failure> {
        self.sender.send_batch(self.transfers).await
    }
}

/// So many connections to a place.
pub(super) async fn connections(place: &str, count: usize) -> anyhow::Result<Vec<Channel>> {
    let endpoint = Endpoint::from_shared(place.to_owned())?;
    let connect = (0..count.max(1)).map(|_| endpoint.connect());
    let connected = try_join_all(connect).await;
    connected.with_context(|| format!("nothing answers at {place}"))
}
