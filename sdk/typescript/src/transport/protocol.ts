/** What is spoken with GX: gRPC over HTTP/2, or gRPC-Web over whatever `fetch` speaks. */
export type Protocol = "grpc" | "grpc-web";
