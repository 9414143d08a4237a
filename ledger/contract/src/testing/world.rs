//! A small chain: two partner lanes, three countries, four people in the first
//! lane and two in the second.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use gx_proto::gx::contract::v1::command::Body;
use gx_proto::gx::contract::v1::command_outcome::Outcome;
use gx_proto::gx::contract::v1::{
    AccountCredits, AccountRecord, AccountStatus, AccountType, BalanceRecord, Batch,
    BatchCommitted, Command, CommandRefusal, CreditKey, LaneCursor, ParameterRecord,
};
use prost::Message;

use super::build::{LANES, MSP, account_in, bootstrap, command, create, load_countries};
use super::memory::MemoryState;
use super::replay::Replay;
use crate::account::USER_GENESIS_POOL;
use crate::batch::first_cursor;
use crate::lane::{LaneName, SYSTEM_LANE};
use crate::state::Invocation;
use crate::{Rejection, execute, keys, lane};

/// The countries and their shares; `VA` has so few slots that tests can take all.
pub(crate) const SHARES: [(&str, u32); 3] = [("DE", 600_000_000), ("FR", 399_999_990), ("VA", 10)];

/// A chain, and the read model of its events.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) state: MemoryState,
    pub(crate) replay: Replay,
    /// The next transaction's time.
    pub(crate) time_ms: i64,
    commands: u64,
}

impl World {
    /// A chain with nothing on it.
    pub(crate) fn empty() -> Self {
        Self {
            state: MemoryState::default(),
            replay: Replay::default(),
            time_ms: 1_700_000_000_000,
            commands: 0,
        }
    }

    /// A chain with its countries and nobody on it.
    pub(crate) fn without_people() -> Self {
        let mut world = Self::empty();
        let bodies = vec![bootstrap(LANES), load_countries(&SHARES)];
        world.submit(SYSTEM_LANE, bodies);
        world
    }

