// `node serve.mjs`: builds the console and serves it until it is ended. PORT is where,
// 8000 if it is not set; GATEWAY the gateway's address, http://localhost:8080 if it is not.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const file = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Serves the console on a port of the loopback, 0 for a free one, for a gateway. */
export async function serve(port, gateway) {
  const pages = await made(gateway);
  const server = createServer((request, response) => {
    const [path] = (request.url ?? "/").split("?");
    const page = pages.get(path);
    response.writeHead(page ? 200 : 404, { ...headers(gateway), "content-type": page?.type ?? "text/plain" });
    response.end(page?.content ?? "there is no such page");
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Everything that is served, by its path. */
async function made(gateway) {
  const script = await build({
    entryPoints: [file("src/main.ts")],
    bundle: true,
    format: "esm",
    minify: true,
    platform: "browser",
    target: "es2022",
    write: false,
  });
  const page = await readFile(file("index.html"), "utf8");
  return new Map([
    ["/", { type: "text/html; charset=utf-8", content: page.replace("${gateway}", gateway) }],
    ["/console.js", { type: "text/javascript; charset=utf-8", content: script.outputFiles[0].contents }],
    ["/console.css", { type: "text/css; charset=utf-8", content: await readFile(file("console.css")) }],
    ["/icon.svg", { type: "image/svg+xml", content: await readFile(file("icon.svg")) }],
  ]);
}

/** Nothing but this page's own files runs in it, and it calls the gateway alone. */
function headers(gateway) {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${gateway}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { PORT = "8000", GATEWAY = "http://localhost:8080" } = process.env;
  await serve(Number(PORT), GATEWAY);
  console.log(`the console: open http://localhost:${PORT}`);
}
