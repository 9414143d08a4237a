//! What blocks mean for one partition: pure, from events to rows' facts.

use anyhow::{Context, Result, anyhow};
use gx_contract::{
    account::treasury_of,
    lane::{LaneName, of_account, of_country},
};
use gx_fabric::{Block, Transaction, ValidationFlag};
use gx_proto::gx::contract::v1::{
    AccountCreated, AccountStatus, AccountType, BatchCommitted, CommandOutcome, CountriesLoaded,
    CountryState, CreditKey as WireCreditKey, Done, command_outcome, done,
};
use prost::Message;
use uuid::Uuid;

use super::{outcome, shown::Shown};
use crate::{
    app::Topology,
    checkpoint::partition_of,
    fault::{self, Fault},
    outbox::{lanes::Cursor, settle::Settled},
    tokenomics::projection::Change,
    wallet::projection::{Credit, CreditKey, Folded, OpenedAccount, Posting},
};

/// Whose facts are gathered.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) topology: Topology,
    pub(super) partition: i32,
    /// How many partitions there are.
    pub(super) partitions: i32,
    /// The MSP whose lanes are this system's.
    pub(super) msp_id: String,
}

/// A lane that moved.
#[derive(Debug, Clone)]
pub(super) struct LaneMoved {
    pub(super) lane: String,
    pub(super) from: Cursor,
    pub(super) to: Cursor,
}

/// Everything that a group of blocks means for one partition.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) lanes: Vec<LaneMoved>,
    pub(super) settled: Vec<Settled>,
    pub(super) opened: Vec<OpenedAccount>,
    pub(super) postings: Vec<Posting>,
    pub(super) folded: Vec<Folded>,
    pub(super) credits_opened: Vec<Credit>,
    pub(super) credits_folded: Vec<CreditKey>,
    pub(super) countries: Vec<CountryState>,
    pub(super) created: Vec<AccountCreated>,
    pub(super) changes: Vec<Change>,
    /// What everybody is shown of the blocks; one partition's alone.
    pub(super) shown: Shown,
}

/// A batch and where it stands.
struct Place<'a> {
    block: i64,
    transaction: &'a Transaction,
    event: &'a BatchCommitted,
    lane: String,
    time_ms: i64,
}

impl Facts {
    /// Gathers the facts of one more block.
    ///
    /// # Errors
    /// If an event cannot be read: then nothing of the block may be applied.
    pub(super) fn gather(&mut self, scope: &Scope, block: &Block) -> Result<()> {
        if scope.shows_blocks() {
            self.shown.block(block)?;
        }
        for transaction in &block.transactions {
            let event = event_of(transaction)
                .with_context(|| format!("the event of transaction {}", transaction.tx_id))?;
            if scope.shows_blocks() {
                self.shown.transaction(block, transaction, event.as_ref())?;
            }
            let Some(event) = event else { continue };
            if fault::planted(Fault::EventSkipped) && block.number % 7 == 3 {
                continue;
            }
            self.batch(scope, block, transaction, &event)
                .with_context(|| {
                    format!(
                        "transaction {} of block {}",
                        transaction.tx_id, block.number
                    )
                })?;
        }
        Ok(())
    }

    fn batch(
        &mut self,
        scope: &Scope,
        block: &Block,
        transaction: &Transaction,
        event: &BatchCommitted,
    ) -> Result<()> {
        let lane = LaneName::try_from(event.lane.as_ref().ok_or_else(|| anyhow!("no lane"))?)?;
        let cursor = event.cursor.as_ref().ok_or_else(|| anyhow!("no cursor"))?;
        let place = Place {
            block: i64::try_from(block.number)?,
            transaction,
            event,
            lane: lane.to_string(),
            time_ms: cursor.time_ms,
        };
        let ours = event.msp_id == scope.msp_id && scope.has_lane(&place.lane);
        let first = i64::try_from(event.first_sequence)?;
        if ours {
            self.lanes.push(LaneMoved {
                lane: place.lane.clone(),
                from: Cursor::new(first - 1, &event.previous_digest),
                to: Cursor::new(i64::try_from(cursor.number)?, &cursor.digest),
            });
        }
        for (index, command) in event.outcomes.iter().enumerate() {
            let number = first + i64::try_from(index)?;
            if ours {
                self.settled.push(outcome::settled(
                    command,
                    &place.lane,
                    number,
                    &transaction.tx_id,
                    place.block,
                )?);
            }
            if let Some(command_outcome::Outcome::Done(done)) = &command.outcome {
                self.done(scope, &place, command, done, i32::try_from(index)?, number)?;
            }
        }
        self.balances(scope, &place)
    }

    fn done(
        &mut self,
        scope: &Scope,
        place: &Place<'_>,
        command: &CommandOutcome,
        done: &Done,
        index: i32,
        number: i64,
    ) -> Result<()> {
        self.fact(scope, place, done, number)?;
        let operation = Uuid::from_slice(&command.id)?;
        for (posting_index, posting) in done.postings.iter().enumerate() {
            if !scope.has_account(&posting.account) {
                continue;
            }
            self.changes.push(Change::of(
                place.block,
                &posting.account,
                posting.delta_qirat,
            ));
            self.postings.push(Posting {
                account: posting.account.clone(),
                delta_qirat: posting.delta_qirat,
                kind: posting.kind(),
                counterparty: posting.counterparty.clone(),
                operation,
                lane: place.lane.clone(),
                number,
                fabric_tx_id: place.transaction.tx_id.clone(),
                block: place.block,
                transaction: i32::try_from(place.transaction.index)?,
                command: index,
                posting: i32::try_from(posting_index)?,
                time_ms: place.time_ms,
            });
        }
        Ok(())
    }

