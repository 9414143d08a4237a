/** Sessions whose tokens end. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GxError, Reason, SessionEndedError, GxClient, type Session } from "@gx/sdk";
import { Gateway } from "./harness/gateway.js";
import { Gx, PASSWORD, url, type Person } from "./harness/gx.js";
import { refusal } from "./harness/refusal.js";
import { Way } from "./harness/way.js";

let gx: Gx, gateway: Gateway, person: Person;
before(async () => {
  gx = await Gx.start();
  gateway = await Gateway.start(gx.ports);
  person = await gx.person();
});
after(async () => {
  await gateway.stop();
  await gx.stop();
});

/** A session that nobody else has. */
async function begun(): Promise<Session> {
  const { session } = await gx.connect().signIn(person.contact, PASSWORD);
  assert.ok(session);
  return session;
}

/** Whoever has only the refresh token of a session. */
function holderOf({ refreshToken }: Session): GxClient {
  return gx.connect().resume({ accessToken: "", refreshToken });
}

for (const [name, connect] of [
  ["gRPC", () => gx.connect()],
  ["gRPC-Web", () => gateway.connect()],
] as const) {
  test(`fifty calls that find the token expired exchange it once, over ${name}`, async () => {
    const { refreshToken } = await begun();
    const client = connect().resume({ accessToken: "", refreshToken });
    const changes: Session[] = [];
    client.onSessionChange((session) => changes.push(session));
    const before = await gx.answered("RefreshSession");

    const calls = Array.from({ length: 50 }, () => client.identity.me());
    for (const { account } of await Promise.all(calls)) assert.equal(account, person.account);
    assert.equal(await gx.answered("RefreshSession"), before + 1);
    assert.deepEqual(changes, [client.session]);
    assert.notEqual(client.session?.refreshToken, refreshToken);
  });

  test(`fifty calls whose token is refused exchange it once, over ${name}`, async () => {
    const { refreshToken } = await begun();
    const client = connect().resume({ accessToken: "no.access.token", refreshToken });
    const before = await gx.answered("RefreshSession");
    await Promise.all(Array.from({ length: 50 }, () => client.identity.me()));
    assert.equal(await gx.answered("RefreshSession"), before + 1);
  });
}

test("an exchange whose answer is lost is asked for again, and is no reuse", async (context) => {
  const way = await Way.to(gx.ports.identity);
  context.after(() => way.close());
  const { refreshToken } = await begun();
  const client = GxClient.connect(url(way.port)).resume({ accessToken: "", refreshToken });
  const before = await gx.answered("RefreshSession");
  way.loseAnswers();
  const impatient = refusal(client.withDeadline(100).identity.me());
  const patient = client.identity.me();
  assert.equal((await impatient).reason, Reason.DEADLINE);
  while ((await gx.answered("RefreshSession")) === before);
  way.cut();
  assert.equal((await patient).account, person.account);
});

test("reuse of an old refresh token ends the session and is told", async () => {
  const stolen = await begun();
  const owner = holderOf(stolen);
  await owner.identity.me();

  const thief = holderOf(stolen);
  const reused = await refusal(thief.identity.me());
  assert.ok(reused instanceof SessionEndedError);
  assert.equal(reused.reason, Reason.REFRESH_TOKEN_REUSED);
  const revoked = await refusal(owner.identity.me());
  assert.ok(revoked instanceof SessionEndedError);
  assert.equal(revoked.reason, Reason.SESSION_REVOKED);
  // It is not asked again.
  assert.equal(await refusal(thief.identity.me()), reused);
});

test("whoever has no refresh token is told that the access token is refused", async () => {
  const client = gx.connect().resume({ accessToken: "no.access.token", refreshToken: "" });
  const refused = await refusal(client.identity.me());
  assert.equal(refused.reason, Reason.TOKEN_INVALID);
});

test("whoever signs out is out", async () => {
  const client = gx.connect().resume(await begun());
  const shared = client.withDeadline(5_000);
  await client.signOut();
  assert.equal((await refusal(shared.identity.me())).reason, Reason.SESSION_REVOKED);
});

test("a wrong password is told, and nobody is signed in", async () => {
  const wrong = await refusal(gx.connect().signIn(person.contact, "a wrong password"));
  assert.ok(wrong instanceof GxError);
  assert.equal(wrong.reason, Reason.CREDENTIALS_WRONG);
  assert.equal(gx.connect().session, undefined);
});
