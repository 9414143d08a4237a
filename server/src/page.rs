//! Pages of lists: their size, and opaque tokens that name where the next one
//! begins.
//!
//! A page is found by the place of its last row, not by counting, so rows that
//! come meanwhile neither hide nor repeat others. A token belongs to the query
//! that it came from, and is refused with another.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::error::Violations;

/// The size of a page where none is asked for.
const SIZE_DEFAULT: u32 = 50;
/// The greatest size of a page.
const SIZE_MAX: u32 = 200;
/// The form of tokens; another one is refused.
const VERSION: u8 = 1;

/// What is said of a token that did not come from the query.
pub const FOREIGN_TOKEN: &str = "must be the next_page_token of the same query";

/// A page that was asked for; `P` is the place of a row in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<P> {
    /// The place of the last row of the page before; `None` begins.
    pub after: Option<P>,
    size: usize,
    query: [u8; 8],
}

#[derive(Serialize, Deserialize)]
struct Token<P> {
    version: u8,
    query: [u8; 8],
    after: P,
}

impl<P: Serialize + DeserializeOwned> Page<P> {
    /// Reads `page_size` and `page_token` of a request. `query` is what the rows
    /// are chosen by: the list's name and the parameters, as they were sent.
    pub fn parse(
        violations: &mut Violations,
        query: &[&str],
        size: u32,
        token: &str,
    ) -> Option<Self> {
        let query = fingerprint(query);
        let size = violations.take("page_size", parse_size(size));
        let after = violations.take("page_token", parse_token(query, token));
        Some(Self {
            after: after?,
            size: size?,
            query,
        })
    }

    /// How many rows to look for: one more than the page has, which shows whether
    /// there is another page.
    pub fn limit(&self) -> u64 {
        self.size as u64 + 1
    }

    /// Names the page behind a place, for a list that looked no further.
    ///
    /// # Errors
    /// If the place cannot be written.
    pub fn behind(&self, place: P) -> anyhow::Result<String> {
        write_token(self.query, place)
    }

    /// Cuts the rows that were found to the page, and names the next one; empty at
    /// the end.
    ///
    /// # Errors
    /// If a place cannot be written.
    pub fn cut<R>(&self, rows: &mut Vec<R>, place: impl Fn(&R) -> P) -> anyhow::Result<String> {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        match rows.last() {
            Some(last) if more => write_token(self.query, place(last)),
            _ => Ok(String::new()),
        }
    }
}

fn parse_size(size: u32) -> Result<usize, &'static str> {
    match size {
        0 => Ok(SIZE_DEFAULT as usize),
        1..=SIZE_MAX => Ok(size as usize),
        _ => Err("must be 0 to 200"),
    }
}

fn parse_token<P: DeserializeOwned>(
    query: [u8; 8],
    token: &str,
) -> Result<Option<P>, &'static str> {
    if token.is_empty() {
        return Ok(None);
    }
    BASE64_URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|json| serde_json::from_slice::<Token<P>>(&json).ok())
        .filter(|token| token.version == VERSION && token.query == query)
        .map(|token| Some(token.after))
        .ok_or(FOREIGN_TOKEN)
}

fn write_token<P: Serialize>(query: [u8; 8], after: P) -> anyhow::Result<String> {
    let token = Token {
        version: VERSION,
        query,
        after,
    };
    Ok(BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token)?))
}

fn fingerprint(query: &[&str]) -> [u8; 8] {
    let mut hasher = Sha256::new_with_prefix(b"gx page\0");
    for part in query {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize()[..8]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &[&str], size: u32, token: &str) -> Result<Page<u32>, String> {
        let mut violations = Violations::default();
        let page = Page::parse(&mut violations, query, size, token);
        violations.finish(page).map_err(|error| error.to_string())
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let page = page(&["numbers"], 3, &token).unwrap();
            let from = page.after.map_or(0, |last| last + 1);
            let mut rows: Vec<_> = (from..7).take(page.limit() as usize).collect();
            token = page.cut(&mut rows, |row| *row).unwrap();
            seen.push(rows);
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    }

    #[test]
    fn full_last_page_names_no_next_one() {
        let page = page(&["numbers"], 3, "").unwrap();
        assert_eq!(page.cut(&mut vec![1, 2, 3], |row| *row).unwrap(), "");
    }

    #[test]
    fn token_of_another_query_is_refused() {
        let first = page(&["entries", "A"], 1, "").unwrap();
        let token = first.cut(&mut vec![1, 2], |row| *row).unwrap();
        assert_eq!(page(&["entries", "A"], 9, &token).unwrap().after, Some(1));
        for query in [&["entries", "B"][..], &["entriesA"], &["countries", "A"]] {
            assert!(page(query, 1, &token).unwrap_err().contains("page_token"));
        }
        for forged in ["x", "e30", "*"] {
            assert!(page(&["entries", "A"], 1, forged).is_err(), "{forged}");
        }
    }

    #[test]
    fn size_has_a_default_and_a_bound() {
        assert_eq!(page(&[], 0, "").unwrap().limit(), 51);
        assert_eq!(page(&[], 200, "").unwrap().limit(), 201);
        assert!(page(&[], 201, "").unwrap_err().contains("page_size"));
    }
}
