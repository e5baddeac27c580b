"""What a source SELECT asks for, read from its syntax tree: raw tables, columns, and where its rows come from. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from revops_helpers.settings import InputError

RawName = tuple[str, str]  # (entry, raw table)
MACROS = ("as_number", "as_day", "as_moment")


@dataclass(frozen=True)
class Select:
    """One SELECT. `tree` names every raw table with its entry; `label` is what messages call it."""

    label: str
    tree: exp.Query

    @cached_property
    def scopes(self) -> list[Scope]:
        return traverse_scope(self.tree)

    @cached_property
    def _names(self) -> frozenset[RawName]:
        return frozenset(raw_name(table) for table in _raw_tables(self.tree))

    def raw_names(self) -> frozenset[RawName]:
        return self._names

    def main(self) -> RawName | None:
        """The raw table that the first FROM names, if it names one."""
        leaf = next(_branches(self.tree))
        table = _from(leaf)
        return raw_name(table) if isinstance(table, exp.Table) and table.db else None


def parse(text: str, label: str, entry: str) -> Select:
    """The SELECT in `text`, its raw tables qualified by the entry. InputError unless it is one SELECT."""
    try:
        statements = [s for s in sqlglot.parse(text, dialect="duckdb") if s is not None]
    except sqlglot.errors.SqlglotError as error:
        raise InputError(f"{label}: not readable as SQL: {str(error).splitlines()[0]}") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise InputError(f"{label}: must hold exactly one SELECT")
    (tree,) = statements
    for table in _raw_tables(tree):
        if not table.db:
            table.set("db", exp.to_identifier(entry))
    return Select(label, tree)


def raw_name(table: exp.Table) -> RawName:
    return table.db.lower(), table.name.lower()


def _raw_tables(tree: exp.Query) -> list[exp.Table]:
    """Tables that are no CTE and no table function."""
    found = [t for scope in traverse_scope(tree) for t in scope.sources.values() if isinstance(t, exp.Table)]
    return list({id(t): t for t in found if isinstance(t.this, exp.Identifier)}.values())


def _from(select: exp.Query) -> exp.Expression | None:
    clause = select.args.get("from_") or select.args.get("from")
    return clause.this if clause else None


def _branches(query: exp.Query) -> Iterator[exp.Query]:
    """The SELECTs that a UNION is made of, or the one itself."""
    if isinstance(query, exp.SetOperation):
        yield from _branches(query.left.unnest())
        yield from _branches(query.right.unnest())
    else:
        yield query


def own_id(given: exp.Expression) -> tuple[str, exp.Column] | None:
    """(prefix, column) of a system's own ids: `'outreach-' || p.id`, also as what coalesce() falls back on; None of others."""
    for one in (given, *given.expressions) if isinstance(given, exp.Coalesce) else (given,):
        if isinstance(one, exp.DPipe) and one.this.is_string and isinstance(one.expression, exp.Column):
            return one.this.name, one.expression
    return None


def prefixes(select: Select, column: str) -> tuple[str, ...]:
    """What a SELECT puts before a system's own ids in one of its columns; none where it is the same for no branch of a UNION."""
    names = select.tree.named_selects
    given = (branch.selects[names.index(column)].unalias() for branch in _branches(select.tree)) if column in names else ()
    return tuple(dict.fromkeys(own[0] for one in given if (own := own_id(one))))


def lacking(query: exp.Query, there: Collection[RawName], ctes: Mapping[str, exp.Query] | None = None) -> set[RawName]:
    """Raw tables that are absent and without which the query gives no row: in FROM or inner joined, in every UNION branch."""
    ctes = {**(ctes or {}), **{cte.alias: cte.this for cte in query.ctes}}
    if isinstance(query, exp.SetOperation):
        sides = [lacking(side.unnest(), there, ctes) for side in (query.left, query.right)]
        return sides[0] | sides[1] if all(sides) else set()
    joins = [join.this for join in query.args.get("joins") or [] if join.side != "LEFT"]
    found: set[RawName] = set()
    for source in [_from(query), *joins]:
        if isinstance(source, exp.Subquery):
            found |= lacking(source.unnest(), there, ctes)
        elif isinstance(source, exp.Table) and not source.db and source.name in ctes:
            found |= lacking(ctes[source.name], there, {k: v for k, v in ctes.items() if k != source.name})
        elif isinstance(source, exp.Table) and source.db and raw_name(source) not in there:
            found.add(raw_name(source))
    return found


