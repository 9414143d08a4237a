// Exchanges of tokens that fail.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, SessionEndedError, local, toldBy } from "../dist/error.js";
import { ErrorInfoSchema } from "../dist/gen/google/rpc/error_details_pb.js";
import { Keeper } from "../dist/session.js";

/** A keeper without an access token, and the request_ids of its exchanges. */
function kept(exchange) {
  const asked = [];
  const keeper = new Keeper({ accessToken: "", refreshToken: "refresh-0" }, (refreshToken, requestId) => {
    asked.push({ refreshToken, requestId });
    return exchange(asked.length);
  });
  return { keeper, asked };
}

function refusal(reason) {
  const info = create(ErrorInfoSchema, { reason, domain: "gx" });
  return toldBy({ code: Code.Unauthenticated, message: "no", details: [anyPack(ErrorInfoSchema, info)] });
}

test("an exchange that failed is the same exchange when it is tried again", async () => {
  const { keeper, asked } = kept((number) =>
    number === 1
      ? Promise.reject(local(Code.Unavailable, "nobody answers"))
      : Promise.resolve({ accessToken: `access-${number}`, refreshToken: `refresh-${number}` }),
  );
  await assert.rejects(keeper.pass(), { code: Code.Unavailable });
  const pass = await keeper.pass();
  assert.equal(pass.token, "access-2");
  assert.deepEqual(asked[1], asked[0]);

  const expired = refusal("TOKEN_EXPIRED");
  assert.equal(keeper.refused(pass, expired), true);
  await keeper.pass();
  assert.equal(asked[2].refreshToken, "refresh-2");
  assert.notEqual(asked[2].requestId, asked[1].requestId);
  // A call that had the old token asks for none again.
  assert.equal(keeper.refused(pass, expired), true);
  await keeper.pass();
  assert.equal(asked.length, 3);
});

test("a session that has ended asks nobody again", async () => {
  const { keeper, asked } = kept(() => Promise.reject(refusal("REFRESH_TOKEN_REUSED")));
  await assert.rejects(keeper.pass(), SessionEndedError);
  await assert.rejects(keeper.pass(), SessionEndedError);
  assert.equal(asked.length, 1);
});