    /// What a command did beside moving coins.
    fn fact(&mut self, scope: &Scope, place: &Place<'_>, done: &Done, number: i64) -> Result<()> {
        match &done.fact {
            Some(done::Fact::Bootstrapped(fact)) => {
                let lanes = scope.topology.partner_lanes;
                if fact.partner_lanes != lanes {
                    return Err(anyhow!(
                        "the ledger has {} lanes, not {lanes}",
                        fact.partner_lanes
                    ));
                }
                for pool in &fact.system_accounts {
                    self.open(
                        scope,
                        place,
                        pool,
                        AccountType::System,
                        AccountStatus::Active,
                        "",
                    );
                }
            }
            Some(done::Fact::CountriesLoaded(fact)) => self.countries(scope, place, fact),
            Some(done::Fact::AccountCreated(fact)) => {
                self.open(
                    scope,
                    place,
                    &fact.account,
                    fact.r#type(),
                    AccountStatus::Active,
                    &fact.country,
                );
                if scope
                    .has_lane(&of_country(&fact.country, scope.topology.partner_lanes).to_string())
                {
                    self.created.push(fact.clone());
                }
            }
            Some(done::Fact::Transferred(_) | done::Fact::AccountFolded(_)) => {}
            None => {
                return Err(anyhow!(
                    "command {number} has no fact that this version knows"
                ));
            }
        }
        Ok(())
    }

    fn countries(&mut self, scope: &Scope, place: &Place<'_>, fact: &CountriesLoaded) {
        for country in &fact.countries {
            let treasury = treasury_of(&country.country);
            self.open(
                scope,
                place,
                &treasury,
                AccountType::Treasury,
                AccountStatus::Locked,
                &country.country,
            );
            if scope
                .has_lane(&of_country(&country.country, scope.topology.partner_lanes).to_string())
            {
                self.countries.push(country.clone());
            }
        }
    }

    fn open(
        &mut self,
        scope: &Scope,
        place: &Place<'_>,
        account: &str,
        account_type: AccountType,
        status: AccountStatus,
        country: &str,
    ) {
        let lane = of_account(account, scope.topology.partner_lanes).to_string();
        if scope.has_lane(&lane) {
            self.opened.push(OpenedAccount {
                account: account.to_owned(),
                account_type,
                status,
                country: country.to_owned(),
                lane,
                time_ms: place.time_ms,
            });
        }
    }

    /// What became of folded balances and credits.
    fn balances(&mut self, scope: &Scope, place: &Place<'_>) -> Result<()> {
        let event = place.event;
        for folded in event
            .folded
            .iter()
            .filter(|folded| scope.has_account(&folded.account))
        {
            self.folded.push(Folded {
                account: folded.account.clone(),
                folded_qirat: folded.balance_qirat,
                tax_timer_start_ms: folded.tax_timer_start_ms,
            });
        }
        let own = WireCreditKey {
            msp_id: event.msp_id.clone(),
            lane: event.lane,
            first_sequence: event.first_sequence,
        };
        for opened in event
            .credits_opened
            .iter()
            .filter(|opened| scope.has_account(&opened.account))
        {
            let key = credit_key(&opened.account, &own)?;
            self.credits_opened.push(Credit {
                key,
                delta_qirat: opened.delta_qirat,
            });
        }
        for folded in event
            .credits_folded
            .iter()
            .filter(|folded| scope.has_account(&folded.account))
        {
            let key = folded
                .key
                .as_ref()
                .ok_or_else(|| anyhow!("a folded credit without key"))?;
            self.credits_folded.push(credit_key(&folded.account, key)?);
        }
        Ok(())
    }
}

/// What a transaction did; nothing if it is not valid or not the contract's.
fn event_of(transaction: &Transaction) -> Result<Option<BatchCommitted>> {
    let bytes = transaction.event.as_ref();
    let bytes = bytes.filter(|_| transaction.flag == ValidationFlag::VALID);
    Ok(bytes
        .map(|bytes| BatchCommitted::decode(bytes.clone()))
        .transpose()?)
}

impl Scope {
    /// Every partition reads all blocks; one of them writes what is shown of them.
    fn shows_blocks(&self) -> bool {
        self.partition == 0
    }

    fn has_lane(&self, lane: &str) -> bool {
        partition_of(lane, self.partitions) == self.partition
    }

    fn has_account(&self, account: &str) -> bool {
        self.has_lane(&of_account(account, self.topology.partner_lanes).to_string())
    }
}

fn credit_key(account: &str, key: &WireCreditKey) -> Result<CreditKey> {
    let lane = LaneName::try_from(
        key.lane
            .as_ref()
            .ok_or_else(|| anyhow!("a credit without lane"))?,
    )?;
    Ok(CreditKey {
        account: account.to_owned(),
        msp_id: key.msp_id.clone(),
        lane: lane.to_string(),
        first_sequence: i64::try_from(key.first_sequence)?,
    })
}
