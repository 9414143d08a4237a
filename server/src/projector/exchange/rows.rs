//! The tables that are exchanged, and the statements that do it, which both databases
//! take as they are.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use crate::store::BESIDE;

/// A table that the chain determines altogether.
pub(super) struct Table {
    pub(super) name: &'static str,
    key: &'static [&'static str],
    /// The other columns.
    rest: &'static [&'static str],
    /// The column of the block at which a row was written for good, if rows never change.
    block: Option<&'static str>,
}

/// Statements that exchange some columns of a table.
type Statements = &'static [fn() -> String];

/// Tables whose rows change.
pub(super) const WHOLE: [Table; 2] = [
    Table {
        name: "credits",
        key: &["account", "msp_id", "lane", "first_sequence"],
        rest: &["delta_qirat"],
        block: None,
    },
    Table {
        name: "countries",
        key: &["code"],
        rest: &["share_ppb", "slots_left", "people", "granted_qirat"],
        block: None,
    },
];

/// Tables that grow with the blocks, and whose rows never change.
pub(super) const GROWING: [Table; 4] = [
    Table {
        name: "entries",
        key: &["account", "block", "transaction", "command", "posting"],
        rest: &[
            "kind",
            "delta_qirat",
            "counterparty",
            "operation",
            "lane",
            "number",
            "fabric_tx_id",
            "time_ms",
        ],
        block: Some("block"),
    },
    Table {
        name: "supply",
        key: &["partition", "bucket", "block"],
        rest: &["total_qirat"],
        block: Some("block"),
    },
    Table {
        name: "blocks",
        key: &["number"],
        rest: &[
            "hash",
            "previous_hash",
            "data_hash",
            "time_ms",
            "transactions",
            "valid",
            "commands",
        ],
        block: Some("number"),
    },
    Table {
        name: "transactions",
        key: &["block", "position"],
        rest: &[
            "fabric_tx_id",
            "flag",
            "lane",
            "first_number",
            "commands",
            "event",
        ],
        block: Some("block"),
    },
];

/// Tables of which the chain determines some columns. Owners and names stay; what is held
/// is summed from the commands that are not settled.
pub(super) const CHAIN_COLUMNS: [(&str, Statements); 2] = [
    ("directory", &[unlisted, unopened, listed, listed_anew]),
    (
        "wallets",
        &[no_wallet, wallet_changed, wallet_opened, wallet_held],
    ),
];

/// What the chain determines of a wallet beside its account.
const WALLET: [&str; 8] = [
    "lane",
    "type",
    "status",
    "country",
    "balance_qirat",
    "folded_qirat",
    "tax_timer_start_ms",
    "created_ms",
];

/// What the chain determines of a listing beside its account.
const LISTING: [&str; 3] = ["type", "country", "opened"];

/// Where it is noted which blocks differ.
const NOTES: &str = "differing";

/// Makes the table of notes.
pub(super) fn notes() -> String {
    format!("create table {BESIDE}.{NOTES} (name varchar not null, block bigint not null)")
}

impl Table {
    /// Notes the blocks up to one at which rows differ.
    pub(super) async fn note_in(&self, tx: &DatabaseTransaction, block: i64) -> Result<(), DbErr> {
        let Some(column) = self.block else {
            return Ok(());
        };
        let (name, made, same) = (self.name, self.made(), self.same());
        let text = format!(
            "insert into {BESIDE}.{NOTES} \
             select '{name}', live.\"{column}\" from \"{name}\" as live \
             where live.\"{column}\" <= {block} and not exists \
             (select 1 from {made} where {same}) \
             union select '{name}', made.\"{column}\" from {made} \
             where made.\"{column}\" <= {block} and not exists \
             (select 1 from \"{name}\" as live where {same})"
        );
        tx.execute_unprepared(&text).await?;
        Ok(())
    }

