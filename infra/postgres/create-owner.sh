#!/bin/sh
# Run once by the postgres image, after initdb and as its superuser: the role that services use owns its database and is no
# superuser, as in embedded mode (libs/embedded/src/postgres/create-cluster.ts).
set -eu

psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
  --set "password=$(cat /run/secrets/postgres-headgate)" <<'SQL'
CREATE ROLE headgate LOGIN PASSWORD :'password';
CREATE DATABASE headgate OWNER headgate;
REVOKE ALL ON DATABASE headgate FROM PUBLIC;
SQL
