#!/bin/bash
# build-package.sh CARGO_DEB BINARY MANUAL OUT
# Makes the Debian package in a copy of the sources, as a release does it, with CARGO_DEB, the static BINARY, and what MANUAL
# (the example `manual`) writes. OUT gets package.deb, and next.deb, the same as a later version.
set -euo pipefail
cargo_deb=$1 binary=$2 manual=$(realpath "$3") out=$4

cd "$(dirname "$0")/../../.."
rm -rf "$out"
mkdir -p "$out/source"
tar --create --exclude=target --exclude=./.git . | tar --extract --directory "$out/source"
install -D -m 755 "$binary" "$out/source/target/release/wolkvox_exporter"
cd "$out/source"
"$manual" --to target/manual
"$cargo_deb" deb --no-build --no-strip --output "$out/package.deb" >/dev/null
"$cargo_deb" deb --no-build --no-strip --output "$out/next.deb" --deb-version 9.0.0-1 >/dev/null
