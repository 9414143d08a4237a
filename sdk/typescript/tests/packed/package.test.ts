/** What is published, and what of it a browser loads. */

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { GxClient } from "@gx/sdk";
import { IdentityService } from "@gx/sdk/identity";
import { LedgerService } from "@gx/sdk/ledger";
import { OperationService } from "@gx/sdk/operation";
import { TokenomicsService } from "@gx/sdk/tokenomics";
import { WalletService } from "@gx/sdk/wallet";

const index = fileURLToPath(import.meta.resolve("@gx/sdk"));

test("the package has what was built and nothing else", async () => {
  const folder = join(dirname(index), "..");
  assert.deepEqual((await readdir(folder)).sort(), ["README.md", "dist", "package.json"]);
  for (const name of await readdir(join(folder, "dist"), { recursive: true })) {
    assert.match(name, /^[a-z0-9_/]+(\.d\.ts|\.js)?$/);
  }
});

test("a browser loads nothing of Node.js", async () => {
  const seen = new Set<string>();
  const foreign = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = await readFile(file, "utf8");
    for (const [, name = ""] of text.matchAll(/^(?:import|export) (?:[^;]*? from )?"([^"]+)";$/gm)) {
      if (name === "#transport") await visit(join(dirname(index), "transport/browser.js"));
      else if (name.startsWith(".")) await visit(join(dirname(file), name));
      else foreign.add(name);
    }
  };
  await visit(index);
  assert.ok(seen.size > 20);
  assert.deepEqual([...foreign].sort(), [
    "@bufbuild/protobuf",
    "@bufbuild/protobuf/codegenv2",
    "@bufbuild/protobuf/wkt",
    "@connectrpc/connect",
    "@connectrpc/connect-web",
    "@connectrpc/connect/protocol",
  ]);
});

test("every method that answers one message can be called", () => {
  const { identity, wallet, operations, tokenomics, ledger } = GxClient.connect("http://localhost");
  let methods = 0;
  for (const [handle, service] of [
    [identity, IdentityService],
    [wallet, WalletService],
    [operations, OperationService],
    [tokenomics, TokenomicsService],
    [ledger, LedgerService],
  ] as const) {
    for (const { localName, methodKind } of service.methods) {
      if (methodKind !== "unary") continue;
      methods += 1;
      assert.equal(typeof (handle as unknown as Record<string, unknown>)[localName], "function", localName);
    }
  }
  assert.ok(methods > 35, String(methods));
});
