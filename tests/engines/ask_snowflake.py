"""Runs in the environment of fakesnow: answers, by its own client, the requests that come on standard input, until it ends."""

import contextlib
import pickle
import sys
import warnings

import fakesnow
import snowflake.connector

TYPES = {"int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE", "timestamp[us]": "TIMESTAMP_NTZ(6)"}


def answer(connection, load=None, rows=None, make=None, drop=None, sql=""):
    """The rows that the request brings: of a query, kept as a table where it is to be made; of a load none."""
    cursor = connection.cursor()
    if load:
        columns = ", ".join(f'"{field.name}" {TYPES.get(str(field.type), "VARCHAR")}' for field in rows.schema)
        cursor.execute(f'CREATE TABLE "{load}" ({columns})')
        frame = rows.to_pandas(integer_object_nulls=True)
        snowflake.connector.pandas_tools.write_pandas(connection, frame, load)
        return []
    if make or drop:
        cursor.execute(f'CREATE TEMP TABLE "{make}" AS {sql}' if make else f'DROP TABLE IF EXISTS "{drop}"')
        return []
    return cursor.execute(sql).fetchall()


def main():
    warnings.simplefilter("ignore")
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    with fakesnow.patch(), contextlib.redirect_stdout(sys.stderr), contextlib.suppress(EOFError):
        connection = snowflake.connector.connect(database="revops", schema="public")
        while True:
            request = pickle.load(questions)
            try:
                said = answer(connection, **request), ""
            except snowflake.connector.errors.Error as error:
                said = [], str(error)
            pickle.dump(said, answers)
            answers.flush()


main()
