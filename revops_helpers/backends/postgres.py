"""Ibis' backend of PostgreSQL, speaking our dialect. Imported only where psycopg is installed."""

from __future__ import annotations

from ibis.backends.postgres import Backend

from revops_helpers.backends import dialects

# What DuckDB has and PostgreSQL lacks, for this connection only: no right to create anything lasting is asked for. The first is
# the Jaro-Winkler similarity as DuckDB counts it: each character of b takes the first free equal one of a within the bound.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION pg_temp.jaro_winkler_similarity(a text, b text) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  x text[] := regexp_split_to_array(a, ''); y text[] := regexp_split_to_array(b, '');
  m int := length(a); n int := length(b); bound int := greatest(greatest(length(a), length(b)) / 2 - 1, 0);
  used boolean[] := array_fill(false, ARRAY[greatest(length(a), 1)]); hits int[] := '{}';
  met double precision := 0; turned int := 0; k int := 0; prefix int := 0; found double precision;
BEGIN
  IF m = 0 AND n = 0 THEN RETURN 1; END IF;
  IF m = 0 OR n = 0 THEN RETURN 0; END IF;
  FOR j IN 1 .. n LOOP
    FOR i IN greatest(1, j - bound) .. least(m, j + bound) LOOP
      IF NOT used[i] AND x[i] = y[j] THEN
        used[i] := true; hits := hits || j; met := met + 1;
        EXIT;
      END IF;
    END LOOP;
  END LOOP;
  IF met = 0 THEN RETURN 0; END IF;
  FOR i IN 1 .. m LOOP
    IF used[i] THEN
      k := k + 1;
      IF x[i] <> y[hits[k]] THEN turned := turned + 1; END IF;
    END IF;
  END LOOP;
  found := (met / m + met / n + (met - turned / 2) / met) / 3.0;
  IF found > 0.7 THEN
    WHILE prefix < least(4, m, n) AND x[prefix + 1] = y[prefix + 1] LOOP prefix := prefix + 1; END LOOP;
    found := found + prefix * 0.1 * (1.0 - found);
  END IF;
  RETURN found;
END $$;
CREATE OR REPLACE FUNCTION pg_temp.strip_accents(x text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT normalize(regexp_replace(normalize(x, NFD), '[\\u0300-\\u036f]', '', 'g'), NFC) $$;
"""


class Postgres(Backend):
    """PostgreSQL."""

    compiler = dialects.Postgres()

    def _post_connect(self) -> None:
        super()._post_connect()
        self.con.execute(FUNCTIONS)
