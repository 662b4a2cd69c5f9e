"""The parts of a statement that the grammar of a warehouse does not allow."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

#: Reserved words, see https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical and
#: https://docs.snowflake.com/en/sql-reference/reserved-keywords
RESERVED = {
    "bigquery": """all and any array as asc assert_rows_modified at between by case cast collate contains create cross
    cube current default define desc distinct else end enum escape except exclude exists extract false fetch following
    for from full group grouping groups hash having if ignore in inner intersect interval into is join lateral left
    like limit lookup merge natural new no not null nulls of on or order outer over partition preceding proto qualify
    range recursive respect right rollup rows select set some struct tablesample then to treat true unbounded union
    unnest using when where window with within""",
    "snowflake": """account all alter and any as between by case cast check column connect connection constraint create
    cross current current_date current_time current_timestamp current_user database delete distinct drop else exists
    false following for from full grant group gscluster having ilike in increment inner insert intersect into is issue
    join lateral left like localtime localtimestamp minus natural not null of on or order organization qualify regexp
    revoke right rlike row rows sample schema select set some start table tablesample then to trigger true try_cast
    union unique update using values view when whenever where with""",
}
#: Operators of PostgreSQL and DuckDB that sqlglot reads in any dialect.
FOREIGN = {
    "bigquery": {
        TokenType.ARROW,
        TokenType.DARROW,
        TokenType.DCOLON,
        TokenType.HASH_ARROW,
        TokenType.DHASH_ARROW,
    },
    "snowflake": {TokenType.ARROW, TokenType.DARROW, TokenType.HASH_ARROW, TokenType.DHASH_ARROW},
}


def faults(statement: str, dialect: str) -> list[str]:
    """The errors of a statement in a dialect: syntax, operators, unknown functions, reserved words as names."""
    try:
        (tree,) = sqlglot.parse(statement, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    except (SqlglotError, ValueError) as error:
        return [str(error).splitlines()[0]]
    if not isinstance(tree, exp.Query):
        return ["no query"]
    reserved = set(RESERVED[dialect].split())
    found = [f"{call.name} is no function" for call in tree.find_all(exp.Anonymous)]
    found += ["DISTINCT ON" for distinct in tree.find_all(exp.Distinct) if distinct.args.get("on")]
    tokens = sqlglot.tokenize(statement, read=dialect)
    found += [f"{token.text} is no operator" for token in tokens if token.token_type in FOREIGN[dialect]]
    for name in tree.find_all(exp.Identifier):
        after_a_dot = isinstance(name.parent, exp.Column) and name.parent.args.get("table") is not None
        if name.name.lower() in reserved and not name.args["quoted"] and not after_a_dot:
            found.append(f"{name.name} is reserved")
    return sorted(set(found))
