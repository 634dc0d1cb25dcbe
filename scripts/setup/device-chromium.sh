#!/usr/bin/env bash
# Fetches Chromium 150 from Debian's archive, beside the Chromium of this machine, and unpacks it without installing it. Later
# ones do not bind sessions to keys that are kept in software. Where it cannot be had, this says so and is no failure: its tests
# are left out, and the browser of 150 lines in packages/wallet-session/test stands in.
set -euo pipefail

version=150.0.7871.100-1~deb12u1
home=${DEVICE_CHROMIUM_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/wallet-session/chromium-150}
if [ -x "$home/usr/lib/chromium/chromium" ]; then exit 0; fi

fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
if ! (cd "$fetched" && apt-get download -qq "chromium=$version" "chromium-common=$version" 2>/dev/null); then
  echo "There is no Chromium $version to be had here: no browser that binds sessions to keys."
  exit 0
fi
for package in "$fetched"/*.deb; do dpkg -x "$package" "$fetched/unpacked"; done
mkdir -p "$(dirname "$home")"
rm -rf "$home"
mv "$fetched/unpacked" "$home"
