// A stream whose token expires while it is open, which a real server grants a minute at
// least: here the server is one that says so at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../dist/gen/google/rpc/error_details_pb.js";
import { IdentityService } from "../dist/identity.js";
import { GxClient } from "../dist/index.js";
import { WalletService } from "../dist/wallet.js";

const EXPIRED = [{ desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason: "TOKEN_EXPIRED", domain: "gx" }) }];

/** A server whose watched wallet tells one entry a token. */
function server(refresh) {
  const opened = [];
  const transport = createRouterTransport(({ service }) => {
    service(IdentityService, { refreshSession: refresh });
    service(WalletService, {
      async *watchWallet({ position }, { requestHeader }) {
        opened.push({ position, token: requestHeader.get("authorization") });
        yield { position: String(Number(position) + 1), entries: [{ name: `entries/${position}` }] };
        throw new ConnectError("the access token has expired", Code.Unauthenticated, undefined, EXPIRED);
      },
    });
  });
  return { opened, gx: GxClient.over(transport).resume({ accessToken: "a0", refreshToken: "r0" }) };
}

test("a stream goes on where it was with the token that follows", async () => {
  let exchanges = 0;
  const { opened, gx } = server(({ refreshToken }) => {
    assert.equal(refreshToken, `r${exchanges}`);
    exchanges += 1;
    return { accessToken: `a${exchanges}`, refreshToken: `r${exchanges}` };
  });
  const names = [];
  for await (const { entries } of gx.wallet.watch("GX-1", { position: "0" })) {
    names.push(...entries.map(({ name }) => name));
    if (names.length === 3) break;
  }
  assert.deepEqual(names, ["entries/0", "entries/1", "entries/2"]);
  assert.deepEqual(opened, [
    { position: "0", token: "Bearer a0" },
    { position: "1", token: "Bearer a1" },
    { position: "2", token: "Bearer a2" },
  ]);
});

test("a stream ends with its session", async () => {
  const { gx } = server(() => {
    throw new ConnectError("the session's time is over", Code.Unauthenticated, undefined, EXPIRED);
  });
  const read = async () => {
    for await (const change of gx.wallet.watch("GX-1", { position: "0" })) assert.ok(change);
  };
  await assert.rejects(read, { name: "SessionEndedError", reasonName: "TOKEN_EXPIRED" });
});
