#!/bin/bash
# fetch-debs.sh SUITE FOLDER PACKAGE...
# Unpacks packages of a Debian suite into a folder, beside the system: nothing is installed, and no root is needed.
# A folder that is there already is taken as it is.
set -euo pipefail
suite=$1 folder=$2
shift 2
[ -e "$folder" ] && exit

# On the same file system as the folder, so that the last step is one rename.
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,archives}/partial "$work/unpacked"

options=(
    -o Dir::Etc::SourceList="$work/suite.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o Dir::Cache::Archives="$work/archives"
    -o Acquire::Check-Valid-Until=false # a mirror may lag behind
    -o Acquire::Retries=3
    -o APT::Update::Error-Mode=any
    -o APT::Sandbox::User=root # apt's own user could not write here
)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The system's own mirror, as apt itself reads it, whichever format its sources have. Other vendors' repositories may be
# among the candidates: they have no such suite, or none that Debian signed.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirrors=$(apt-get update --print-uris | sed -n "s|^'\(.*\)/dists/$codename/InRelease'.*|\1|p" | sort -u)
found=
for mirror in $mirrors; do
    echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/suite.list"
    if apt-get "${options[@]}" update -qq; then
        found=yes
        break
    fi
done
[ "$found" ] || { echo "fetch-debs.sh: no apt source of this machine has Debian's suite $suite" >&2; exit 1; }

(cd "$work" && apt-get "${options[@]}" download -qq "$@")
for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$work/unpacked"
done
mv -T "$work/unpacked" "$folder"
