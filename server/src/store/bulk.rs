//! Writing and naming many rows at once, in one statement on either database.
//!
//! PostgreSQL is given one array a column (`UNNEST`), so the text of a statement is the
//! same for any number of rows: it is planned once a connection. SQLite, which plans in
//! no time and has no arrays, is given lists of values.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr,
    EntityName, EntityTrait, IntoActiveModel, Iterable, ModelTrait, QueryResult,
    sea_query::{
        Alias, ArrayType, Expr, InsertStatement, IntoIden, IntoValueTuple, Query, SelectStatement,
        TableRef, Value,
    },
};

/// Bind values of one statement: what SQLite takes, which is less than the
/// 65,535 of PostgreSQL.
const BIND_VALUES_MAX: usize = 32_766;

/// The name that [`values`] goes by in a statement. Its columns are [`FIRST`],
/// [`SECOND`] and so on, on both databases.
pub const GIVEN: &str = "given";
/// The first column of [`values`].
pub const FIRST: &str = "column1";
/// The second column of [`values`].
pub const SECOND: &str = "column2";
/// The third column of [`values`].
pub const THIRD: &str = "column3";
/// The fourth column of [`values`].
pub const FOURTH: &str = "column4";
/// The fifth column of [`values`].
pub const FIFTH: &str = "column5";

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
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    insert_active_in(tx, rows.collect()).await
}

/// The same of rows in which the database fills what is not set; all set the same.
///
/// # Errors
/// If the database fails.
pub async fn insert_active_in<A: ActiveModelTrait>(
    tx: &DatabaseTransaction,
    rows: Vec<A>,
) -> Result<(), DbErr> {
    for chunk in rows.chunks(rows_of(columns::<A>().count())) {
        tx.execute(&insert(tx.get_database_backend(), chunk)?)
            .await?;
    }
    Ok(())
}

/// Inserts rows by a statement that says what becomes of those that are there already,
/// and what it returns.
///
/// # Errors
/// If the database fails.
pub async fn insert_returning_in<A: ActiveModelTrait>(
    tx: &DatabaseTransaction,
    rows: &[A],
    finish: impl Fn(&mut InsertStatement),
) -> Result<Vec<QueryResult>, DbErr> {
    let mut returned = Vec::new();
    for chunk in rows.chunks(rows_of(columns::<A>().count())) {
        let mut insert = insert(tx.get_database_backend(), chunk)?;
        finish(&mut insert);
        returned.extend(tx.query_all(&insert).await?);
    }
    Ok(returned)
}

/// Rows of values to join with, under the name [`GIVEN`].
pub fn values<T: IntoValueTuple>(
    db: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = T>,
) -> TableRef {
    let given = Alias::new(GIVEN).into_iden();
    let rows = rows.into_iter().map(IntoValueTuple::into_value_tuple);
    if db.get_database_backend() != DbBackend::Postgres {
        return TableRef::ValuesList(rows.collect(), given);
    }
    let mut columns: Vec<Vec<Value>> = Vec::new();
    for row in rows {
        for (index, value) in row.into_iter().enumerate() {
            match columns.get_mut(index) {
                Some(column) => column.push(value),
                None => columns.push(vec![value]),
            }
        }
    }
    let mut select = Query::select();
    for (index, column) in columns.into_iter().enumerate() {
        select.expr_as(unnested(column), Alias::new(format!("column{}", index + 1)));
    }
    TableRef::SubQuery(Box::new(select), given)
}

/// Whether a column has one of these values.
pub fn among<C: ColumnTrait, V: Into<Value>>(
    db: &impl ConnectionTrait,
    column: C,
    values: impl IntoIterator<Item = V>,
) -> Expr {
    let values: Vec<Value> = values.into_iter().map(Into::into).collect();
    let Some(first) = values.first() else {
        return Expr::value(false);
    };
    if db.get_database_backend() != DbBackend::Postgres {
        return column.is_in(values);
    }
    let any = format!("$1 = ANY($2::{}[])", type_of(&first.array_type()));
    let column = Expr::col(column.as_column_ref());
    Expr::cust_with_exprs(any, [column, Expr::value(array(values))])
}

fn columns<A: ActiveModelTrait>() -> impl Iterator<Item = <A::Entity as EntityTrait>::Column> {
    <A::Entity as EntityTrait>::Column::iter()
}

