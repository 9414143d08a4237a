//! Images of the in-memory database: to begin a seed, and to let it fall back.

use gx_server::store::Store;
use sea_orm::sqlx::sqlite::SqliteOwnedBuf;

/// The whole database as bytes.
pub(super) async fn take(store: &Store) -> Vec<u8> {
    let mut connection = store
        .read()
        .get_sqlite_connection_pool()
        .acquire()
        .await
        .unwrap();
    connection.serialize(None).await.unwrap().as_ref().to_vec()
}

/// Puts the database back to an image.
pub(super) async fn restore(store: &Store, image: &[u8]) {
    let mut connection = store
        .read()
        .get_sqlite_connection_pool()
        .acquire()
        .await
        .unwrap();
    let image = SqliteOwnedBuf::try_from(image).unwrap();
    connection.deserialize(None, image, false).await.unwrap();
}
