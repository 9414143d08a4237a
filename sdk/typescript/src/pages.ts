/** Lists as iterators: pages are asked for when their first item is wanted. */

/** What names a page. */
export interface PageRequest {
  pageToken: string;
}

/** What names the next page; empty at the end. */
export interface Page {
  readonly nextPageToken: string;
}

/** All items of a list. */
export async function* items<P extends Page, T>(
  fetch: (page: PageRequest) => Promise<P>,
  open: (page: P) => readonly T[],
): AsyncGenerator<T, void, undefined> {
  let pageToken = "";
  do {
    const page = await fetch({ pageToken });
    yield* open(page);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}
