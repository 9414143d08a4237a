/** Child processes, each ended by its id. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { createInterface } from "node:readline";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
// The runner ends a test that takes too long by a signal.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

/** A running child. */
export class Process {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, "exit").then(() => running.delete(child));
    running.add(child);
  }

  /** Starts it, and waits until its standard error has these words. */
  static async start(program: string, given: readonly string[], env: NodeJS.ProcessEnv, words: string): Promise<Process> {
    const child = spawn(program, given, { env, stdio: ["ignore", "ignore", "pipe"] });
    const started = new Process(child);
    const told: string[] = [];
    // Nobody reads on later, and a full pipe would hold it up.
    const lines = createInterface(child.stderr).on("line", () => undefined);
    await new Promise<void>((resolve, reject) => {
      lines.on("line", (line) => {
        told.push(line);
        if (line.includes(words)) resolve();
      });
      lines.on("close", () => {
        reject(new Error(`${program} does not start:\n${told.join("\n")}`));
      });
    });
    return started;
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

/** A port that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A setting of the one who runs the tests. */
export function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: \`npm test\` sets it`);
  return value;
}
