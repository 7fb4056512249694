#!/bin/bash
# debian-root.sh FOLDER
# Makes the root of a small Debian 12 with systemd in a folder, as root. A folder that is there already is taken as it is.
set -euo pipefail
folder=$1
[ -e "$folder" ] && exit

work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
# The system's own mirror, as apt itself reads it.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirrors=$(apt-get update --print-uris | sed -n "s|^'\(.*\)/dists/$codename/InRelease'.*|\1|p" | sort -u)
for mirror in $mirrors; do
    # What it prints is of no interest unless it fails; other vendors' repositories have no such suite.
    if debootstrap --variant=minbase --include=systemd,procps,ca-certificates \
        bookworm "$work/root" "$mirror" >"$work/log" 2>&1; then
        mv -T "$work/root" "$folder"
        exit
    fi
    tail -5 "$work/log" >&2
    rm -rf "$work/root"
done
echo "debian-root.sh: debootstrap failed with every apt source of this machine" >&2
exit 1
