/** What the gateway refuses by itself keeps its reason over gRPC-Web and gRPC. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { GxClient, Reason, type Protocol } from "@gx/sdk";
import { Gateway } from "./harness/gateway.js";
import { Gx } from "./harness/gx.js";
import { freePort } from "./harness/process.js";
import { refusal } from "./harness/refusal.js";

let gx: Gx, gateway: Gateway;
before(async () => {
  gx = await Gx.start();
  gateway = await Gateway.start(gx.ports);
});
after(async () => {
  await gateway.stop();
  await gx.stop();
});

for (const protocol of ["grpc-web", "grpc"] as const) {
  test(`a method that there is not: ${protocol}`, async () => {
    // A path that no service has.
    const transport = { ...options(gateway, "/nowhere"), protocol };
    const refused = await refusal(client(transport).tokenomics.supply());
    assert.equal(refused.reason, Reason.UNKNOWN_METHOD, refused.message);
    assert.ok(refused.requestId);
  });

  test(`a service that is away: ${protocol}`, async (context) => {
    const nobody = await freePort();
    const away = await Gateway.start({ identity: nobody, wallet: nobody, tokenomics: nobody });
    context.after(() => away.stop());
    const refused = await refusal(client({ ...options(away), protocol }).withDeadline(500).tokenomics.supply());
    assert.equal(refused.reason, Reason.UNAVAILABLE, refused.message);
    assert.equal(refused.retryDelayMs, 1000);
    assert.ok(refused.requestId);
  });

  test(`calls that come too often: ${protocol}`, async (context) => {
    const slow = { GX_LIMITS__ADDRESS_PER_S: "1", GX_LIMITS__ADDRESS_BURST: "1" };
    const narrow = await Gateway.start(gx.ports, slow);
    context.after(() => narrow.stop());
    const hasty = client({ ...options(narrow), protocol }).withDeadline(900);
    await hasty.tokenomics.supply();
    const refused = await refusal(hasty.tokenomics.supply());
    assert.equal(refused.reason, Reason.RATE_LIMITED, refused.message);
    assert.equal(refused.retryDelayMs, 1000);
  });

  test(`a message that is too large: ${protocol}`, async () => {
    const contact = "a".repeat(100_000);
    const refused = await refusal(client({ ...options(gateway), protocol }).identity.startRegistration({ contact }));
    assert.equal(refused.reason, Reason.MESSAGE_TOO_LARGE, refused.message);
    assert.equal(refused.metadata.limit_bytes, "65536");
  });
}

test("a head that is too large", async () => {
  const session = { accessToken: "a".repeat(20_000), refreshToken: "" };
  const refused = await refusal(gateway.connect().resume(session).identity.me());
  assert.equal(refused.reason, Reason.MESSAGE_TOO_LARGE, refused.message);
  assert.ok(refused.requestId);
});

test("a request that takes too long to arrive", async (context) => {
  const hasty = await Gateway.start(gx.ports, {}, (text) => text.replace("request_timeout: 120s", "request_timeout: 0.2s"));
  context.after(() => hasty.stop());
  const transport = createGrpcWebTransport({
    baseUrl: hasty.url,
    fetch: (input, init) => {
      const body = new ReadableStream({ start: (begun) => begun.enqueue(new Uint8Array([0])) });
      return fetch(input, { ...init, body, duplex: "half" } as RequestInit);
    },
  });
  const refused = await refusal(GxClient.over(transport).identity.login({ contact: "a", password: "b" }));
  assert.equal(refused.reason, Reason.DEADLINE, refused.message);
  assert.equal(refused.message, "DEADLINE: the request took too long to arrive");
});

interface Options {
  readonly url: string;
  readonly protocol?: Protocol;
}

function options({ url }: Gateway, path = ""): Options {
  return { url: url + path };
}

function client({ url, ...options }: Options): GxClient {
  return GxClient.connect(url, options);
}
