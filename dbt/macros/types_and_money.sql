{#- What a kind of column is in the warehouse. -#}
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
  {#- A numeric of BigQuery has nine decimals at most; its parameters belong to columns of tables, not to casts. -#}
  {%- do return({
    'text': 'string', 'date': 'date', 'timestamp': 'timestamp', 'flag': 'boolean', 'whole': 'int64',
    'money': 'numeric', 'quantity': 'numeric', 'rate': 'bignumeric', 'json': 'string',
  }[kind]) -%}
{%- endmacro %}

{#-
  An amount in the organisation's own currency, to the cent, halves away from zero. A rate is what one unit of that
  currency buys; without a rate the amount is in it already.
-#}
{% macro in_base(amount, rate) -%}
  {{ return(adapter.dispatch('in_base', 'xero_ledger')(amount, rate)) }}
{%- endmacro %}

{% macro default__in_base(amount, rate) -%}
  round({{ amount }} / coalesce(nullif({{ rate }}, 0), 1), 2)
{%- endmacro %}

{#- A quotient of decimals is a float in DuckDB, which rounds 1.275 down: whole numbers instead. -#}
{% macro duckdb__in_base(amount, rate) -%}
  {{ xero_ledger.duckdb__share(amount, '1', 'coalesce(nullif(' ~ rate ~ ', 0), 1)') }}
{%- endmacro %}

{% macro bigquery__in_base(amount, rate) -%}
  cast(round(cast({{ amount }} as bignumeric) / coalesce(nullif(cast({{ rate }} as bignumeric), 0), 1), 2) as numeric)
{%- endmacro %}

{#- amount * part / whole to the cent, halves away from zero; null if the whole is nothing. -#}
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
  {#- In ten-thousandths and ten-thousand-millionths: cents = round(a * p * 100 / w), with a sign. -#}
  {%- set a = "cast((" ~ amount ~ ") * 10000 as hugeint)" -%}
  {%- set p = "cast(cast((" ~ part ~ ") as decimal(18,4)) * 10000 as hugeint)" -%}
  {%- set w = "cast(cast((" ~ whole ~ ") as decimal(20,10)) * 10000000000 as hugeint)" -%}
  cast(
    sign({{ amount }}) * sign({{ part }}) * sign({{ whole }}) * (
      (2 * abs({{ a }}) * abs({{ p }}) * 10000 + abs(nullif({{ w }}, 0))) // (2 * abs(nullif({{ w }}, 0)))
    ) as decimal(18,0)) * cast(0.01 as decimal(3,2))
{%- endmacro %}

{#- A field of an object in a column of JSON, as text. -#}
{% macro json_text(column, name) -%}
  {{ return(adapter.dispatch('json_text', 'xero_ledger')(column, name)) }}
{%- endmacro %}

{% macro default__json_text(column, name) -%} {{ column }} ->> '{{ name }}' {%- endmacro %}
{% macro duckdb__json_text(column, name) -%} json_extract_string({{ column }}, '$.{{ name }}') {%- endmacro %}
{% macro snowflake__json_text(column, name) -%} cast(get({{ column }}, '{{ name }}') as varchar) {%- endmacro %}
{% macro bigquery__json_text(column, name) -%} json_value({{ column }}, '$.{{ name }}') {%- endmacro %}

{#- The first day of the month of a date, as a date. -#}
{% macro month_of(date) -%} cast({{ dbt.date_trunc('month', date) }} as date) {%- endmacro %}

{#- A key from columns, the same in every run; without a hash, which takes longer than all the rest of a model. -#}
{% macro key_of(columns) -%}
  {%- set parts = [] -%}
  {%- for column in columns -%}
    {%- do parts.append("coalesce(cast(" ~ column ~ " as " ~ dbt.type_string() ~ "), '')") -%}
    {%- do parts.append("'|'") -%}
  {%- endfor -%}
  {{ dbt.concat(parts[:-1]) }}
{%- endmacro %}

{#-
  How many movements of one tracked item can be valued, one step of a recursion each: BigQuery takes 500 steps and
  Snowflake 100, unless its support raises that. The others have no limit.
-#}
{% macro stock_movements_limit() -%}
  {%- do return({'bigquery': 499, 'snowflake': 99}.get(target.type)) -%}
{%- endmacro %}

{#- PostgreSQL plans by statistics, which a table that was made this moment lacks. -#}
{% macro analyze_table() %}
  {%- if target.type == 'postgres' and model.config.materialized in ['table', 'incremental'] -%}
    analyze {{ this }}
  {%- endif -%}
{% endmacro %}

{#-
  A model reads its tables whole. PostgreSQL's 4 MB would send sorts and joins through the disk, and by statistics that
  it does not have for what one query makes on the way, it would join by tenant_id alone and compare each row with each:
  hash joins are right here, but for a recursion that looks up row after row.
-#}
{% macro whole_tables(row_by_row=false) %}
  {%- if target.type == 'postgres' -%}
    set local work_mem = '128MB'; set local jit = off;
    {%- if not row_by_row %} set local enable_mergejoin = off; set local enable_nestloop = off;{% endif %}
  {%- endif -%}
{% endmacro %}
