// The SDK keeps up with the interface: what is committed of the generated code is what
// the interface makes of itself now.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { generate } from "../scripts/generate.mjs";

/** The files of a folder and of those in it, by their paths. */
async function files(folder) {
  const found = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile()) found[path.slice(folder.length + 1)] = await readFile(path, "utf8");
  }
  return found;
}

test("the committed code is the generated code", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gx-sdk-"));
  try {
    await generate(folder);
    const committed = await files(fileURLToPath(new URL("../src/gen", import.meta.url)));
    const generated = await files(folder);
    assert.deepEqual(Object.keys(committed).sort(), Object.keys(generated).sort());
    for (const [path, text] of Object.entries(generated)) {
      assert.ok(committed[path] === text, `${path}: \`npm run generate\` writes it anew`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
