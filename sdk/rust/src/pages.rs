//! Lists as streams: pages are asked for when their first item is wanted.

use std::{collections::VecDeque, future::Future};

use futures::{StreamExt, stream::BoxStream, stream::try_unfold};

use crate::Error;

/// What comes one after the other, until it ends or fails.
pub type Results<T> = BoxStream<'static, Result<T, Error>>;

/// A request for a page.
pub(crate) trait PageRequest: Clone + Send + 'static {
    /// Asks for the page of this token instead.
    fn turn_to(&mut self, page_token: String);
}

/// A page.
pub(crate) trait Page {
    type Item: Send + 'static;

    /// Its items, and the token of the next one; empty at the end.
    fn open(self) -> (Vec<Self::Item>, String);
}

/// All items of a list that a service has.
pub(crate) fn items<S, Q, P, F>(
    service: &S,
    request: Q,
    fetch: impl Fn(S, Q) -> F + Send + Clone + 'static,
) -> Results<P::Item>
where
    S: Clone + Send + 'static,
    Q: PageRequest,
    P: Page,
    F: Future<Output = Result<P, Error>> + Send + 'static,
{
    let service = service.clone();
    let start = (VecDeque::new(), Some(request));
    try_unfold(start, move |(mut items, mut next)| {
        let (service, fetch) = (service.clone(), fetch.clone());
        async move {
            loop {
                if let Some(item) = items.pop_front() {
                    return Ok(Some((item, (items, next))));
                }
                let Some(mut request) = next.take() else {
                    return Ok(None);
                };
                let (page, token) = fetch(service.clone(), request.clone()).await?.open();
                items = page.into();
                if !token.is_empty() {
                    request.turn_to(token);
                    next = Some(request);
                }
            }
        }
    })
    .boxed()
}

/// Says which field of an answer holds its items.
macro_rules! paged {
    ($($request:ident => $answer:ident . $field:ident: $item:ident;)*) => { $(
        impl $crate::pages::PageRequest for $request {
            fn turn_to(&mut self, page_token: String) {
                self.page_token = page_token;
            }
        }
        impl $crate::pages::Page for $answer {
            type Item = $item;
            fn open(self) -> (Vec<$item>, String) {
                (self.$field, self.next_page_token)
            }
        }
    )* };
}
pub(crate) use paged;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures::TryStreamExt;

    use super::*;
    use crate::proto::gx::wallet::v1::{Entry, ListEntriesRequest, ListEntriesResponse};

    fn entry(name: &str) -> Entry {
        Entry {
            name: name.to_owned(),
            ..Entry::default()
        }
    }

    #[tokio::test]
    async fn every_item_comes_once_and_pages_only_when_they_are_wanted() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let fetch = move |(), request: ListEntriesRequest| {
            log.lock().unwrap().push(request.page_token.clone());
            let (names, next) = match request.page_token.as_str() {
                "" => (vec!["a", "b"], "2"),
                // A filtered page may be empty without being the last.
                "2" => (vec![], "3"),
                _ => (vec!["c"], ""),
            };
            async move {
                Ok(ListEntriesResponse {
                    entries: names.into_iter().map(entry).collect(),
                    next_page_token: next.to_owned(),
                    as_of_block: 0,
                })
            }
        };
        let mut entries = items(&(), ListEntriesRequest::default(), fetch);
        assert_eq!(entries.try_next().await.unwrap(), Some(entry("a")));
        assert_eq!(*asked.lock().unwrap(), [""]);
        let rest: Vec<_> = entries.try_collect().await.unwrap();
        assert_eq!(rest, [entry("b"), entry("c")]);
        assert_eq!(*asked.lock().unwrap(), ["", "2", "3"]);
    }
}
