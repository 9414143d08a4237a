// Waiting for what becomes of a command, whatever becomes of its server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../dist/gen/google/rpc/error_details_pb.js";
import { IdentityService } from "../dist/identity.js";
import { GxClient, SessionEndedError } from "../dist/index.js";
import { OperationService, OperationState } from "../dist/operation.js";

const { ACCEPTED, SUCCEEDED } = OperationState;

function refused(reason) {
  const info = create(ErrorInfoSchema, { reason, domain: "gx" });
  return new ConnectError("no", Code.Unauthenticated, undefined, [{ desc: ErrorInfoSchema, value: info }]);
}

/** An operation that was accepted, of a server that answers like this when it is waited for. */
async function accepted(wait) {
  const transport = createRouterTransport(({ service }) => {
    service(IdentityService, {
      refreshSession() {
        throw refused("TOKEN_EXPIRED");
      },
    });
    service(OperationService, {
      getOperation: ({ name }) => ({ operation: { name, state: ACCEPTED } }),
      waitOperation: ({ name }) => ({ operation: { name, state: wait() } }),
    });
  });
  const gx = GxClient.over(transport).resume({ accessToken: "a0", refreshToken: "r0" });
  return gx.operations.get("operations/1");
}

test("who waits for an outcome waits for a server that comes back, too", async (context) => {
  let nowMs = 0;
  context.mock.timers.enable({ apis: ["setTimeout"] });
  context.mock.method(performance, "now", () => nowMs);
  const pending = await accepted(() => {
    if (nowMs < 60_000) throw new ConnectError("nobody is there", Code.Unavailable);
    return SUCCEEDED;
  });
  let isOver = false;
  const settled = pending.settled().finally(() => (isOver = true));
  while (!isOver) {
    nowMs += 100;
    context.mock.timers.tick(100);
    await setImmediate();
  }
  assert.equal((await settled).operation.state, SUCCEEDED);
});

test("what keeps one from knowing the outcome still tells the operation", async () => {
  const pending = await accepted(() => {
    throw refused("TOKEN_EXPIRED");
  });
  await assert.rejects(pending.settled(), (failure) => {
    assert.ok(failure instanceof SessionEndedError);
    assert.equal(failure.operation?.name, "operations/1");
    assert.equal(failure.operation?.state, ACCEPTED);
    return true;
  });
});
