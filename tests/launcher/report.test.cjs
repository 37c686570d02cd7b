const assert = require("node:assert");
const { testModule } = require("./seeded.cjs");

const STATE = {
  server_id: "11111111-2222-4333-8444-555555555555",
  credential_id: "66666666-7777-4888-9999-000000000000",
  registry_url: "ghcr.io",
};

const cases = {
  "reasons name what happened": ({ reason }) => {
    const expected = [
      [{ error: "EACCES" }, /^EACCES$/],
      [{ code: 196 }, /3\.10/],
      [{ code: 197 }, /incomplete/],
      [{ code: 127 }, /127/],
      [{ code: 137 }, /memory/], // a shell's child
      [{ code: 3221225477 }, /crashed.*0xC0000005/],
      [{ signal: "SIGKILL" }, /memory/],
      [{ signal: "SIGSEGV" }, /SIGSEGV$/],
    ];
    for (const [end, pattern] of expected) assert.match(reason({ code: null, signal: null, ...end }), pattern);
  },
  "plain text has no workflow command of any runner": ({ plain }) => {
    assert.equal(plain("/a\n::error::b\r##[error]c\x1b[31m\u2028\x7f"), "/a : :error: :b ## [error]c [31m  ");
    assert.equal(plain("%0A %250A %25"), "% 0A % 250A % 25");
    assert.equal(plain(":::"), ": : :");
    assert.equal(plain("/usr/bin/python3 (50%)"), "/usr/bin/python3 (50%)");
  },
  "the warning names the server, the command, and the credential if the registry is unknown": ({ stillLoggedIn }) => {
    const commands = { "ghcr.io": "docker logout ghcr.io", "docker.io": "docker logout", "": "docker logout <registry>" };
    for (const [registry_url, command] of Object.entries(commands)) {
      const message = stillLoggedIn({ ...STATE, registry_url }, "Problem.");
      assert.ok(message.includes(STATE.server_id) && message.includes(`\`${command}\``) && message.endsWith("Problem."));
      assert.equal(message.includes(STATE.credential_id), registry_url === "");
    }
  },
  "values that a shell or runner could interpret are not printed": ({ stillLoggedIn }) => {
    for (const value of ["x; id", "$(id)", "`id`", "a\nb", "::error::x", "##[error]x", "\u0434", "x".repeat(300), {}]) {
      const message = stillLoggedIn({ server_id: value, credential_id: value, registry_url: value }, "");
      assert.equal(message, stillLoggedIn({}, ""));
    }
  },
};

testModule("report.cjs", cases, {
  "too old and unusable are one": ["code === 196", "code >= 196"],
  "memory is blamed for every signal": ['signal === "SIGKILL" ||', "signal ||"],
  "a shell's code is not understood": ["|| code === 137", ""],
  "act's commands are not split": ["(?<=:):|", ""],
  "GitHub's other commands are not split": ["(?<=##)\\[|", ""],
  "escapes stay": ["|(?<=%)(?=25|0[AD])", ""],
  "control characters stay": ["[^ -~]", "[\\n]"],
  "Docker Hub with its address": ['registry === "docker.io"', "false"],
  "any text is a registry": ['[a-z0-9[][\\w.:/[\\]~-]{0,79}', ".*"],
  "any text is an id": ["[\\w-]{1,64}", "[^]*"],
});
