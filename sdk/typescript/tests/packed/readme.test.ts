/** The README's listing is short, and works. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Gx, PASSWORD } from "./harness/gx.js";

test("the first transfer of the README transfers", async (context) => {
  const listing = await readFile(new URL("../first_transfer.ts", import.meta.url), "utf8");
  assert.ok(listing.trimEnd().split("\n").length < 20);

  const gx = await Gx.start();
  context.after(() => gx.stop());
  const [ann, bee] = await gx.pair();
  const program = fileURLToPath(new URL("first_transfer.js", import.meta.url));
  const ran = await promisify(execFile)(process.execPath, [program, gx.url, ann.contact, PASSWORD, bee.account]);
  assert.match(ran.stdout, /^paid, fee 0\.00625 GX, block [0-9]+\n$/);
});
