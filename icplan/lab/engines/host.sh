#!/bin/sh
# The first process of an engine host, in mount, process, host name and network namespaces of its
# own: hides what the host has for itself from the machine, says so, and then only reaps.
# Usage: host.sh NAME DIRECTORY
set -eu
name=$1
directory=$2

# Everything below is a mount of this namespace: when its last process ends, they are all gone.
echo "$name" >/proc/sys/kernel/hostname

# Docker's images are in memory: fast, and the file system may be one that layers cannot lie on.
# Containerd's cannot be: ctr mounts them where it runs, which may be outside of this host.
mount -t tmpfs -o mode=711 tmpfs "$directory/memory"

# What is written in /etc goes to memory too; /etc/ovn stays readable from outside.
mkdir "$directory/memory/etc" "$directory/memory/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$directory/memory/etc,workdir=$directory/memory/work" \
    overlay /etc
mkdir -p /etc/ovn /etc/docker
# Where root has no password at all its account is locked, and sshd would refuse every key.
sed -i 's/^root:[^:]*:/root:*:/' /etc/shadow
mount --bind "$directory/etc-ovn" /etc/ovn
echo "127.0.0.1 localhost $name" >/etc/hosts

mount --bind "$directory/log" /var/log

# Of the machine's /run only the pipes of `ctr run` are shared: ctr makes them where it runs.
run=$directory/run
mkdir -p "$run/containerd/fifo" "$run/ovn" "$run/sshd" "$run/lock" /run/containerd/fifo
mount --bind /run/containerd/fifo "$run/containerd/fifo"
# Where docker and ctr look when nobody tells them.
ln -s "$directory/docker.sock" "$run/docker.sock"
ln -s "$directory/containerd.sock" "$run/containerd/containerd.sock"
case $directory/ in
    /run/*)
        mkdir -p "$run${directory#/run}"
        mount --bind "$directory" "$run${directory#/run}"
        ;;
esac
mount --rbind "$run" /run

mount -t proc proc /proc
echo ready >"$directory/ready"

# Containers' shims and what ctr leaves behind become children of this process.
while :; do
    sleep 3600 &
    wait $! || true
done
