//! Looks that many callers take for one row each, as few statements: those that come
//! while a statement is under way are asked together in the next. There is no timer, so a
//! caller alone waits for nobody, and no answer is older than its question.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use tokio::sync::{Semaphore, oneshot};

use crate::error::{Error, Result};

/// Statements of one kind that may be under way at once, so that one which hangs does not
/// hold up those who come after it.
const UNDER_WAY: usize = 2;

/// A caller that waits for the row of a key.
type Asking<K, V> = (K, oneshot::Sender<Option<V>>);

/// Gathers the looks for rows of one kind.
#[derive(Debug)]
pub struct Gather<K, V> {
    asking: Mutex<Vec<Asking<K, V>>>,
    turns: Semaphore,
}

impl<K, V> Default for Gather<K, V> {
    fn default() -> Self {
        Self {
            asking: Mutex::default(),
            turns: Semaphore::new(UNDER_WAY),
        }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Gather<K, V> {
    /// The row of a key; `None` if there is none. `ask` finds the rows of keys in one
    /// statement; of several callers it is one's.
    ///
    /// # Errors
    /// Those of `ask`; others' keys then are asked for alone.
    pub async fn one<F>(&self, key: K, ask: impl Fn(Vec<K>) -> F) -> Result<Option<V>>
    where
        F: Future<Output = Result<HashMap<K, V>>>,
    {
        let (sender, mut answer) = oneshot::channel();
        self.lock().push((key.clone(), sender));
        let answered = tokio::select! {
            biased;
            answered = &mut answer => answered,
            turn = self.turns.acquire() => {
                let turn = turn.map_err(|closed| Error::from(anyhow::Error::from(closed)))?;
                self.ask_all(&ask).await?;
                // Another may have asked for it already; whoever comes now need not wait.
                drop(turn);
                answer.await
            }
        };
        match answered {
            Ok(row) => Ok(row),
            // Whoever asked for it failed, or has gone.
            Err(_) => Ok(ask(vec![key.clone()]).await?.remove(&key)),
        }
    }

    /// Asks for everybody who waits, and answers them.
    async fn ask_all<F>(&self, ask: &impl Fn(Vec<K>) -> F) -> Result<()>
    where
        F: Future<Output = Result<HashMap<K, V>>>,
    {
        let asking = std::mem::take(&mut *self.lock());
        if asking.is_empty() {
            return Ok(());
        }
        let keys: HashSet<K> = asking.iter().map(|(key, _)| key.clone()).collect();
        let found = ask(keys.into_iter().collect()).await?;
        for (key, sender) in asking {
            // Who has gone needs no answer.
            let _ = sender.send(found.get(&key).cloned());
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Asking<K, V>>> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A table of squares that answers when it is told to, and notes what it was asked.
    #[derive(Clone)]
    struct Table {
        open: Arc<Semaphore>,
        asked: Arc<Mutex<Vec<Vec<u32>>>>,
        fails_first: bool,
    }

    impl Table {
        fn new(fails_first: bool) -> Self {
            Self {
                open: Arc::new(Semaphore::new(0)),
                asked: Arc::default(),
                fails_first,
            }
        }

        async fn ask(self, mut keys: Vec<u32>) -> Result<HashMap<u32, u32>> {
            keys.sort_unstable();
            let first = {
                let mut asked = self.asked.lock().unwrap();
                asked.push(keys.clone());
                asked.len() == 1
            };
            self.open.acquire().await.unwrap().forget();
            if first && self.fails_first {
                return Err(anyhow::anyhow!("away").into());
            }
            let found = keys.into_iter().filter(|key| key % 2 == 0);
            Ok(found.map(|key| (key, key * key)).collect())
        }

        fn asked(&self) -> Vec<Vec<u32>> {
            self.asked.lock().unwrap().clone()
        }
    }

    /// Lets `keys` be asked for one after the other, each having come to its wait.
    async fn asked(
        table: &Table,
        keys: &[u32],
    ) -> Vec<tokio::task::JoinHandle<Result<Option<u32>>>> {
        let gather: Arc<Gather<u32, u32>> = Arc::default();
        let mut tasks = Vec::new();
        for key in keys.iter().copied() {
            let (gather, table) = (gather.clone(), table.clone());
            tasks.push(tokio::spawn(async move {
                gather.one(key, |keys| table.clone().ask(keys)).await
            }));
            tokio::task::yield_now().await;
        }
        tasks
    }

    #[tokio::test]
    async fn those_who_come_while_statements_are_under_way_share_the_next() {
        let table = Table::new(false);
        let tasks = asked(&table, &[1, 2, 3, 4, 4, 5, 6]).await;
        assert_eq!(table.asked(), [[1], [2]], "a caller alone waits for nobody");
        table.open.add_permits(10);
        let mut rows = Vec::new();
        for task in tasks {
            rows.push(task.await.unwrap().unwrap());
        }
        let found = [None, Some(4), None, Some(16), Some(16), None, Some(36)];
        assert_eq!(rows, found);
        assert_eq!(table.asked()[2..], [[3, 4, 5, 6]]);
    }

    #[tokio::test]
    async fn one_who_fails_fails_nobody_else() {
        let table = Table::new(true);
        let mut tasks = asked(&table, &[1, 3, 4, 6]).await;
        // The second is under way for good; those who wait are the third and fourth.
        table.open.add_permits(1);
        assert!(tasks.remove(0).await.unwrap().is_err());
        table.open.add_permits(10);
        for (task, row) in tasks.into_iter().zip([None, Some(16), Some(36)]) {
            assert_eq!(task.await.unwrap().unwrap(), row);
        }
    }

    #[tokio::test]
    async fn one_whose_row_is_asked_for_already_holds_up_nobody() {
        let table = Table::new(false);
        let gather: Arc<Gather<u32, u32>> = Arc::default();
        let turns = gather.turns.acquire_many(2).await.unwrap();
        let ask = |key| {
            let (gather, table) = (gather.clone(), table.clone());
            tokio::spawn(async move { gather.one(key, |keys| table.clone().ask(keys)).await })
        };
        let both = [ask(2), ask(4)];
        tokio::task::yield_now().await;
        // One gets a turn and asks for both; the other gets the second turn for nothing.
        drop(turns);
        while table.asked().is_empty() {
            tokio::task::yield_now().await;
        }
        let late = ask(6);
        while table.asked().len() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(table.asked()[..], [vec![2, 4], vec![6]]);
        table.open.add_permits(10);
        for (task, row) in both.into_iter().chain([late]).zip([4, 16, 36]) {
            assert_eq!(task.await.unwrap().unwrap(), Some(row));
        }
    }

    #[tokio::test]
    async fn one_who_goes_while_asking_for_all_leaves_nobody_behind() {
        let table = Table::new(false);
        let gather: Arc<Gather<u32, u32>> = Arc::default();
        // Both turns are taken, so that the next asks for both who wait.
        let turns = gather.turns.acquire_many(2).await.unwrap();
        let ask = |key| {
            let (gather, table) = (gather.clone(), table.clone());
            tokio::spawn(async move { gather.one(key, |keys| table.clone().ask(keys)).await })
        };
        let (leader, follower) = (ask(2), ask(4));
        tokio::task::yield_now().await;
        drop(turns);
        while table.asked().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(table.asked(), [[2, 4]]);
        leader.abort();
        assert!(leader.await.unwrap_err().is_cancelled());
        table.open.add_permits(10);
        assert_eq!(follower.await.unwrap().unwrap(), Some(16));
    }
}
