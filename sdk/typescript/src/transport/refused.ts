/**
 * What a gateway refuses before it knows that it is asked by gRPC-Web is a status in
 * JSON; as headers it is read like any other.
 */

import { createRegistry, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { encodeBinaryHeader } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../gen/google/rpc/status_pb.js";

/** Where a status stands that has details. */
export const STATUS_HEADER = "grpc-status-details-bin";

const DETAILS = createRegistry(BadRequestSchema, ErrorInfoSchema, RequestInfoSchema, RetryInfoSchema);

/** `fetch`, with such a refusal in the headers of the answer. */
export const fetchWithRefusals: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  if (response.ok || !isJson) return response;
  const headers = new Headers(response.headers);
  try {
    const status = fromJson(StatusSchema, (await response.json()) as JsonValue, { registry: DETAILS });
    headers.set(STATUS_HEADER, encodeBinaryHeader(status, StatusSchema));
  } catch {
    // It is somebody else's JSON: the HTTP status says what there is to say.
  }
  return new Response(null, { status: response.status, headers });
};
