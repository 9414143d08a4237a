/** All entries of the own wallet, a page at a time. */

import { button, h, put } from "../dom.js";
import { say } from "../notice.js";
import { COLUMNS, entryRow } from "../parts/entries.js";
import { table } from "../parts/table.js";
import type { Visit, View } from "../room.js";

const PAGE = 20;

export function history({ session, signal, failed }: Visit): View {
  const account = session.user.account;
  const body = h("tbody");
  /** What names the pages up to the one that is shown; the first has no name. */
  let tokens = [""];
  let next = "";
  let shown = 0n;

  const read = async (minBlock = 0n): Promise<void> => {
    const asked = tokens;
    const pageToken = asked.at(-1) ?? "";
    const page = await session.gx.wallet.listEntries({ account, pageToken, pageSize: PAGE, minBlock }, { signal });
    // Somebody may have turned the page meanwhile, or a later answer have come before.
    if (asked !== tokens || page.asOfBlock < shown) return;
    shown = page.asOfBlock;
    next = page.nextPageToken;
    put(body, ...page.entries.map(entryRow));
    newer.disabled = tokens.length === 1;
    older.disabled = next === "";
  };
  const turn = (to: string[]): void => {
    tokens = to;
    shown = 0n;
    read().then(() => {
      say(`Page ${tokens.length}.`);
      // A button that can do no more would lose the focus to nowhere.
      if (document.activeElement === document.body) (older.disabled ? newer : older).focus();
    }, failed);
  };
  const newer = button("Newer", () => turn(tokens.slice(0, -1)), { class: "quiet", disabled: true });
  const older = button("Older", () => turn([...tokens, next]), { class: "quiet", disabled: true });

  read().catch(failed);
  // The newest page has what comes; those behind it stay as they are.
  session.wallet?.subscribe(({ entries, asOfBlock }) => {
    if (entries.length > 0 && tokens.length === 1) read(asOfBlock).catch(failed);
  }, signal);
  const pages = h("nav", { "aria-label": "Pages", class: "pages" }, newer, older);
  return { title: "History", content: [table("Entries, newest first", COLUMNS, body), pages] };
}
