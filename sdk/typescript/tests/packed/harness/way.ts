/** A way to a server that can be cut, and that can lose answers. */

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class Way {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** Whether answers get through; what comes meanwhile is lost. */
  #answers = true;

  private constructor(port: number) {
    this.#server = createServer((client) => {
      this.#join(client, connect(port, "127.0.0.1"));
    });
  }

  static async to(port: number): Promise<Way> {
    const way = new Way(port);
    way.#server.listen(0, "127.0.0.1");
    await once(way.#server, "listening");
    return way;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Lets calls through and loses their answers. */
  loseAnswers(): void {
    this.#answers = false;
  }

  /** Ends all connections; those to come work. */
  cut(): void {
    this.#answers = true;
    for (const socket of this.#open) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  #join(client: Socket, server: Socket): void {
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#open.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => this.#answers && client.write(bytes));
  }
}
