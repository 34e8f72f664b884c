#!/usr/bin/env bash
# State and memory on two file systems, each of which fills up: run within a namespace of one's own, where a tmpfs may be mounted.
set -euo pipefail
program=$(realpath "$1")
work=$(mktemp -d)
trap 'umount "$work/small" 2> /dev/null; rm -rf "$work"' EXIT
mkdir "$work/small" "$work/large"
mount -t tmpfs -o size=4m tmpfs "$work/small"
cd "$work"
fail() { echo "WRONG: $*"; exit 1; }
printf '{"version":1}' > state-1.json
printf '{"version":2}' > state-2.json
head -c 3000000 /dev/urandom > ram-1.bin
head -c 3000000 /dev/urandom > ram-2.bin
head -c 9000000 /dev/urandom > ram-large.bin

# State and memory on two disks: the state says where the memory is.
"$program" snapshot save --state state-1.json --memory ram-1.bin --memory-out large/two.mem small/two.snap 2> told
"$program" snapshot save --state state-2.json --memory ram-2.bin --memory-out large/two.mem small/two.snap 2> told
"$program" snapshot verify small/two.snap | grep -q 'large/two.mem$' || fail "the memory is not found on the other disk"
[ "$("$program" snapshot load small/two.snap --state - --memory out.bin)" = '{"version":2}' ] || fail "the wrong state"
cmp out.bin ram-2.bin
[ "$(ls -A small large | tr '\n' ' ')" = "large: two.mem  small: two.snap " ] || fail "left: $(ls -A small large)"
rm small/two.snap large/two.mem
# Both on one.
"$program" snapshot save --state state-1.json --memory ram-1.bin small/vm.snap 2> told
"$program" snapshot verify small/vm.snap
# Two pairs need more than there is while both are there: the old one stands.
if "$program" snapshot save --state state-2.json --memory ram-2.bin small/vm.snap 2> told; then fail "a full disk took a second memory"; fi
grep -q 'No space left on device' told || fail "$(cat told)"
[ "$("$program" snapshot load small/vm.snap --state - --memory out.bin)" = '{"version":1}' ] || fail "the old state is gone"
cmp out.bin ram-1.bin
[ "$(ls -A small | tr '\n' ' ')" = "vm.mem vm.snap " ] || fail "left: $(ls -A small)"
if "$program" snapshot save --state state-2.json --memory ram-large.bin small/other.snap 2> told; then fail "a full disk took a large memory"; fi
[ "$(ls -A small | tr '\n' ' ')" = "vm.mem vm.snap " ] || fail "left: $(ls -A small)"
# A destination that is mounted from elsewhere cannot be renamed to.
touch large/bound.snap
mount --bind small/vm.snap large/bound.snap
if "$program" snapshot save --state state-1.json --memory ram-1.bin large/bound.snap 2> told; then fail "a mounted file was replaced"; fi
grep -q 'different file systems' told || fail "$(cat told)"
umount large/bound.snap
rm large/bound.snap
# A read-only file system.
mount -o remount,ro "$work/small"
if "$program" snapshot save --state state-2.json --memory ram-2.bin small/vm.snap 2> told; then fail "a read-only disk was written"; fi
grep -qi 'read-only file system' told || fail "$(cat told)"
"$program" snapshot verify small/vm.snap
echo "two disks, a full disk, a mounted destination, a read-only disk: the old pair stands each time"
