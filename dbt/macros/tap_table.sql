{#-
  A query of a table of the tap with the requested columns, cast to their types.

  stream: the name of the stream, which is the name of its table, such as `invoices`.
  columns: name in snake_case -> kind of `column_type`. Columns with Xero's names (`InvoiceID`) are found as well.
  key: the columns that identify a row, for `xero_deduplicate`.
  parent: for nested tables, the stream of the record. Rows older than their record were removed from it, and are
    excluded.
  parent_key: the columns, in addition to tenant_id, that identify the record.

  A missing column is null, and a missing table has no rows. Rows that the target marked as deleted are excluded. The
  columns come from the warehouse, because dbt's cache can miss tables while several threads fill it. The defaults of
  vars are repeated here, because models of other packages do not get those of this package.
-#}
{% macro tap_table(stream, columns, key=[], parent=none, parent_key=[]) %}
  {#- Refers to the sources in any case, so that dbt knows the dependency before it has a connection. #}
  {%- do source('tap_xero', stream) %}
  {%- if parent %}{% do source('tap_xero', parent) %}{% endif %}
  {%- set columns = dict([('tenant_id', 'text')] + (columns | items | list)) %}
  {%- set found = xero_ledger.tap_columns(stream) %}
  {%- if not found %}
    select
      {%- for name, kind in columns.items() %}
      cast(null as {{ xero_ledger.column_type(kind) }}) as {{ name }}{{ ',' if not loop.last }}
      {%- endfor %}
    limit 0
  {%- else %}
    {%- set newest = 'updateddateutc' if 'updateddateutc' in found else '_sdcextractedat' %}
    {%- set deduplicate = var('xero_deduplicate', false) and key and newest in found %}
    select
      {%- for name, kind in columns.items() %}
      {{ xero_ledger.tap_column(found, name, kind) }} as {{ name }}{{ ',' if not loop.last }}
      {%- endfor %}
    from {% if deduplicate -%}
      (
        select r.*, row_number() over (
          partition by tenant_id, {{ xero_ledger.tap_names(found, key) }}
          order by r.{{ adapter.quote(found[newest]) }} desc
          {%- if '_sdcextractedat' in found %}, r.{{ adapter.quote(found['_sdcextractedat']) }} desc{% endif %}) as row_of_key
        from {{ source('tap_xero', stream) }} as r
      ) as t
    {%- else -%}
      {{ source('tap_xero', stream) }} as t
    {%- endif %}
    where 1 = 1
    {%- if deduplicate %} and t.row_of_key = 1{% endif %}
    {%- if '_sdcdeletedat' in found %} and t.{{ adapter.quote(found['_sdcdeletedat']) }} is null{% endif %}
    {%- if parent and 'updateddateutc' in found %}
      {%- set records = xero_ledger.tap_columns(parent) %}
      {%- if 'updateddateutc' in records %}
      and not exists (
        select 1 from {{ source('tap_xero', parent) }} as p
        where p.tenant_id = t.tenant_id
        {%- for name in parent_key %}
          and p.{{ xero_ledger.tap_names(records, [name]) }} = t.{{ xero_ledger.tap_names(found, [name]) }}
        {%- endfor %}
          and t.{{ adapter.quote(found['updateddateutc']) }} < p.{{ adapter.quote(records['updateddateutc']) }})
      {%- endif %}
    {%- endif %}
  {%- endif %}
{% endmacro %}


{#- The columns of a table of the tap: `short_name` -> name. Empty if the table is missing. -#}
{% macro tap_columns(stream) %}
  {%- set found = {} %}
  {%- if var('xero_assume_tables', false) %}
    {%- do found.update({'_sdcdeletedat': '_sdc_deleted_at', '_sdcextractedat': '_sdc_extracted_at', '*': true}) %}
    {%- if stream not in ['organisation', 'journals', 'journal_lines', 'journal_line_tracking', 'tracking_categories', 'tracking_options', 'tax_rates'] and not stream.startswith('report_') %}
      {%- do found.update({'updateddateutc': 'updated_date_utc'}) %}
    {%- endif %}
  {%- elif execute %}
    {%- for column in adapter.get_columns_in_relation(source('tap_xero', stream)) %}
      {%- do found.update({xero_ledger.short_name(column.name): column.name}) %}
    {%- endfor %}
    {%- if not found and stream in ['organisation', 'accounts'] %}
      {%- do exceptions.raise_compiler_error("There is no table " ~ source('tap_xero', stream) ~ ". The ledger requires the streams accounts and organisation. Select and load them, and set the var xero_schema to their schema.") %}
    {%- elif not found and not flags.QUIET %}
      {%- do log("xero_ledger: there is no table " ~ source('tap_xero', stream) ~ "; it is treated as empty", info=false) %}
    {%- endif %}
  {%- endif %}
  {%- do return(found) %}
{% endmacro %}


{#- A name in lower case without `_`, which is the same for InvoiceID and invoice_id. A leading `_` is kept. -#}
{% macro short_name(name) -%}
  {%- do return(('_' if name.startswith('_') else '') ~ (name | lower | replace('_', ''))) -%}
{%- endmacro %}


{#- A column cast to its kind, or a null of that kind. -#}
{% macro tap_column(found, name, kind) %}
  {%- set short = xero_ledger.short_name(name) %}
  {%- if found.get('*') or short in found -%}
    {%- set column = 't.' ~ adapter.quote(found.get(short, name)) -%}
    {%- if kind == 'json' -%} {{ column }}
    {%- else -%} cast({{ column }} as {{ xero_ledger.column_type(kind) }})
    {%- endif -%}
  {%- else -%} cast(null as {{ xero_ledger.column_type(kind) }})
  {%- endif -%}
{% endmacro %}


{#- The quoted names of columns in the table, separated by commas. -#}
{% macro tap_names(found, names) %}
  {%- for name in names -%}
    {{ adapter.quote(found.get(xero_ledger.short_name(name), name)) }}{{ ', ' if not loop.last }}
  {%- endfor -%}
{% endmacro %}
