#!/bin/bash
# etcd.sh NODE…: makes this machine one of these nodes of an etcd cluster.
set -euo pipefail

name=$(hostname)
address=$(getent ahostsv4 "$name" | awk 'NR == 1 { print $1 }')
cluster=
for node in "$@"; do cluster+="${cluster:+,}$node=http://$node:2380"; done

# Before the package starts a cluster of its own.
systemctl mask --quiet etcd
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends etcd-server etcd-client

cat >/etc/default/etcd <<END
ETCD_NAME=$name
ETCD_DATA_DIR=/var/lib/etcd/default
ETCD_LISTEN_PEER_URLS=http://$address:2380
ETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:2379,http://$address:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=http://$name:2380
ETCD_ADVERTISE_CLIENT_URLS=http://$name:2379
ETCD_INITIAL_CLUSTER=$cluster
# An emulated node may be slow; the defaults are 100 and 1000 ms.
ETCD_HEARTBEAT_INTERVAL=500
ETCD_ELECTION_TIMEOUT=5000
END
systemctl unmask --quiet etcd
# Not waited for: it is up when a majority is, and the others may not have begun.
systemctl enable --quiet etcd
systemctl start --no-block etcd