    /// The whole world; each person has 500 GX, the first of each lane from DE,
    /// the others from FR.
    pub(crate) fn new() -> Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(Self::with_people).clone()
    }

    fn with_people() -> Self {
        let mut world = Self::without_people();
        for (lane, places) in [(0, 0..4), (1, 0..2)] {
            for place in places {
                let country = if place == 0 { "DE" } else { "FR" };
                let account = account_in(lane, place);
                let lane = lane::of_country(country, LANES);
                world.submit(lane, vec![create(&account, country, true)]);
            }
        }
        world
    }

    /// The cursor of a lane.
    pub(crate) fn cursor(&self, lane: LaneName) -> LaneCursor {
        match self.state.committed.get(&keys::lane(MSP, lane)) {
            Some(bytes) => LaneCursor::decode(bytes.as_slice()).expect("a cursor"),
            None => first_cursor(),
        }
    }

    /// A batch that continues its lane.
    pub(crate) fn batch(&self, lane: LaneName, commands: Vec<Command>) -> Batch {
        let cursor = self.cursor(lane);
        Batch {
            lane: Some(lane.into()),
            first_sequence: cursor.number + 1,
            previous_digest: cursor.digest,
            rules_version: 1,
            commands,
            credits: Vec::new(),
        }
    }

    /// Commands with fresh ids.
    pub(crate) fn commands(&mut self, bodies: Vec<Body>) -> Vec<Command> {
        let fresh = bodies.into_iter().map(|body| {
            self.commands += 1;
            command(self.commands, Some(body))
        });
        fresh.collect()
    }

    pub(crate) fn invocation(&self, lane: LaneName) -> Invocation {
        Invocation {
            timestamp_ms: self.time_ms,
            msp_id: MSP.to_owned(),
            role: Some(lane.domain.role()),
        }
    }

    /// Runs a batch without committing it.
    pub(crate) fn simulate(&mut self, batch: &Batch) -> Result<BatchCommitted, Rejection> {
        let lane = LaneName::try_from(batch.lane.as_ref().expect("a lane")).expect("a lane");
        let invocation = self.invocation(lane);
        self.state.roll_back();
        execute(&mut self.state, &invocation, batch)
    }

    /// Runs a batch and commits it; a refused one must have written nothing.
    pub(crate) fn run(&mut self, batch: &Batch) -> Result<BatchCommitted, Rejection> {
        let result = self.simulate(batch);
        match &result {
            Ok(event) => {
                assert!(self.state.writes.is_sorted_by(|a, b| a.0 < b.0));
                assert_eq!(self.state.ranges, 0, "a command read a range");
                self.state.commit();
                self.replay.apply(event);
            }
            Err(_) => assert!(self.state.writes.is_empty()),
        }
        result
    }

    /// Runs fresh commands in a lane, with all open credits named.
    pub(crate) fn submit(&mut self, lane: LaneName, bodies: Vec<Body>) -> BatchCommitted {
        let commands = self.commands(bodies);
        let mut batch = self.batch(lane, commands);
        batch.credits = self.all_credits(&batch);
        self.run(&batch).expect("the batch runs")
    }

    /// Runs one fresh command and gives its outcome.
    pub(crate) fn outcome(&mut self, lane: LaneName, body: Body) -> Outcome {
        let event = self.submit(lane, vec![body]);
        event.outcomes[0].outcome.clone().expect("an outcome")
    }

    /// The open credits of every account that the batch debits or folds.
    pub(crate) fn all_credits(&self, batch: &Batch) -> Vec<AccountCredits> {
        let accounts: BTreeMap<&str, ()> = batch.commands.iter().filter_map(account_of).collect();
        let lists = accounts.into_keys().map(|account| AccountCredits {
            account: account.to_owned(),
            credits: self.open_credits(account),
        });
        lists.collect()
    }

    /// The names of an account's open credits.
    pub(crate) fn open_credits(&self, account: &str) -> Vec<CreditKey> {
        let (start, end) = keys::credits_range(account);
        let open = self.state.committed.range(start.clone()..end);
        let names = open.map(|(key, _)| {
            let (msp_id, rest) = key[start.len()..].split_once('/').expect("an MSP");
            let (lane, sequence) = rest.rsplit_once('/').expect("a number");
            let lane: LaneName = lane.parse().expect("a lane");
            CreditKey {
                msp_id: msp_id.to_owned(),
                lane: Some(lane.into()),
                first_sequence: sequence.parse().expect("a number"),
            }
        });
        names.collect()
    }

    /// An account's balance, credits included.
    pub(crate) fn total(&self, account: &str) -> i64 {
        let replay = Replay::of_state(&self.state);
        replay.totals.get(account).copied().unwrap_or(0)
    }

    /// An account's folded balance.
    pub(crate) fn balance(&self, account: &str) -> BalanceRecord {
        let bytes = &self.state.committed[&keys::balance(account)];
        BalanceRecord::decode(bytes.as_slice()).expect("a balance")
    }

    /// Sets what no command can yet: type, country and status of an account that
    /// may be new. A new one's coins come from the people's pool.
    pub(crate) fn set_account(
        &mut self,
        id: &str,
        kind: AccountType,
        country: &str,
        status: AccountStatus,
    ) {
        let account = AccountRecord {
            r#type: kind.into(),
            country: country.to_owned(),
            status: status.into(),
            create_time_ms: self.time_ms,
        };
        let bytes = account.encode_to_vec();
        self.state.committed.insert(keys::account(id), bytes);
        let mut balance = if self.state.committed.contains_key(&keys::balance(id)) {
            self.balance(id)
        } else {
            BalanceRecord::default()
        };
        balance.account = Some(account);
        self.set_balance(id, &balance);
    }

    /// Gives an account coins from the people's pool.
    pub(crate) fn endow(&mut self, id: &str, qirat: i64) {
        for (account, delta) in [(id, qirat), (USER_GENESIS_POOL, -qirat)] {
            let mut balance = self.balance(account);
            balance.folded_qirat += delta;
            self.set_balance(account, &balance);
        }
    }

    pub(crate) fn set_balance(&mut self, id: &str, balance: &BalanceRecord) {
        let bytes = balance.encode_to_vec();
        self.state.committed.insert(keys::balance(id), bytes);
    }

    pub(crate) fn set_parameter(&mut self, key: &str, value: u64) {
        let bytes = ParameterRecord { value: Some(value) }.encode_to_vec();
        // Fabric takes an empty value for a deletion.
        assert!(!bytes.is_empty(), "{key} is no key");
        self.state.committed.insert(keys::parameter(key), bytes);
    }
}

/// The reason of a refusal.
pub(crate) fn reason(outcome: &Outcome) -> Option<CommandRefusal> {
    match outcome {
        Outcome::Refused(refused) => Some(refused.reason()),
        _ => None,
    }
}

fn account_of(command: &Command) -> Option<(&str, ())> {
    match command.body.as_ref()? {
        Body::Transfer(transfer) => Some((&transfer.sender, ())),
        Body::Fold(fold) => Some((&fold.account, ())),
        _ => None,
    }
}
