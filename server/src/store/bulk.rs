//! Writing many rows at once, in statements that both databases take.

use sea_orm::{
    DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, Iterable, ModelTrait,
    sea_query::{Alias, IntoIden, IntoValueTuple, TableRef},
};

/// Bind values of one statement: what SQLite takes, which is less than the
/// 65,535 of PostgreSQL.
const BIND_VALUES_MAX: usize = 32_766;

/// The name that [`values`] goes by in a statement. Its columns are [`FIRST`],
/// [`SECOND`] and [`THIRD`] on both databases.
pub const GIVEN: &str = "given";
/// The first column of [`values`].
pub const FIRST: &str = "column1";
/// The second column of [`values`].
pub const SECOND: &str = "column2";
/// The third column of [`values`].
pub const THIRD: &str = "column3";

/// How many rows of so many values go into one statement.
pub const fn rows_of(columns: usize) -> usize {
    BIND_VALUES_MAX / columns
}

/// Inserts rows; one that exists fails the transaction.
///
/// # Errors
/// If the database fails.
pub async fn insert_in<M>(tx: &DatabaseTransaction, rows: Vec<M>) -> Result<(), DbErr>
where
    M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
{
    let columns = <M::Entity as EntityTrait>::Column::iter().count();
    let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    loop {
        let chunk: Vec<_> = rows.by_ref().take(rows_of(columns)).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        M::Entity::insert_many(chunk)
            .exec_without_returning(tx)
            .await?;
    }
}

/// Rows of values to join with, under the name [`GIVEN`].
pub fn values<T: IntoValueTuple>(rows: impl IntoIterator<Item = T>) -> TableRef {
    let rows = rows.into_iter().map(IntoValueTuple::into_value_tuple);
    TableRef::ValuesList(rows.collect(), Alias::new(GIVEN).into_iden())
}
