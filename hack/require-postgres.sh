#!/usr/bin/env bash
# Makes sure that a PostgreSQL server's binaries are there for the tests, which
# start an instance of their own.
set -euo pipefail
if command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then
  exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq
  # Without a cluster of the distribution's own: the tests make theirs.
  mkdir -p /etc/postgresql-common
  grep -qs create_main_cluster /etc/postgresql-common/createcluster.conf || echo 'create_main_cluster = false' >>/etc/postgresql-common/createcluster.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15
  exit 0
fi
echo "The tests need PostgreSQL 15 server binaries: install the package postgresql-15." >&2
exit 1