    /// Removes live rows that were not made, and inserts made ones that are not there; how
    /// many. Of a table that grows it looks at blocks above one and at those noted.
    pub(super) async fn exchange_in(
        &self,
        tx: &DatabaseTransaction,
        compared: i64,
    ) -> Result<u64, DbErr> {
        let looked_at = |alias: &str| match self.block {
            Some(column) => format!(
                "({alias}.\"{column}\" > {compared} or {alias}.\"{column}\" in \
                 (select block from {BESIDE}.{NOTES} where name = '{}'))",
                self.name
            ),
            None => "true".to_owned(),
        };
        let (name, made, same) = (self.name, self.made(), self.same());
        let removed = format!(
            "delete from \"{name}\" as live where {} and not exists \
             (select 1 from {made} where {same})",
            looked_at("live")
        );
        let columns: Vec<_> = self.key.iter().chain(self.rest).copied().collect();
        let inserted = format!(
            "insert into \"{name}\" ({}) select {} from {made} where {} and not exists \
             (select 1 from \"{name}\" as live where {})",
            listed_of("", &columns),
            listed_of("made.", &columns),
            looked_at("made"),
            equal(self.key)
        );
        let removed = tx.execute_unprepared(&removed).await?.rows_affected();
        Ok(removed + tx.execute_unprepared(&inserted).await?.rows_affected())
    }

    fn made(&self) -> String {
        format!("{BESIDE}.\"{}\" as made", self.name)
    }

    /// A live row is a made one.
    fn same(&self) -> String {
        let rest = self.rest.iter();
        let rest = rest.map(|c| format!(" and made.\"{c}\" is not distinct from live.\"{c}\""));
        equal(self.key) + &rest.collect::<String>()
    }
}

/// Accounts of nobody that the chain does not have.
fn unlisted() -> String {
    format!(
        "delete from directory as live where user_id is null and not exists \
         (select 1 from {BESIDE}.directory as made where made.account = live.account)"
    )
}

/// Accounts that were claimed, and that the chain does not have.
fn unopened() -> String {
    format!(
        "update directory as live set opened = false where opened and not exists \
         (select 1 from {BESIDE}.directory as made where made.account = live.account)"
    )
}

fn listed() -> String {
    changed("directory", &LISTING)
}

fn listed_anew() -> String {
    let columns = ["account", "masked_name", "type", "country", "opened"];
    let (into, from) = (listed_of("", &columns), listed_of("made.", &columns));
    format!(
        "insert into directory ({into}) select {from} from {BESIDE}.directory as made \
         where not exists (select 1 from directory as live where live.account = made.account)"
    )
}

fn no_wallet() -> String {
    format!(
        "delete from wallets as live where not exists \
         (select 1 from {BESIDE}.wallets as made where made.account = live.account)"
    )
}

fn wallet_changed() -> String {
    changed("wallets", &WALLET)
}

fn wallet_opened() -> String {
    let (into, from) = (listed_of("", &WALLET), listed_of("made.", &WALLET));
    format!(
        "insert into wallets (account, user_id, reserved_qirat, {into}) \
         select made.account, owned.user_id, 0, {from} from {BESIDE}.wallets as made \
         left join directory as owned on owned.account = made.account \
         where not exists (select 1 from wallets as live where live.account = made.account)"
    )
}

fn wallet_held() -> String {
    "update wallets as live set reserved_qirat = coalesce(held.qirat, 0) \
     from wallets as own left join (select held_account, cast(sum(held_qirat) as bigint) as qirat \
     from outbox where not voided and held_account is not null group by held_account) as held \
     on held.held_account = own.account \
     where own.account = live.account and live.reserved_qirat <> coalesce(held.qirat, 0)"
        .to_owned()
}

/// Sets columns of the rows that both have and that differ.
fn changed(table: &str, columns: &[&str]) -> String {
    let set = columns.iter().map(|c| format!("\"{c}\" = made.\"{c}\""));
    let differ = columns.iter();
    let differ = differ.map(|c| format!("live.\"{c}\" is distinct from made.\"{c}\""));
    format!(
        "update {table} as live set {} from {BESIDE}.{table} as made \
         where made.account = live.account and ({})",
        set.collect::<Vec<_>>().join(", "),
        differ.collect::<Vec<_>>().join(" or ")
    )
}

fn equal(key: &[&str]) -> String {
    let key = key.iter().map(|c| format!("made.\"{c}\" = live.\"{c}\""));
    key.collect::<Vec<_>>().join(" and ")
}

fn listed_of(alias: &str, columns: &[&str]) -> String {
    let columns = columns.iter().map(|column| format!("{alias}\"{column}\""));
    columns.collect::<Vec<_>>().join(", ")
}
