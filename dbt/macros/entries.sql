{#- The tracking columns of an entry without tracking. -#}
{% macro no_tags() -%}
  {%- for slot in [1, 2] %}
    {%- for name in ['tracking_category', 'tracking_option', 'tracking_option_id'] %}
        cast(null as {{ dbt.type_string() }}) as {{ name }}_{{ slot }}{{ ', ' if not (loop.last and slot == 2) }}
    {%- endfor %}
  {%- endfor %}
{%- endmacro %}

{#- The tracking columns of a table alias. -#}
{% macro tags(alias) -%}
  {%- for slot in [1, 2] %}
    {%- for name in ['tracking_category', 'tracking_option', 'tracking_option_id'] -%}
        {{ alias }}.{{ name }}_{{ slot }}{{ ', ' if not (loop.last and slot == 2) }}
    {%- endfor %}
  {%- endfor %}
{%- endmacro %}

{#- A subquery with the numbers 1 to n, for records with several entries. -#}
{% macro rows_to(n) -%}
  (
  {%- for i in range(1, n + 1) -%}
    select {{ i }} as leg {{ 'union all ' if not loop.last }}
  {%- endfor -%}
  )
{%- endmacro %}

{#- The kind of document of a journal, from its SourceType. -#}
{% macro kind_of(source_type) -%}
  case
    when {{ source_type }} = 'ACCREC' then 'Sales invoices'
    when {{ source_type }} = 'ACCPAY' then 'Bills'
    when {{ source_type }} = 'ACCRECCREDIT' then 'Sales credit notes'
    when {{ source_type }} = 'ACCPAYCREDIT' then 'Supplier credit notes'
    when {{ source_type }} = 'CASHREC' then 'Money received'
    when {{ source_type }} = 'CASHPAID' then 'Money spent'
    when {{ source_type }} in ('ARPREPAYMENT', 'APPREPAYMENT') then 'Prepayments'
    when {{ source_type }} in ('AROVERPAYMENT', 'APOVERPAYMENT') then 'Overpayments'
    when {{ source_type }} in ('ACCRECPAYMENT', 'ACCPAYPAYMENT', 'ARCREDITPAYMENT', 'APCREDITPAYMENT') then 'Payments'
    when {{ source_type }} = 'TRANSFER' then 'Transfers'
    when {{ source_type }} = 'MANJOURNAL' then 'Manual journals'
    when {{ source_type }} = 'EXPCLAIM' then 'Expense claims'
    when {{ source_type }} = 'EXPPAYMENT' then 'Expense claim payments'
    when {{ source_type }} in ('WAGEPAYABLE', 'PAYSLIP') then 'Payroll'
    when {{ source_type }} is null then 'Opening balances'
    else 'Other journals'
  end
{%- endmacro %}
