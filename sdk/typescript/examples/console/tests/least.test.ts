/** The README's least page is short, and pays. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { PASSWORD } from "../../../tests/packed/harness/gx.js";
import { needed } from "../../../tests/packed/harness/process.js";
import { Stage } from "./harness/stage.js";

const FOLDER = dirname(needed("CONSOLE"));

/** A listing of the README, by its language. */
async function listing(language: string): Promise<string> {
  const readme = await readFile(join(FOLDER, "README.md"), "utf8");
  const [text] = readme.split(`\`\`\`${language}\n`)[1]?.split("```") ?? [];
  assert.ok(text, `the README has no ${language}`);
  return text;
}

/** Serves both listings, the script with its package and for this gateway. */
async function serve(port: number, gateway: string): Promise<Server> {
  const script = await listing("js");
  const contents = script.replace("http://localhost:8080", gateway);
  assert.notEqual(contents, script);
  const { outputFiles } = await build({ stdin: { contents, resolveDir: FOLDER }, bundle: true, format: "esm", write: false });
  const html = await listing("html");
  const server = createServer((request, response) => {
    const isScript = request.url === "/least.js";
    response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
    response.end(isScript ? outputFiles[0]?.text : html);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

test("the least page of the README pays", async (context) => {
  assert.ok((await listing("js")).trimEnd().split("\n").length < 20);
  const stage = await Stage.set(serve);
  context.after(() => stage.strike());
  const [ann, bee] = await stage.gx.pair();

  const page = await stage.open();
  await page.getByPlaceholder("contact").fill(ann.contact);
  await page.getByPlaceholder("password").fill(PASSWORD);
  await page.getByPlaceholder("receiver's account").fill(bee.account);
  await page.getByRole("button", { name: "Pay 12.5 GX" }).click();
  await page.getByText(/paid, fee 0\.00625 GX, block [0-9]+/).waitFor();
  assert.deepEqual(await stage.clear(), []);
});
