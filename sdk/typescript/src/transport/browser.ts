/** How a browser reaches GX: by gRPC-Web, through the gateway. */

import type { Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import type { Protocol } from "./protocol.js";
import { fetchWithRefusals } from "./refused.js";

export function transportTo(url: string, protocol: Protocol = "grpc-web"): Transport {
  if (protocol !== "grpc-web") throw new TypeError("a browser speaks gRPC-Web alone");
  return createGrpcWebTransport({ baseUrl: url, fetch: fetchWithRefusals });
}
