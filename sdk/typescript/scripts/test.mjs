// `npm test`: packs the package, installs it in a temporary folder as whoever depends on
// it does, and runs the tests there against it: a real `gx` (GX_BINARY, else the one that
// cargo built) and a real Envoy (ENVOY_BINARY, else that of `make tools`). Arguments name
// the tests to run, such as `streams`; without them all are.

import { execFileSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const root = resolve(here, "../..");
const npm = (cwd, ...given) => execFileSync("npm", given, { cwd, encoding: "utf8" });
const node = (cwd, env, ...given) =>
  execFileSync(process.execPath, given, { cwd, env: { ...process.env, ...env }, stdio: "inherit" });

npm(here, "run", "build");
const RUN = ["--test", "--test-reporter=spec", "--test-timeout=120000"];
if (process.argv.length === 2) node(here, {}, ...RUN, "tests/");

const folder = await mkdtemp(join(tmpdir(), "gx-sdk-"));
try {
  const [{ filename }] = JSON.parse(npm(here, "pack", "--ignore-scripts", "--json", "--pack-destination", folder));
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", `./${filename}`);

  await cp(join(here, "tests/packed"), folder, { recursive: true });
  const readme = await readFile(join(here, "README.md"), "utf8");
  await writeFile(join(folder, "first_transfer.ts"), readme.split("```js\n")[1].split("```")[0]);
  const types = join(here, "node_modules/@types");
  node(folder, {}, join(here, "node_modules/typescript/bin/tsc"), "--typeRoots", types);

  const wanted = process.argv.slice(2);
  const tests = (await readdir(join(folder, "built")))
    .filter((name) => name.endsWith(".test.js"))
    .filter((name) => wanted.length === 0 || wanted.some((one) => name.startsWith(`${one}.`)))
    .map((name) => join("built", name));
  const env = {
    GX_BINARY: resolve(process.env.GX_BINARY ?? join(root, "target/debug/gx")),
    ENVOY_BINARY: resolve(process.env.ENVOY_BINARY ?? join(root, ".venv/bin/envoy")),
  };
  node(folder, env, ...RUN, ...tests);
} catch (failure) {
  // What failed has said so itself.
  if (failure.status === undefined) throw failure;
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
