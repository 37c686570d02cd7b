// Checks that the action has logged out, then ends the fake API.
"use strict";
const fs = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");

const EXPECTED = /POST \S+\/login -> 20\d[^]*GET \S+\/operations\/\S+ -> 200[^]*POST \S+\/logout -> 20\d/;

async function main() {
  const { STATE_log: log, STATE_pid: pid } = process.env;
  if (!log) return; // it did not start, and main said so
  const read = () => fs.readFileSync(log, "utf8");
  for (let tries = 0; tries < 50 && !EXPECTED.test(read()); tries += 1) await sleep(100);
  console.log(read());
  process.kill(Number(pid));
  if (!EXPECTED.test(read())) throw new Error("The action did not log in, poll and log out.");
}

main().catch((error) => {
  console.log(`::error::${error.message}`);
  process.exitCode = 1;
});
