#!/usr/bin/env bash
# Runs the tests of the collectors with the programs they are about, which it installs where it may; what is missing is told, and skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Which package has a program.
declare -A package=([qemu-system-x86_64]=qemu-system-x86 [qemu-img]=qemu-utils [tcpdump]=tcpdump [perf]=linux-perf [ip]=iproute2 [ps]=procps)
missing=()
for program in "${!package[@]}"; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "$program" > /dev/null || missing+=("${package[$program]}")
done

install() {
    DEBIAN_FRONTEND=noninteractive apt-get "$@" >> "$work/log" 2>&1
}

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        install update || true
        for name in "${missing[@]}"; do
            install install -y --no-install-recommends "$name" && continue
            # A part of it may be there from the backports already, and then the rest must come from there, too.
            codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
            if [ "$codename" = bookworm ]; then
                mkdir -p "$work/parts" && cp -r /etc/apt/sources.list.d/. "$work/parts/" 2> /dev/null || true
                echo "deb http://deb.debian.org/debian $codename-backports main" > "$work/parts/backports.list"
                parts="Dir::Etc::SourceParts=$work/parts"
                install -o "$parts" update || true
                install -o "$parts" install -y --no-install-recommends -t "$codename-backports" "$name" && continue
            fi
            echo "skipped: $name: apt-get cannot install it: $(grep -m 1 '^E:' "$work/log" || echo 'no reason given')"
        done
    else
        echo "skipped: ${missing[*]}: this user cannot install packages"
    fi
fi

# A guest with an agent that writes through virtio-serial.
if bash tests/linux_guest.sh "$work/guest" >> "$work/log" 2>&1; then
    export FORKPOINT_GUEST=$work/guest
    echo "real: a Linux guest: $(cat "$work/guest/name")"
else
    echo "skipped: a Linux guest: it cannot be made: $(tail -n 1 "$work/log")"
fi

${CARGO:-cargo} test --locked --test episode_collect -- --nocapture --test-threads=2 2>&1 | tee "$work/tests" | grep -E '^test result|FAILED|panicked' || true
grep -o 'skipped: .*' "$work/tests" | sort -u || true
for program in "${!package[@]}"; do
    found=$(PATH="$PATH:/usr/sbin:/sbin" command -v "$program") && echo "real: $program: $found"
done
grep -q '^test result: ok' "$work/tests" || { cat "$work/tests"; exit 1; }
