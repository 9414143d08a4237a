//! The facts of blocks that wallets are made of.

use gx_proto::gx::contract::v1::{AccountStatus, AccountType, PostingKind};
use uuid::Uuid;

use crate::wallet::entity::{credit, entry, wallet};

/// An account that the chain has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedAccount {
    /// The account.
    pub account: String,
    /// What it is.
    pub account_type: AccountType,
    /// Whether it may move coins.
    pub status: AccountStatus,
    /// ISO 3166-1 alpha-2; empty for pools.
    pub country: String,
    /// The lane of its debits.
    pub lane: String,
    /// The ledger's time of its making.
    pub time_ms: i64,
}

/// A change of one balance, and where it stands on the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The account.
    pub account: String,
    /// The change; negative is a debit.
    pub delta_qirat: i64,
    /// Why it changes.
    pub kind: PostingKind,
    /// The other side; empty where there is none.
    pub counterparty: String,
    /// The command's id.
    pub operation: Uuid,
    /// The lane that ordered the command.
    pub lane: String,
    /// The command's number in the lane.
    pub number: i64,
    /// The Fabric transaction.
    pub fabric_tx_id: String,
    /// The block.
    pub block: i64,
    /// The Fabric transaction's place in the block.
    pub transaction: i32,
    /// The command's place in the batch.
    pub command: i32,
    /// The posting's place among the command's.
    pub posting: i32,
    /// The ledger's time of the command.
    pub time_ms: i64,
}

/// An account's folded balance after a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// The account.
    pub account: String,
    /// The folded balance.
    pub folded_qirat: i64,
    /// Start of the running tax timer; 0 if it is not running.
    pub tax_timer_start_ms: i64,
}

/// Names the credit that one batch left for one account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CreditKey {
    /// The account.
    pub account: String,
    /// The MSP whose lane wrote it.
    pub msp_id: String,
    /// The lane whose batch wrote it.
    pub lane: String,
    /// The number of that batch's first command.
    pub first_sequence: i64,
}

/// A credit that a batch left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Its name.
    pub key: CreditKey,
    /// Its sum; negative on pools that pay by deltas.
    pub delta_qirat: i64,
}

impl OpenedAccount {
    /// The wallet, still empty.
    pub(super) fn row(&self, owner: Option<Uuid>) -> wallet::Model {
        wallet::Model {
            account: self.account.clone(),
            user_id: owner,
            lane: self.lane.clone(),
            account_type: self.account_type.into(),
            status: self.status.into(),
            country: self.country.clone(),
            balance_qirat: 0,
            folded_qirat: 0,
            reserved_qirat: 0,
            tax_timer_start_ms: 0,
            created_ms: self.time_ms,
        }
    }
}

impl Posting {
    pub(super) fn row(&self) -> entry::Model {
        entry::Model {
            account: self.account.clone(),
            block: self.block,
            transaction: self.transaction,
            command: self.command,
            posting: self.posting,
            kind: self.kind.into(),
            delta_qirat: self.delta_qirat,
            counterparty: self.counterparty.clone(),
            operation: self.operation,
            lane: self.lane.clone(),
            number: self.number,
            fabric_tx_id: self.fabric_tx_id.clone(),
            time_ms: self.time_ms,
        }
    }
}

impl Credit {
    pub(super) fn row(&self) -> credit::Model {
        let CreditKey {
            account,
            msp_id,
            lane,
            first_sequence,
        } = self.key.clone();
        credit::Model {
            account,
            msp_id,
            lane,
            first_sequence,
            delta_qirat: self.delta_qirat,
        }
    }
}
