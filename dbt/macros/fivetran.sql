{#-
  Runs Fivetran's dbt package for Xero on the tables of tap-xero. These macros replace how the package finds its source
  tables and organisations; other packages of Fivetran are not affected. No table names, stream maps or hooks are needed.

  dbt looks for both macros in the root project, then in the packages that `dispatch` lists for fivetran_utils.
-#}
{% macro default__union_connections(connection_dictionary, single_source_name, single_table_name, default_identifier=none) %}
  {%- if single_source_name == 'xero' %}
    {{ xero_ledger.fivetran_table(single_table_name) }}
  {%- else %}
    {{ fivetran_utils.default__union_connections(connection_dictionary, single_source_name, single_table_name, default_identifier) }}
  {%- endif %}
{% endmacro %}

{% macro default__apply_source_relation(package_name, use_package_prefix=true) %}
  {%- if package_name == 'xero' %}
  , cast(tenant_id as {{ dbt.type_string() }}) as source_relation
  {%- else %}
    {{ fivetran_utils.default__apply_source_relation(package_name, use_package_prefix) }}
  {%- endif %}
{% endmacro %}

{#- A table that Fivetran's package reads, from the tap's tables or from the ledger. -#}
{% macro fivetran_table(name) %}
  {%- if name in ['journal', 'journal_line', 'journal_line_has_tracking_category'] %}
    select * from {{ ref('fivetran_' ~ name) }}
  {%- elif name in ['journal_cash', 'journal_cash_line', 'journal_cash_line_has_tracking_category'] %}
    {{ xero_ledger.fivetran_cash_table(name) }}
  {%- elif name == 'account' %}
    {#- Includes deleted accounts and the suspense account. The package joins invoice lines by code, which two accounts
      can share, so only one of them keeps it. #}
    select
      tenant_id, account_id, account_name as name, case when holds_code then account_code end as code,
      account_type as type, account_class as class, {{ dbt.current_timestamp() }} as _fivetran_synced
    from {{ ref('chart_of_accounts') }}
  {%- else %}
    {%- set tables = {
      'contact': ['contacts', 'contact_id:text name:text'],
      'organization': ['organisation', 'organisation_id:text financial_year_end_month:whole financial_year_end_day:whole'],
      'invoice': ['invoices', 'invoice_id:text contact_id:text date:date due_date:date planned_payment_date:date'
        ~ ' expected_payment_date:date fully_paid_on_date:date updated_date_utc:timestamp currency_code:text currency_rate:rate'
        ~ ' invoice_number:text reference:text sent_to_contact:flag status:text type:text url:text'],
      'invoice_line_item': ['invoice_line_items', 'invoice_id:text line_item_id:text account_code:text description:text'
        ~ ' quantity:quantity unit_amount:quantity line_amount:money tax_amount:money tax_type:text item_code:text'
        ~ ' discount_rate:quantity discount_entered_as_percent:flag', 'invoices', ['invoice_id']],
      'invoice_line_item_has_tracking_category': ['invoice_line_item_tracking', 'invoice_id:text line_item_id:text'
        ~ ' tracking_category_id:text option:text', 'invoices', ['invoice_id']],
      'bank_transaction': ['bank_transactions', 'bank_transaction_id:text contact_id:text'],
      'credit_note': ['credit_notes', 'credit_note_id:text contact_id:text'],
      'tracking_category': ['tracking_categories', 'tracking_category_id:text name:text status:text'],
      'tracking_category_option': ['tracking_options', 'tracking_option_id:text name:text'],
      'tracking_category_has_option': ['tracking_options', 'tracking_category_id:text tracking_option_id:text'],
    } %}
    {%- set columns = {} %}
    {%- for column in tables[name][1].split() + ['_sdc_extracted_at:timestamp'] %}
      {%- do columns.update({column.split(':')[0]: column.split(':')[1]}) %}
    {%- endfor %}
    select
      tap.*,
      {%- if name == 'contact' %}
      false as _fivetran_deleted,
      {%- elif name == 'tracking_category_option' %}
      {#- Archived options still belong to the lines that have them. #}
      'ACTIVE' as status,
      {%- endif %}
      tap._sdc_extracted_at as _fivetran_synced
    from ({{ xero_ledger.tap_table(tables[name][0], columns, parent=tables[name][2], parent_key=tables[name][3]) }}) as tap
  {%- endif %}
{% endmacro %}

{% macro fivetran_cash_table(name) %}
  {%- if name == 'journal_cash' %}
    {{ xero_ledger.tap_table('cash_journals', {'journal_id': 'text', 'journal_date': 'date', 'journal_number': 'whole', 'source_id': 'text', 'source_type': 'text', 'reference': 'text', 'created_date_utc': 'timestamp'}) }}
  {%- elif name == 'journal_cash_line' %}
    {{ xero_ledger.tap_table('cash_journal_lines', {'journal_id': 'text', 'journal_line_id': 'text', 'account_id': 'text', 'net_amount': 'money', 'gross_amount': 'money', 'tax_amount': 'money', 'tax_type': 'text', 'tax_name': 'text', 'description': 'text'}) }}
  {%- else %}
    select c.*, c.tracking_option_id as tracking_category_option_id
    from ({{ xero_ledger.tap_table('cash_journal_line_tracking', {'journal_id': 'text', 'journal_line_id': 'text', 'tracking_category_id': 'text', 'tracking_option_id': 'text', 'option': 'text'}) }}) as c
  {%- endif %}
{% endmacro %}

{#-
  Raises an error if Fivetran's package does not use these macros. Without them, it would look for tables that the tap
  does not have, and build empty or duplicated models without an error.
-#}
{% macro check_fivetran() -%}
  {#- A unit test has no graph. #}
  {%- if execute and graph is mapping and graph.nodes is defined %}
    {%- for node in graph.nodes.values() if node.package_name == 'xero' and node.name == 'stg_xero__account_tmp' %}
      {%- if 'model.xero_ledger.chart_of_accounts' not in node.depends_on.nodes %}
        {%- do exceptions.raise_compiler_error(
          "Fivetran's package does not use the macros of xero_ledger. Add this to dbt_project.yml:\n"
          ~ "dispatch:\n  - {macro_namespace: fivetran_utils, search_order: [" ~ project_name ~ ", xero_ledger, fivetran_utils]}") %}
      {%- endif %}
    {%- endfor %}
  {%- endif %}
{%- endmacro %}
