// Runs test cases against a module of the launcher, and checks that they catch bugs seeded into its source.
const assert = require("node:assert");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { test } = require("node:test");

const FOLDER = path.resolve(__dirname, "../../lib/launcher");

// Load a module after each [before, after] replacement of its source.
function load(name, ...replacements) {
  const file = path.join(FOLDER, name);
  const loaded = new Module(file, module);
  loaded.filename = file;
  let source = fs.readFileSync(file, "utf8");
  for (const [before, after] of replacements) {
    assert.ok(source.includes(before), `${name} has no ${before}`);
    source = source.replace(before, () => after);
  }
  loaded._compile(source, file);
  return loaded.exports;
}

// `cases` maps a name to a check of the module's exports, `bugs` a name to one replacement.
function testModule(name, cases, bugs) {
  for (const [title, check] of Object.entries(cases)) test(`${name}: ${title}`, () => check(load(name)));
  for (const [title, bug] of Object.entries(bugs))
    test(`${name}, seeded bug: ${title}`, () => {
      const buggy = load(name, bug);
      assert.throws(() => Object.values(cases).forEach((check) => check(buggy)), undefined, "no case catches it");
    });
}

module.exports = { testModule };