def replaced(select: Select, there: Collection[RawName], either: Collection[Collection[str]]) -> set[RawName]:
    """Raw tables named only by branches of a UNION that another one stands for: `either` lists tables of which one is enough."""
    ctes = {cte.alias: cte.this for cte in select.tree.ctes}
    living: set[RawName] = set()
    for branch in _branches(select.tree):
        first = _from(branch)
        main = raw_name(first) if isinstance(first, exp.Table) and first.db else ("", "")
        others = {(main[0], other) for group in either if main[1] in group for other in group}
        if main in there or not others & set(there):
            living |= _named(branch, ctes)
    return select.raw_names() - living


def _named(query: exp.Query, ctes: Mapping[str, exp.Query]) -> set[RawName]:
    """The raw tables of a query and of the CTEs that it uses."""
    found: set[RawName] = set()
    for table in query.find_all(exp.Table):
        if table.db:
            found.add(raw_name(table))
        elif table.name in ctes:
            found |= _named(ctes[table.name], {name: cte for name, cte in ctes.items() if name != table.name})
    return found


def columns(select: Select, known: Mapping[RawName, Collection[str]]) -> Iterator[tuple[RawName, str, str]]:
    """(raw table, column, macro or '') of every raw column that the SELECT names; `known` are the columns that files have."""
    for scope in select.scopes:
        for column in scope.columns:
            owner = _owner(scope, column, known)
            if owner and column.name.lower() not in ("_file", "_line"):
                call = column.parent
                macro = call.name.lower() if isinstance(call, exp.Anonymous) and call.name.lower() in MACROS else ""
                yield owner, column.name.lower(), macro


def outputs_of_absent(select: Select, known: Mapping[RawName, Collection[str]]) -> set[str]:
    """Output columns of a plain SELECT whose expressions name nothing but raw columns that no file has."""
    if not isinstance(select.tree, exp.Select):
        return set()
    root, found = select.scopes[-1], set()
    for projection in select.tree.selects:
        owners = [(_owner(root, column, known), column.name.lower()) for column in projection.find_all(exp.Column)]
        if owners and all(owner and name not in known.get(owner, ()) for owner, name in owners):
            found.add(projection.alias_or_name)
    return found


def _owner(scope: Scope, column: exp.Column, known: Mapping[RawName, Collection[str]]) -> RawName | None:
    """The raw table that a column belongs to; a name that nothing has belongs to the first raw table in FROM."""
    name = column.name.lower()
    if column.table:
        source = scope.sources.get(column.table)
        return _behind(source, name)
    if column.find_ancestor(exp.Select) is not scope.expression:
        return None  # the subquery's own scope tells
    around, outer = list(scope.sources.values()), scope.parent
    while outer is not None and scope.is_subquery:
        around, outer = [*around, *outer.sources.values()], outer.parent
    owners = [owner for source in around if (owner := _behind(source, name))]
    if any(name in known.get(owner, ()) for owner in owners):
        return next(owner for owner in owners if name in known.get(owner, ()))
    if any(isinstance(source, Scope) and name in source.expression.named_selects for source in around):
        return None
    aliases = [alias.lower() for alias in scope.expression.named_selects]
    if name in aliases and not _is_itself(scope.expression, name):
        return None
    return owners[0] if owners else None


def _behind(source: exp.Table | Scope | None, name: str) -> RawName | None:
    """The raw table that `name` would come from: the source itself, or the one whose `*` a CTE or subquery hands through."""
    if isinstance(source, exp.Table):
        return raw_name(source) if source.db else None
    if isinstance(source, Scope) and source.expression.is_star and name not in source.expression.named_selects:
        inner = [owner for s in source.sources.values() if (owner := _behind(s, name))]
        return inner[0] if inner else None
    return None


def _is_itself(select: exp.Select, name: str) -> bool:
    """Whether the output column of that name is the bare column (`SELECT fax`), not an alias that other expressions use."""
    return any(isinstance(p, exp.Column) and p.name.lower() == name for p in select.selects)


def with_position(tree: exp.Query) -> exp.Query:
    """The query handing `_file` and `_line` of its first raw table through, where every branch is plain; else unchanged."""
    if any(name in ("_file", "_line") for name in tree.named_selects) or tree.is_star:
        return tree
    if any(node.args.get("distinct") is not False for node in tree.find_all(exp.SetOperation)):
        return tree
    changed = tree.copy()
    branches = list(_branches(changed))
    if not all(_is_plain(branch) for branch in branches):
        return tree
    for branch in branches:
        table = _from(branch)
        for name in ("_file", "_line"):
            branch.select(exp.alias_(exp.column(name, table=table.alias_or_name), name), copy=False)
    return changed


def _is_plain(select: exp.Query) -> bool:
    if not isinstance(select, exp.Select) or select.is_star or any(select.args.get(k) for k in ("group", "distinct")):
        return False
    table = _from(select)
    aggregates = any(p.find(exp.AggFunc) and not p.find(exp.Window) for p in select.selects)
    return isinstance(table, exp.Table) and bool(table.db) and not aggregates
