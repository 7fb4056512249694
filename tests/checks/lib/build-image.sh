#!/bin/bash
# build-image.sh CACHE TOOLCHAIN OUT
# Builds the Dockerfile's image with buildah, as root and without an engine, and puts into the folder OUT what came out:
# dist/ as the target `binary` gives it, root/ as the image has it, and image.json.
#
# The image to build from is made of Debian and the machine's own Rust TOOLCHAIN (rustc --print sysroot) instead of fetched.
# What the build caches stays in CACHE.
set -euo pipefail
cache=$1 toolchain=$2 out=$3
lib=$(dirname "$0")
context=$lib/../../..

exec {lock}>"$cache/lock"
flock "$lock" # two runs at once must not fill the cache at once
"$lib/debian-root.sh" "$cache/debian-bookworm"
# The cache mounts of the Dockerfile are kept there.
export TMPDIR=$cache/buildah-tmp
mkdir -p "$TMPDIR"

# What is mounted must be forgotten when the machine is started anew.
buildah() { command buildah --root "$cache/buildah" --runroot /run/wolkvox_exporter-tests "$@"; }
# A build that was stopped leaves its containers, and with them its images.
buildah rm --all >/dev/null
run_in() { buildah run --isolation chroot "$@"; }

# What is made here has another digest than what is fetched.
dockerfile=$TMPDIR/Dockerfile
sed 's/^\(FROM rust:[^ @]*\)@sha256:[0-9a-f]* /\1 /' "$context/Dockerfile" >"$dockerfile"
base=$(sed -n 's/^FROM \(rust:[^ ]*\) AS build$/docker.io\/library\/\1/p' "$dockerfile")
if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
    container=$(buildah from scratch)
    cp -a "$cache/debian-bookworm/." "$(buildah mount "$container")"
    buildah umount "$container" >/dev/null
    run_in "$container" apt-get update -qq
    run_in --env DEBIAN_FRONTEND=noninteractive "$container" \
        apt-get install -qq -y --no-install-recommends gcc libc6-dev >/dev/null
    buildah config --env PATH=/toolchain/bin:/usr/bin:/bin --env CARGO_HOME=/usr/local/cargo \
        --env CARGO_HTTP_CAINFO=/machine/ca-certificates.crt "$container"
    buildah commit --quiet --rm "$container" "$base" >/dev/null
fi

# Cargo in there reaches the registry as the machine does.
machine=(--volume "$toolchain:/toolchain:ro" --volume /etc/ssl/certs/ca-certificates.crt:/machine/ca-certificates.crt:ro)
for name in config.toml config; do
    config=${CARGO_HOME:-$HOME/.cargo}/$name
    [ -e "$config" ] && machine+=(--volume "$config:/usr/local/cargo/$name:ro")
done
build() {
    buildah build --quiet --layers --isolation chroot --pull-never --file "$dockerfile" "${machine[@]}" \
        --build-arg REVISION="${REVISION:-unknown}" "$@" "$context" >"$TMPDIR/log" 2>&1 || { tail -30 "$TMPDIR/log" >&2; exit 1; }
}

rm -rf "$out"
mkdir -p "$out/root"
build --tag wolkvox_exporter
# As a release does it; the build itself is taken from the layers of the first.
build --target binary --output "$out/dist"
chmod 755 "$out/dist"
buildah inspect --type image wolkvox_exporter >"$out/image.json"
container=$(buildah from --pull-never wolkvox_exporter)
cp -a "$(buildah mount "$container")/." "$out/root"
buildah rm "$container" >/dev/null
# The layers of earlier sources are of no use.
buildah rmi --prune >/dev/null
