#!/usr/bin/env bash
# Makes a small Linux guest in a folder, from Debian's packages: vmlinuz, initrd, and the kernel's name. Its agent writes an object a line to the
# first port of virtio-serial, ten a second, and the same lines to the serial console.
set -euo pipefail
mkdir -p "${1:?which folder?}"
into=$(realpath "$1")
parts=$into/parts
mkdir -p "$parts" "$into/root"/{bin,dev,proc,sys,modules}
cd "$parts"
kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
apt-get download "$kernel" busybox-static
for package in *.deb; do dpkg -x "$package" .; done
cp boot/vmlinuz-* "$into/vmlinuz"
echo "$kernel" > "$into/name"
cp "$(find . -path '*bin/busybox')" "$into/root/bin/busybox"
# In the order in which they need each other; some kernels have some of them built in.
modules=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_console)
for module in "${modules[@]}"; do
    find . -name "$module.ko*" -exec cp {} "$into/root/modules/" \;
done
cat > "$into/root/init" << 'INIT'
#!/bin/busybox sh
/bin/busybox --install /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in MODULES; do insmod /modules/$module.ko; done
until port=$(ls /dev | grep '^vport'); do sleep 0.1; done
name=$(cat /sys/class/virtio-ports/$port/name)
tick=0
while :; do
    read -r up idle < /proc/uptime
    free=$(sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo)
    line="{\"agent\":\"$name\",\"tick\":$tick,\"uptime_s\":$up,\"memory\":{\"free_kb\":$free}}"
    echo "$line"
    echo "$line" > /dev/$port
    tick=$((tick + 1))
    sleep 0.1
done
INIT
sed -i "s/MODULES/${modules[*]}/" "$into/root/init"
chmod +x "$into/root/init"
cd "$into/root"
find . | bin/busybox cpio -o -H newc > "$into/initrd" 2> /dev/null
rm -rf "$parts" "$into/root"
