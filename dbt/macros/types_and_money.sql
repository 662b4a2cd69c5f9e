{#- The warehouse's type of a kind of column. -#}
{% macro column_type(kind) -%}
  {{ return(adapter.dispatch('column_type', 'xero_ledger')(kind)) }}
{%- endmacro %}

{% macro default__column_type(kind) -%}
  {%- do return({
    'text': dbt.type_string(), 'date': 'date', 'timestamp': dbt.type_timestamp(), 'flag': 'boolean',
    'whole': dbt.type_bigint(), 'money': 'numeric(18,2)', 'quantity': 'numeric(18,4)', 'rate': 'numeric(20,10)',
    'json': dbt.type_string(),
  }[kind]) -%}
{%- endmacro %}

{% macro bigquery__column_type(kind) -%}
  {#- BigQuery's numeric has at most nine decimals, and casts do not accept its parameters. -#}
  {%- do return({
    'text': 'string', 'date': 'date', 'timestamp': 'timestamp', 'flag': 'boolean', 'whole': 'int64',
    'money': 'numeric', 'quantity': 'numeric', 'rate': 'bignumeric', 'json': 'string',
  }[kind]) -%}
{%- endmacro %}

{#-
  An amount in base currency, rounded to the cent, halves away from zero. `rate` is the amount of the other currency for
  one unit of the base currency. Without a rate, the amount is in base currency.
-#}
{% macro in_base(amount, rate) -%}
  {{ return(adapter.dispatch('in_base', 'xero_ledger')(amount, rate)) }}
{%- endmacro %}

{% macro default__in_base(amount, rate) -%}
  round({{ amount }} / coalesce(nullif({{ rate }}, 0), 1), 2)
{%- endmacro %}

{#- DuckDB divides decimals as floats, which rounds 1.275 down. Integers are exact. -#}
{% macro duckdb__in_base(amount, rate) -%}
  {{ xero_ledger.duckdb__share(amount, '1', 'coalesce(nullif(' ~ rate ~ ', 0), 1)') }}
{%- endmacro %}

{% macro bigquery__in_base(amount, rate) -%}
  cast(round(cast({{ amount }} as bignumeric) / coalesce(nullif(cast({{ rate }} as bignumeric), 0), 1), 2) as numeric)
{%- endmacro %}

{#- amount * part / whole, rounded to the cent, halves away from zero; null if `whole` is 0. -#}
{% macro share(amount, part, whole) -%}
  {{ return(adapter.dispatch('share', 'xero_ledger')(amount, part, whole)) }}
{%- endmacro %}

{% macro default__share(amount, part, whole) -%}
  round({{ amount }} * {{ part }} / nullif({{ whole }}, 0), 2)
{%- endmacro %}

{% macro bigquery__share(amount, part, whole) -%}
  cast(round(cast({{ amount }} as bignumeric) * {{ part }} / nullif({{ whole }}, 0), 2) as numeric)
{%- endmacro %}

{% macro duckdb__share(amount, part, whole) -%}
  {#- In units of 10^-4 and 10^-10: cents = round(a * p * 100 / w), with the sign. -#}
  {%- set a = "cast((" ~ amount ~ ") * 10000 as hugeint)" -%}
  {%- set p = "cast(cast((" ~ part ~ ") as decimal(18,4)) * 10000 as hugeint)" -%}
  {%- set w = "cast(cast((" ~ whole ~ ") as decimal(20,10)) * 10000000000 as hugeint)" -%}
  cast(
    sign({{ amount }}) * sign({{ part }}) * sign({{ whole }}) * (
      (2 * abs({{ a }}) * abs({{ p }}) * 10000 + abs(nullif({{ w }}, 0))) // (2 * abs(nullif({{ w }}, 0)))
    ) as decimal(18,0)) * cast(0.01 as decimal(3,2))
{%- endmacro %}

{#- A field of a JSON object, as text. -#}
{% macro json_text(column, name) -%}
  {{ return(adapter.dispatch('json_text', 'xero_ledger')(column, name)) }}
{%- endmacro %}

{% macro default__json_text(column, name) -%} {{ column }} ->> '{{ name }}' {%- endmacro %}
{% macro duckdb__json_text(column, name) -%} json_extract_string({{ column }}, '$.{{ name }}') {%- endmacro %}
{% macro snowflake__json_text(column, name) -%} cast(get({{ column }}, '{{ name }}') as varchar) {%- endmacro %}
{% macro bigquery__json_text(column, name) -%} json_value({{ column }}, '$.{{ name }}') {%- endmacro %}

{#- The first day of the month of a date. -#}
{% macro month_of(date) -%} cast({{ dbt.date_trunc('month', date) }} as date) {%- endmacro %}

{#- A key from columns, the same in every run. A hash would take longer than the rest of a model. -#}
{% macro key_of(columns) -%}
  {%- set parts = [] -%}
  {%- for column in columns -%}
    {%- do parts.append("coalesce(cast(" ~ column ~ " as " ~ dbt.type_string() ~ "), '')") -%}
    {%- do parts.append("'|'") -%}
  {%- endfor -%}
  {{ dbt.concat(parts[:-1]) }}
{%- endmacro %}

{#-
  The most movements of a tracked item that can be valued, each in one step of a recursion. BigQuery allows 500 steps and
  Snowflake 100, unless its support raises the limit. The others have no limit.
-#}
{% macro stock_movements_limit() -%}
  {%- do return({'bigquery': 499, 'snowflake': 99}.get(target.type)) -%}
{%- endmacro %}

{#- PostgreSQL's planner needs statistics, which a new table does not have. -#}
{% macro analyze_table() %}
  {%- if target.type == 'postgres' and model.config.materialized in ['table', 'incremental'] -%}
    analyze {{ this }}
  {%- endif -%}
{% endmacro %}

{#-
  Models read whole tables. With its default of 4 MB, PostgreSQL would sort and join on disk. It has no statistics of
  subqueries, so it would join by tenant_id only and compare all pairs of rows. Hash joins avoid that; `row_by_row` keeps
  other joins for a recursion, which looks up single rows.
-#}
{% macro whole_tables(row_by_row=false) %}
  {%- if target.type == 'postgres' -%}
    set local work_mem = '128MB'; set local jit = off;
    {%- if not row_by_row %} set local enable_mergejoin = off; set local enable_nestloop = off;{% endif %}
  {%- endif -%}
{% endmacro %}
