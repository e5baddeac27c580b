#!/usr/bin/env bash
# The engines that `make test` does without: PostgreSQL on loopback in a folder of its own, Spark in local mode, and what stands
# in for Snowflake.
# Installs what is absent (apt-get, as root only), runs the tests of this folder and leaves nothing running.
set -euo pipefail
cd "$(dirname "$0")/../.."

absent=()
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || command -v initdb >/dev/null || absent+=(postgresql)
command -v java >/dev/null || absent+=(openjdk-17-jre-headless)
if ((${#absent[@]})); then
  ((EUID == 0)) || { echo "install first: ${absent[*]}" >&2; exit 1; }
  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "${absent[@]}" >/dev/null
fi
bin="$(dirname "$(compgen -G "/usr/lib/postgresql/*/bin/initdb" | sort -V | tail -1 || command -v initdb)")"

# The extras lie over .venv in an environment of their own, so that what `make test` proves needs none of them.
venv=.venv-engines
stamp="$venv/.installed-$(cksum engines.lock | cut -d' ' -f1)"
if [[ ! -f $stamp ]]; then
  rm -rf "$venv"
  .venv/bin/python -m venv --without-pip "$venv"
  "$venv/bin/python" - "$PWD/.venv" <<'PY'
import sys, sysconfig
from pathlib import Path
own = Path(sysconfig.get_path("purelib"))
(own / "workbook.pth").write_text(f"import site; site.addsitedir({str(Path(sys.argv[1]) / own.relative_to(sys.prefix))!r})\n")
PY
  .venv/bin/python -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check --require-hashes -r engines.lock
  touch "$stamp"
fi

# The emulator of Snowflake needs a DuckDB and a SQLGlot that Ibis cannot use: it shares nothing with the rest.
fakesnow=.venv-fakesnow
stamp="$fakesnow/.installed-$(cksum fakesnow.lock | cut -d' ' -f1)"
if [[ ! -f $stamp ]]; then
  rm -rf "$fakesnow"
  .venv/bin/python -m venv --without-pip "$fakesnow"
  .venv/bin/python -m pip --python "$fakesnow/bin/python" install --quiet --disable-pip-version-check --require-hashes -r fakesnow.lock
  touch "$stamp"
fi
export REVOPS_TEST_FAKESNOW="$PWD/$fakesnow/bin/python"

as_owner() { if ((EUID == 0)); then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }  # initdb refuses root
place="$(mktemp -d)"
((EUID == 0)) && chown postgres "$place" && chmod 755 "$place"
trap 'as_owner "$bin/pg_ctl" -D "$place/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$place"' EXIT
PGPASSWORD="$(head -c 18 /dev/urandom | base64)"
export PGPASSWORD
port="$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
(umask 077 && echo "$PGPASSWORD" >"$place/password")
((EUID == 0)) && chown postgres "$place/password"
as_owner "$bin/initdb" -D "$place/data" -U revops -A scram-sha-256 --pwfile="$place/password" -E UTF8 \
  --locale=C.UTF-8 --locale-provider=icu --icu-locale=pt-BR >/dev/null # texts must not be ordered as the database would
as_owner "$bin/pg_ctl" -D "$place/data" -w -l "$place/log" start >/dev/null \
  -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$place -c fsync=off -c jit=off"

# A company of this size is small for Spark: compiling costs more than it saves, and so does looking for what a row asks twice.
export PYSPARK_SUBMIT_ARGS="--driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' --conf spark.sql.adaptive.enabled=false \
  --conf spark.sql.codegen.wholeStage=false --conf spark.sql.codegen.factoryMode=NO_CODEGEN \
  --conf spark.sql.subexpressionElimination.enabled=false pyspark-shell"
export REVOPS_CACHE="$place/cache" # nothing that an earlier run measured
mkdir -m 700 "$REVOPS_CACHE"
export REVOPS_TEST_POSTGRES="postgres://revops@127.0.0.1:$port/postgres"
"$venv/bin/python" -m pytest tests/engines -m engines -p no:cacheprovider "$@"
