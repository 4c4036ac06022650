#!/bin/bash
# A Redis that the machines of the project's network reach, and that writes every change to its volume at once.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends redis-server
cat >/etc/redis/lab.conf <<END
include /etc/redis/redis.conf
bind 0.0.0.0
protected-mode no
appendonly yes
appendfsync always
END
chown redis:redis /etc/redis/lab.conf /var/lib/redis
mkdir -p /etc/systemd/system/redis-server.service.d
cat >/etc/systemd/system/redis-server.service.d/lab.conf <<END
[Unit]
RequiresMountsFor=/var/lib/redis
[Service]
ExecStart=
ExecStart=/usr/bin/redis-server /etc/redis/lab.conf --supervised systemd --daemonize no
END
systemctl daemon-reload
systemctl restart redis-server
