/** How Node.js reaches GX: by gRPC, or as a browser does. */

import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { transportTo as browserTransportTo } from "./browser.js";
import type { Protocol } from "./protocol.js";

/**
 * How often a connection with open calls is asked whether it lives, and how long it may
 * take to answer.
 */
const ALIVE_EVERY_MS = 20_000;
const ALIVE_WITHIN_MS = 10_000;

export function transportTo(url: string, protocol: Protocol = "grpc"): Transport {
  if (protocol === "grpc-web") return browserTransportTo(url);
  return createGrpcTransport({ baseUrl: url, pingIntervalMs: ALIVE_EVERY_MS, pingTimeoutMs: ALIVE_WITHIN_MS });
}