fn insert<A: ActiveModelTrait>(backend: DbBackend, rows: &[A]) -> Result<InsertStatement, DbErr> {
    let Some(first) = rows.first() else {
        return Err(DbErr::RecordNotInserted);
    };
    let set = columns::<A>().filter(|column| first.get(*column).into_value().is_some());
    let set: Vec<_> = set.collect();
    let mut insert = Query::insert();
    insert.into_table(A::Entity::default().table_ref());
    insert.columns(set.iter().copied());
    let value = |row: &A, column| {
        let value = row.get(column).into_value();
        value.ok_or_else(|| DbErr::AttrNotSet(format!("{column:?}")))
    };
    if backend == DbBackend::Postgres {
        let mut given = Vec::new();
        for column in &set {
            let of_rows = rows.iter().map(|row| value(row, *column));
            given.push(of_rows.collect::<Result<Vec<_>, _>>()?);
        }
        insert.select_from(unnest(given)).map_err(mismatch)?;
        return Ok(insert);
    }
    for row in rows {
        let values = set
            .iter()
            .map(|column| value(row, *column).map(Expr::value));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        insert.values(values).map_err(mismatch)?;
    }
    Ok(insert)
}

fn mismatch(error: impl ToString) -> DbErr {
    DbErr::Custom(error.to_string())
}

/// One row an element of the columns. An array of the library has no NULL, so another
/// array says where they are.
fn unnest(columns: Vec<Vec<Value>>) -> SelectStatement {
    let (mut inner, mut outer) = (Query::select(), Query::select());
    for (index, column) in columns.into_iter().enumerate() {
        let (name, absent) = (format!("value{index}"), format!("absent{index}"));
        if column.iter().all(Value::is_some) {
            outer.column(Alias::new(name.as_str()));
        } else {
            let flags = column.iter().map(|value| Value::from(!value.is_some()));
            inner.expr_as(unnested(flags.collect()), Alias::new(absent.as_str()));
            let given = format!("CASE WHEN \"{absent}\" THEN NULL ELSE \"{name}\" END");
            outer.expr(Expr::cust(given));
        }
        inner.expr_as(unnested(column), Alias::new(name));
    }
    outer.from_subquery(inner, Alias::new(GIVEN)).to_owned()
}

fn unnested(values: Vec<Value>) -> Expr {
    let kind = values.first().map_or(ArrayType::String, Value::array_type);
    let unnest = format!("UNNEST($1::{}[])", type_of(&kind));
    Expr::cust_with_values(unnest, [array(values)])
}

/// An array of values, where NULL is any value of the type.
fn array(values: Vec<Value>) -> Value {
    let kind = values.first().map_or(ArrayType::String, Value::array_type);
    let some = values.into_iter().map(|value| match value.is_some() {
        true => value,
        false => value.dummy_value(),
    });
    Value::Array(kind, Some(Box::new(some.collect())))
}

/// PostgreSQL's name of a type; of one that no table has, a name that it refuses.
fn type_of(kind: &ArrayType) -> &'static str {
    match kind {
        ArrayType::Bool => "boolean",
        ArrayType::Int => "integer",
        ArrayType::BigInt => "bigint",
        ArrayType::String => "text",
        ArrayType::Bytes => "bytea",
        ArrayType::Uuid => "uuid",
        _ => "unsupported",
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{Set, sea_query::PostgresQueryBuilder};

    use super::*;
    use crate::audit::entity::line;

    fn lines(subjects: &[Option<&str>]) -> Vec<line::ActiveModel> {
        let line = |subject: &Option<&str>| line::ActiveModel {
            at_ms: Set(1),
            action: Set("test".to_owned()),
            traceparent: Set(subject.map(str::to_owned)),
            ..Default::default()
        };
        subjects.iter().map(line).collect()
    }

    fn text(subjects: &[Option<&str>]) -> String {
        let insert = insert(DbBackend::Postgres, &lines(subjects)).unwrap();
        insert.build(PostgresQueryBuilder).0
    }

    #[test]
    fn the_text_for_postgres_does_not_depend_on_how_many_rows_there_are() {
        let one = text(&[Some("a")]);
        assert_eq!(text(&[Some("a"), Some("b"), Some("c")]), one);
        assert!(one.contains("UNNEST($1::bigint[])"), "{one}");
        assert_eq!(text(&[None]), text(&[Some("a"), None, Some("b")]));
    }

    #[test]
    fn rows_that_set_different_columns_are_refused() {
        let mut rows = lines(&[Some("a"), Some("b")]);
        rows[1].action = sea_orm::NotSet;
        for backend in [DbBackend::Postgres, DbBackend::Sqlite] {
            assert!(insert(backend, &rows).is_err());
        }
    }
}
