/** A real Envoy, configured by `gx gateway`. */

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { GxClient } from "@gx/sdk";
import { url } from "./gx.js";
import { Process, freePort, needed } from "./process.js";

/** No limit is met by accident. */
const SETTINGS = {
  GX_LIMITS__ADDRESS_PER_S: "1000000",
  GX_LIMITS__ADDRESS_BURST: "1000000",
};

/** Where the services are. */
export type Upstreams = Readonly<Record<"identity" | "wallet" | "tokenomics", number>>;

/** An Envoy, which can be killed and started again on its port. */
export class Gateway {
  readonly port: number;
  readonly #folder: string;
  #process: Process | undefined;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  /** Starts it in front of the services; `edit` changes its configuration before. */
  static async start(
    upstreams: Upstreams,
    settings: NodeJS.ProcessEnv = {},
    edit: (configuration: string) => string = (text) => text,
  ): Promise<Gateway> {
    const folder = await mkdtemp(join(process.cwd(), "gateway-"));
    const gateway = new Gateway(await freePort(), folder);
    const env = {
      ...SETTINGS,
      GX_GATEWAY__PORT: String(gateway.port),
      GX_GATEWAY__METRICS: String(await freePort()),
      GX_GATEWAY__ADMIN: String(await freePort()),
      GX_GATEWAY__IDENTITY: `127.0.0.1:${upstreams.identity}`,
      GX_GATEWAY__WALLET: `127.0.0.1:${upstreams.wallet}`,
      GX_GATEWAY__TOKENOMICS: `127.0.0.1:${upstreams.tokenomics}`,
      ...settings,
    };
    await promisify(execFile)(needed("GX_BINARY"), ["gateway", "--out", gateway.#file], { env });
    await writeFile(gateway.#file, edit(await readFile(gateway.#file, "utf8")));
    await gateway.revive();
    return gateway;
  }

  get #file(): string {
    return join(this.#folder, "envoy.yaml");
  }

  get url(): string {
    return url(this.port);
  }

  /** A client over gRPC-Web, as in a browser. */
  connect(): GxClient {
    return GxClient.connect(this.url, { protocol: "grpc-web" });
  }

  /** Starts it again. */
  async revive(): Promise<void> {
    const given = ["--use-dynamic-base-id", "--concurrency", "1", "--config-path", this.#file];
    this.#process = await Process.start(needed("ENVOY_BINARY"), given, process.env, "starting workers");
    // Envoy does not tell when a worker listens.
    while (!(await listens(this.port))) await setImmediate();
  }

  /** Kills it, with every connection. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true });
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
