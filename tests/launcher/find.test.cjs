const assert = require("node:assert");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { testModule } = require("./seeded.cjs");

// A file system with these files. `looked` collects what was looked at.
function fakeFiles(names, separator, looked = []) {
  const inFolder = (folder) => names.filter((name) => name.startsWith(folder + separator));
  return {
    existsSync: (name) => (looked.push(name), names.includes(name)),
    readdirSync: (folder) => {
      looked.push(folder);
      return inFolder(folder).map((name) => name.slice(folder.length + 1).split(separator)[0]);
    },
  };
}

function onLinux({ candidates }, env, names, options = {}) {
  const found = candidates(env, { platform: "linux", arch: "x64", files: fakeFiles(names, "/"), ...options });
  return [...found].map(([file]) => file);
}

const STORE = "C:\\Users\\me\\AppData\\Local\\Microsoft\\WindowsApps";
const CACHE = "C:\\hostedtoolcache\\windows";
const WINDOWS_FILES = [
  `${STORE}\\python.exe`,
  "C:\\Windows\\py.exe",
  "C:\\Program Files\\Python313\\python.exe",
  "C:\\tools\\python3",
  "D:\\chosen one\\python.exe",
  `${CACHE}\\Python\\3.9.13\\x64\\python.exe`,
  `${CACHE}\\Python\\3.12.7\\x64\\python.exe`,
];

const elf = (machine, elfClass = 2) =>
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, elfClass, 1, ...Array(12).fill(0), machine, 0]);

const cases = {
  "PATH is searched for python3, python3.x newest first, python": (find) => {
    const names = ["/a/python", "/a/python3.9", "/b/python3.10", "/b/python3.9", "/b/python3", "/b/python3-config"];
    const expected = ["/b/python3", "/b/python3.10", "/a/python3.9", "/b/python3.9", "/a/python"];
    assert.deepEqual(onLinux(find, { PATH: "/a:/b" }, names), expected);
  },
  "the saved interpreter comes first, then pythonLocation": (find) => {
    const names = ["/saved/python3.12", "/setup/bin/python3", "/a/python3"];
    const env = { PATH: "/a", pythonLocation: "/setup" };
    assert.deepEqual(onLinux(find, env, names, { first: "/saved/python3.12" }), names);
  },
  "a saved interpreter counts only if it is absolute and exists": (find) => {
    for (const first of ["python3", "/gone/python3", 7, null, ["/a/python3"], ""])
      assert.deepEqual(onLinux(find, { PATH: "/a" }, ["/a/python3", "python3"], { first }), ["/a/python3"]);
  },
  "relative folders do not count, and PATH may be missing": (find) => {
    const names = ["bin/python3", "./bin/python3", "tools/Python/3.12.1/x64/bin/python3", "python3"];
    const env = { PATH: "bin::.", pythonLocation: ".", RUNNER_TOOL_CACHE: "tools" };
    assert.deepEqual([...onLinux(find, env, names), ...onLinux(find, {}, names)], []);
  },
  "the tool cache is searched newest first": (find) => {
    const files = ["3.9.1", "3.12.0", "3.10.2"].map((version) => `/cache/Python/${version}/x64/bin/python3`);
    assert.deepEqual(onLinux(find, { RUNNER_TOOL_CACHE: "/cache" }, files), [files[1], files[2], files[0]]);
  },
  "the tool cache is filtered by architecture": (find) => {
    const names = ["x64", "x64-freethreaded", "arm64", "x86"];
    const files = names.map((name) => `/cache/Python/3.13.1/${name}/bin/python3`);
    const search = (RUNNER_ARCH, arch) => onLinux(find, { RUNNER_TOOL_CACHE: "/cache", RUNNER_ARCH }, files, { arch });
    assert.deepEqual(search("ARM64", "x64"), [files[2]]);
    assert.deepEqual(search("amd64", "x64"), [files[0]]); // Gitea's name
    assert.deepEqual(search(undefined, "ia32"), [files[3]]);
    assert.deepEqual(search("", "arm64"), [files[2]]);
    assert.deepEqual(search(undefined, "riscv64"), []);
  },
  "no folder is listed where PATH has a python3": ({ candidates }) => {
    const looked = [];
    const files = fakeFiles(["/b/python3"], "/", looked);
    candidates({ PATH: "/a:/b", RUNNER_TOOL_CACHE: "/cache" }, { platform: "linux", files }).next();
    assert.deepEqual(looked, ["/a/python3", "/b/python3"]);
  },
  "Windows has python.exe, the tool cache, py.exe and the Store's python.exe": ({ candidates }) => {
    const PATH = `${STORE};C:\\Windows;"C:\\Program Files\\Python313";C:\\tools;relative;`;
    const env = { PATH, pythonLocation: "D:\\chosen one", RUNNER_TOOL_CACHE: CACHE, RUNNER_ARCH: "X64" };
    const [store, py, program, , chosen, old, cached] = WINDOWS_FILES;
    const found = [...candidates(env, { platform: "win32", files: fakeFiles(WINDOWS_FILES, "\\") })];
    assert.deepEqual(found, [[chosen], [program], [cached], [old], [py, "-3"], [store]]);
  },
  "only scripts and ELF files of the same machine are programs": ({ isProgram }) => {
    if (process.platform !== "linux") return;
    const contents = [elf(62), elf(183), elf(62, 1), "#!/bin/sh\n", "", "text"];
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "launcher-"));
    try {
      const files = contents.map((_, index) => path.join(folder, `${index}`));
      files.forEach((file, index) => fs.writeFileSync(file, contents[index]));
      assert.deepEqual(files.map((file) => isProgram(file, files[0])), [true, false, false, true, false, false]);
      assert.ok(isProgram("/no/such/file", files[0]) && isProgram(files[0], "/no/such/file"));
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
};

testModule("find.cjs", cases, {
  "oldest version first": ["b.localeCompare(a,", "a.localeCompare(b,"],
  "versions compared as text": ["{ numeric: true }", "{}"],
  "relative paths count": ["&& isAbsolute(text)", ""],
  "RUNNER_ARCH is ignored": ["env.RUNNER_ARCH || arch", "arch"],
  "the saved interpreter is ignored": ["absolute(first)", "[]"],
  "the Store comes in the order of PATH": ["!isStore(folder)", "true"],
  "py.exe without its option": [', "py.exe", "-3"', ', "py.exe"'],
  "any ELF file is a program": ['+ head.toString("hex", 18)', ""],
  "an empty file is a program": ["format === own ||", "true ||"],
});
