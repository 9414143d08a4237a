//! How much each of many may have at once. Memory holds only those who have
//! something.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// So many at once for each key.
#[derive(Debug)]
pub struct Shares<K> {
    of_one: usize,
    taken: Arc<Taken<K>>,
}

#[derive(Debug)]
struct Taken<K>(Mutex<HashMap<K, usize>>);

/// One of what a key may have, given back when it is dropped.
#[derive(Debug)]
pub struct Share<K: Hash + Eq> {
    taken: Arc<Taken<K>>,
    key: K,
}

impl<K: Hash + Eq + Copy> Shares<K> {
    /// Shares of so many each.
    pub fn new(of_one: usize) -> Self {
        Self {
            of_one,
            taken: Arc::new(Taken(Mutex::default())),
        }
    }

    /// Takes one, unless the key has all of its share.
    pub fn take(&self, key: K) -> Option<Share<K>> {
        let mut taken = self.taken.lock();
        let own = taken.entry(key).or_default();
        if *own >= self.of_one {
            return None;
        }
        *own += 1;
        drop(taken);
        Some(Share {
            taken: self.taken.clone(),
            key,
        })
    }

    /// How many keys have something.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> usize {
        self.taken.lock().len()
    }
}

impl<K> Taken<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Drop for Share<K> {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(own) = taken.get_mut(&self.key) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_share_and_nobody_is_remembered() {
        let shares = Shares::new(2);
        let ann = [shares.take("ann"), shares.take("ann")];
        assert!(ann.iter().all(Option::is_some));
        assert!(shares.take("ann").is_none(), "its share is taken");
        let bee = shares.take("bee").unwrap();
        assert_eq!(shares.keys(), 2);
        drop(ann);
        assert!(shares.take("ann").is_some());
        drop(bee);
        assert_eq!(shares.keys(), 0);
    }
}
