/** A real `gx` on free ports, and people of it. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { GxClient, Qirat, newTransfer, type Transfer } from "@gx/sdk";
import { DocumentType } from "@gx/sdk/identity";
import { Process, needed } from "./process.js";

/** Everybody's password. */
export const PASSWORD = "correct horse battery";

/** Settings of every test: blocks come soon, and no limit is met by accident. */
const SETTINGS = {
  GX_DEVNET__BATCH_TIMEOUT_MS: "20",
  GX_LIMITS__PUBLIC_PER_S: "1000000",
  GX_LIMITS__PUBLIC_BURST: "1000000",
  GX_LIMITS__DRAIN_MS: "2000",
  GX_LOGIN__WAITING: "10000",
  GX_INSTANCE: "gx-sdk-test",
};

/** A verified person with a grant of 500 GX. */
export interface Person {
  readonly gx: GxClient;
  readonly contact: string;
  readonly account: string;
}

/** Where it answers. */
type Ports = Record<"identity" | "wallet" | "tokenomics" | "metrics", number>;

/** A running `gx`. */
export class Gx {
  readonly #process: Process;
  readonly #folder: string;
  readonly ports: Readonly<Ports>;
  #people = 0;

  private constructor(process: Process, folder: string, ports: Ports) {
    this.#process = process;
    this.#folder = folder;
    this.ports = ports;
  }

  static async start(): Promise<Gx> {
    const folder = await mkdtemp(join(process.cwd(), "gx-"));
    const env = { ...SETTINGS, GX_DATA_DIR: folder };
    const running = await Process.start(needed("GX_BINARY"), ["--listen-base", "0"], env, "GX listens");
    const ports = JSON.parse(await readFile(join(folder, "ports.json"), "utf8")) as Ports;
    return new Gx(running, folder, ports);
  }

  async stop(): Promise<void> {
    await this.#process.kill();
    await rm(this.#folder, { recursive: true });
  }

  get url(): string {
    return url(this.ports.identity);
  }

  /** A client over gRPC. */
  connect(): GxClient {
    return GxClient.connect(this.url);
  }

  /** How many calls of a method the server has answered with OK. */
  async answered(method: string): Promise<number> {
    const answer = await fetch(`${url(this.ports.metrics)}/metrics`);
    const counts = new RegExp(`/${method}",code="OK"} ([0-9]+)`).exec(await answer.text());
    return Number(counts?.[1] ?? 0);
  }

  /** Two people. */
  async pair(): Promise<[Person, Person]> {
    return [await this.person(), await this.person()];
  }

  /** Somebody registered, verified and signed in. */
  async person(): Promise<Person> {
    const number = this.#people++;
    const contact = `person-${number}@example.org`;
    const anonymous = this.connect();
    await this.#register(anonymous, contact);
    const gx = await anonymous.signIn(contact, PASSWORD);
    const name = await submitted(gx, number);
    const staff = await anonymous.signIn("root", await this.rootPassword());
    const approved = await staff.identity.approveVerification({ name, requestId: crypto.randomUUID() });
    const { block } = await approved.settled();
    const { user } = await gx.identity.getMe({ minBlock: block });
    return { gx, contact, account: user?.account ?? "" };
  }

  /** The password of the first member of staff. */
  async rootPassword(): Promise<string> {
    const password = await readFile(join(this.#folder, "initial-password"), "utf8");
    return password.trim();
  }

  async #register(gx: GxClient, contact: string): Promise<void> {
    const { registrationToken } = await gx.identity.startRegistration({ contact });
    const code = await this.#code(contact);
    await gx.identity.verifyContact({ registrationToken, code });
    await gx.identity.completeRegistration({
      registrationToken,
      givenNames: "Ämilie",
      familyName: "Müller",
      birthDate: "1990-05-17",
      nationality: "DE",
      password: PASSWORD,
    });
  }

  async #code(contact: string): Promise<string> {
    const sent = await readFile(join(this.#folder, "codes.jsonl"), "utf8");
    const codes = sent.trimEnd().split("\n").map((line) => JSON.parse(line) as { contact: string; code: string });
    return codes.findLast((one) => one.contact === contact)?.code ?? "";
  }
}

/** A transfer that may cost up to 1 GX. */
export function pays(from: Person, to: Person, amount: string): Transfer {
  return newTransfer({
    account: from.account,
    receiver: to.account,
    amountQirat: Qirat.fromGx(amount),
    maxFeeQirat: Qirat.fromGx("1"),
  });
}

export function url(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** Asks to be verified and answers the verification's name. */
async function submitted(gx: GxClient, number: number): Promise<string> {
  const content = Buffer.from("\x89PNG\r\n\x1a\nnot much of a picture", "latin1");
  const { document } = await gx.identity.uploadDocument({ content, contentType: "image/png" });
  const { verification } = await gx.identity.submitVerification({
    documentType: DocumentType.PASSPORT,
    documentCountry: "DE",
    documentNumber: `PASSPORT ${number}`,
    documents: [document?.name ?? ""],
  });
  return verification?.name ?? "";
}
