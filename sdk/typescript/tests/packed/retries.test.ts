/** What is sent again, and when. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { Code, GxClient, Qirat, Reason, type Transfer } from "@gx/sdk";
import { OperationType } from "@gx/sdk/operation";
import { Gateway } from "./harness/gateway.js";
import { Gx, PASSWORD, pays, type Person } from "./harness/gx.js";
import { freePort } from "./harness/process.js";
import { refusal } from "./harness/refusal.js";
import { Way } from "./harness/way.js";

let gx: Gx, ann: Person, bee: Person;
before(async () => {
  gx = await Gx.start();
  [ann, bee] = await gx.pair();
});
after(() => gx.stop());

/** Waits until the server has done a transfer, which nobody has told its client. */
async function received(transfer: Transfer): Promise<void> {
  let balance: bigint | undefined;
  for await (const { wallet } of bee.gx.wallet.watch(bee.account)) {
    balance ??= wallet?.balanceQirat;
    if (wallet && balance !== undefined && wallet.balanceQirat >= balance + transfer.amountQirat) return;
  }
}

/** The names of all transfers of an account's holder. */
async function transfers(): Promise<string[]> {
  const names = [];
  for await (const { name } of ann.gx.operations.list({ types: [OperationType.TRANSFER] })) names.push(name);
  return names;
}

test("a transfer whose answer dies with the gateway is the same transfer when it is sent again", async (context) => {
  const way = await Way.to(gx.ports.wallet);
  const gateway = await Gateway.start({ ...gx.ports, wallet: way.port });
  context.after(async () => {
    way.close();
    await gateway.stop();
  });
  const over = await gateway.connect().signIn(ann.contact, PASSWORD);
  // Else the gateway may not know yet that the service is there.
  await over.wallet.get(ann.account);
  const before = await transfers();
  const transfer = pays(ann, bee, "100");

  const done = received(transfer);
  way.loseAnswers();
  let isAnswered = false;
  const sent = over.wallet.transfer(transfer).finally(() => (isAnswered = true));
  await done;
  assert.equal(isAnswered, false);
  await gateway.kill();
  way.cut();
  await gateway.revive();

  const pending = await sent;
  assert.equal(pending.operation.requestId, transfer.requestId);
  await pending.settled();
  assert.deepEqual(await transfers(), [pending.name, ...before]);
});

test("a transfer whose connection breaks is the same transfer when it is sent again", async (context) => {
  const way = await Way.to(gx.ports.wallet);
  context.after(() => way.close());
  const over = await GxClient.connect(`http://127.0.0.1:${way.port}`).signIn(ann.contact, PASSWORD);
  const before = await transfers();
  const transfer = pays(ann, bee, "1");

  const done = received(transfer);
  way.loseAnswers();
  const sent = over.wallet.transfer(transfer);
  await done;
  way.cut();
  const pending = await sent;
  assert.deepEqual(await transfers(), [pending.name, ...before]);
  // Whoever kept the request_id finds it too.
  const again = await ann.gx.wallet.transfer(transfer);
  assert.equal(again.name, pending.name);
  const other = await refusal(ann.gx.wallet.transfer({ ...transfer, amountQirat: Qirat.fromGx("2") }));
  assert.equal(other.reason, Reason.REQUEST_ID_REUSED);
});

/** What a client sent, when, and how long the server was told that it may take. */
interface Sent {
  readonly method: string;
  readonly ms: number;
  readonly timeout: string | null;
}

/** A client over gRPC-Web, and what it sent. */
function watched(url: string): { client: GxClient; sent: Sent[] } {
  const sent: Sent[] = [];
  const transport = createGrpcWebTransport({
    baseUrl: url,
    fetch: (input, init) => {
      const method = new Request(input).url.split("/").at(-1) ?? "";
      sent.push({ method, ms: performance.now(), timeout: new Headers(init?.headers).get("grpc-timeout") });
      return fetch(input, init);
    },
  });
  return { client: GxClient.over(transport), sent };
}

test("who calls too often comes back when the gateway says", async (context) => {
  const slow = { GX_LIMITS__ADDRESS_PER_S: "1", GX_LIMITS__ADDRESS_BURST: "1" };
  const gateway = await Gateway.start(gx.ports, slow);
  context.after(() => gateway.stop());
  const { client, sent } = watched(gateway.url);
  // A login counts, but the gateway has not taken it.
  for (let sessions = 0; sessions < 3; sessions++) await client.signIn(ann.contact, PASSWORD);
  assert.ok(sent.length > 3, "some were refused");
  const ms = sent.map((one) => one.ms);
  const pauses = ms.slice(1).map((one, index) => one - (ms[index] ?? 0));
  assert.ok(pauses.some((pause) => pause >= 990), String(pauses));
});

test("what does something again each time is not sent again when its answer is lost", async (context) => {
  const way = await Way.to(gx.ports.identity);
  context.after(() => way.close());
  const { client, sent } = watched(`http://127.0.0.1:${way.port}`);
  const before = await gx.answered("Login");
  way.loseAnswers();
  const lost = refusal(client.signIn(ann.contact, PASSWORD));
  while ((await gx.answered("Login")) === before);
  way.cut();
  const failure = await lost;
  assert.equal(failure.reasonName, undefined);
  assert.deepEqual(
    sent.map((one) => one.method),
    ["Login"],
  );
});

test("the server is told how long a call may take", async () => {
  const { client, sent } = watched(gx.url);
  await client.withDeadline(5_000).tokenomics.supply();
  assert.match(sent[0]?.timeout ?? "", /^[0-9]{4}m$/);
});

test("tries end with the deadline", async () => {
  const nobody = GxClient.connect(`http://127.0.0.1:${await freePort()}`).withDeadline(400);
  const begin = performance.now();
  const failure = await refusal(nobody.tokenomics.supply());
  assert.equal(failure.code, Code.Unavailable);
  assert.ok(performance.now() - begin < 2_000);
});

test("a server that says nothing meets the deadline", async (context) => {
  for (const protocol of ["grpc", "grpc-web"] as const) {
    const silent = createServer((socket) => socket.unref()).listen(0, "127.0.0.1");
    context.after(() => silent.close());
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const client = GxClient.connect(`http://127.0.0.1:${port}`, { protocol });
    const failure = await refusal(client.withDeadline(200).tokenomics.supply());
    assert.equal(failure.reason, Reason.DEADLINE, failure.message);
  }
});

test("a call that its caller gives up ends", async () => {
  const controller = new AbortController();
  const nobody = GxClient.connect(`http://127.0.0.1:${await freePort()}`);
  const call = refusal(nobody.tokenomics.supply({ signal: controller.signal }));
  controller.abort(new Error("enough"));
  const failure = await call;
  assert.equal(failure.code, Code.Canceled);
  assert.equal((failure.cause as Error).message, "enough");
});
