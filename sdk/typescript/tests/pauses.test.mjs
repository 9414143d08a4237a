// How long to wait before the next try, and for an answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { createRouterTransport } from "@connectrpc/connect";
import { Code, local, toldBy } from "../dist/error.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../dist/gen/google/rpc/error_details_pb.js";
import { GxClient } from "../dist/index.js";
import { Pauses } from "../dist/retry.js";
import { TokenomicsService } from "../dist/tokenomics.js";

const tries = (failure, count) => {
  const pauses = new Pauses();
  return Array.from({ length: count }, () => pauses.after(failure, "counts"));
};

test("clients that are told when to come back come back later and apart", () => {
  const info = anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason: "OVERLOADED", domain: "gx" }));
  const retry = anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay: { seconds: 1n } }));
  const busy = toldBy({ code: Code.ResourceExhausted, message: "busy", details: [info, retry] });
  const pauses = tries(busy, 20);
  assert.ok(pauses.every((pause) => pause > 1000));
  assert.ok(pauses[19] >= 3500 && pauses[19] <= 6000, String(pauses[19]));
  assert.notEqual(tries(busy, 1)[0], tries(busy, 1)[0]);
});

test("what does something again each time is not sent again when nobody answers", () => {
  assert.deepEqual(tries(local(Code.Unavailable, "nobody answers"), 1), [undefined]);
});

test("a call without an end of its own is made", async () => {
  const transport = createRouterTransport(({ service }) => {
    service(TokenomicsService, { getSupply: () => ({ maximumQirat: 1n }) });
  });
  const { maximumQirat } = await GxClient.over(transport).withDeadline(Infinity).tokenomics.supply();
  assert.equal(maximumQirat, 1n);
});
