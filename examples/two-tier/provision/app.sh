#!/bin/bash
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends python3 python3-redis
cat >/etc/systemd/system/app.service <<END
[Unit]
After=network.target
[Service]
Environment=DB_HOST=$DB_HOST
ExecStart=/usr/bin/python3 /srv/app/app.py
DynamicUser=yes
Restart=on-failure
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --quiet --now app
