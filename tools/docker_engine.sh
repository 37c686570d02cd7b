#!/usr/bin/env bash
# Run a command with a Docker engine that has the images of tests/act/Dockerfile:
#
#     tools/docker_engine.sh COMMAND [ARGUMENT]...
#
# Uses the engine that `docker info` finds. If there is none, installs and starts one, which needs root
# on Debian 12, and stops it when the command ends. What it downloads and builds stays in the cache folder.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${XDG_CACHE_HOME:-$HOME/.cache}/docker-auth"
base=debian:12-slim
image=docker-auth-act

fail() {
  echo "docker_engine.sh: $1" >&2
  exit 1
}

# Run a command, and print its output only if it fails.
quietly() {
  local output
  output="$("$@" 2>&1)" || {
    echo "$output" >&2
    return 1
  }
}

engine_runs() {
  docker info >/dev/null 2>&1
}

install_engine() {
  [ "$(id -u)" = 0 ] || fail "no Docker engine is running, and starting one needs root"
  if ! command -v dockerd >/dev/null || ! command -v mmdebstrap >/dev/null; then
    echo "Installing a Docker engine …"
    export DEBIAN_FRONTEND=noninteractive
    { quietly apt-get update && quietly apt-get install -y --no-install-recommends docker.io mmdebstrap; } ||
      fail "no Docker engine is running, and apt-get cannot install one"
  fi
}

# Without a bridge, because that needs iptables, and act's containers use the host's network anyway.
start_engine() {
  run="$(mktemp -d /tmp/docker-auth.XXXXXX)" # not in the cache folder, because paths of sockets must be short
  trap stop_engine EXIT
  export DOCKER_HOST="unix://$run/docker.sock"
  # In a new session, so that Ctrl-C ends the command first.
  setsid dockerd --host "$DOCKER_HOST" --pidfile "$cache/dockerd.pid" --data-root "$cache/data" \
    --exec-root "$run/exec" --bridge=none --iptables=false --storage-driver=overlay2 >"$cache/dockerd.log" 2>&1 &
  engine=$!
  while ! engine_runs; do
    kill -0 "$engine" 2>/dev/null || fail "the Docker engine does not start: $(tail -n 1 "$cache/dockerd.log")"
    sleep 0.3
  done
}

stop_engine() {
  if kill "$engine" 2>/dev/null; then
    wait
  fi
  umount "$run/exec/netns/default" 2>/dev/null || true # a mount that dockerd leaves behind
  rm -rf "$run"
}

# Build the base image from Debian's packages, because an engine that this script starts pulls nothing.
build_base() {
  docker image inspect "$base" >/dev/null 2>&1 && return
  echo "Building the image $base …"
  mmdebstrap --quiet --variant=minbase --mode=root bookworm - /etc/apt/sources.list.d/debian.sources |
    quietly docker import - "$base" || fail "cannot build the image $base"
}

build_images() {
  local node
  node="node-linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')"
  npm install --silent --no-audit --no-fund --prefix "$cache" "$node@24.19.0"
  for target in with-python without-python; do
    echo "Building the image $image:$target …"
    quietly docker build --network host --file tests/act/Dockerfile --target "$target" --tag "$image:$target" \
      "$cache/node_modules/$node/bin" || fail "cannot build the image $image:$target"
  done
}

mkdir -p "$cache"
engine_runs || install_engine
if ! engine_runs; then
  start_engine
  build_base
fi
build_images
"$@"
