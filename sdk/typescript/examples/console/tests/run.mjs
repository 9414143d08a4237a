// `npm run test:console`: runs the console's tests against a real `gx` (GX_BINARY, else the
// one that cargo built), a real Envoy (ENVOY_BINARY, else that of `make tools`) and a real
// Chromium (CHROMIUM_BINARY, else Debian's). SCREENSHOTS names a folder that keeps its
// pictures.

import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = resolve(here, "../../../../..");
const { GX_BINARY, ENVOY_BINARY, CHROMIUM_BINARY, SCREENSHOTS } = process.env;

const TESTS = ["console", "least"];

// Inside of the package, where its own name and what it needs are found.
const folder = await mkdtemp(join(here, "built-"));
try {
  await build({
    entryPoints: TESTS.map((name) => join(here, `${name}.test.ts`)),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    packages: "external",
    platform: "node",
    target: "node20",
  });
  const env = {
    ...process.env,
    GX_BINARY: resolve(GX_BINARY ?? join(root, "target/debug/gx")),
    ENVOY_BINARY: resolve(ENVOY_BINARY ?? join(root, ".venv/bin/envoy")),
    CHROMIUM_BINARY: CHROMIUM_BINARY ?? "/usr/bin/chromium",
    SCREENSHOTS: resolve(SCREENSHOTS ?? join(folder, "screenshots")),
    CONSOLE: resolve(here, "../serve.mjs"),
  };
  const run = ["--test", "--test-reporter=spec", "--test-timeout=240000"];
  const tests = TESTS.map((name) => join(folder, `${name}.test.mjs`));
  execFileSync(process.execPath, [...run, ...tests], { cwd: folder, env, stdio: "inherit" });
} catch (failure) {
  // What failed has said so itself.
  if (failure.status === undefined) throw failure;
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
