{#- The date of the aged reports. -#}
{% macro as_at() -%}
  {%- if var('xero_as_at') -%} cast('{{ var('xero_as_at') }}' as date) {%- else -%} current_date {%- endif -%}
{%- endmacro %}

{#-
  The documents that were open on a day, with their total less the payments and credits until then. `days` is a relation
  with tenant_id and as_at. Credits are negative, like in Xero's aged reports. Base currency is at the document's rate.
-#}
{% macro open_documents(days) %}
  {%- set money = xero_ledger.column_type('money') %}
  with documents as (

      select
          tenant_id, record_id as document_id, record_id, case when record = 'invoice' then 'Invoice' else 'Credit note' end as kind,
          is_sale, contact_id, date, due_date, number, reference, currency_code, currency_rate, total,
          case when record = 'invoice' then 1 else -1 end as sign
      from {{ ref('ledger_documents') }}
      where is_posted and record in ('invoice', 'credit_note')
      {%- for kind in ['prepayment', 'overpayment'] %}
      union all
      select
          p.tenant_id, p.{{ kind }}_id, p.{{ kind }}_id, '{{ kind | capitalize }}', p.type like 'RECEIVE%' or p.type like 'AR%', p.contact_id, p.date,
          cast(null as date), cast(null as {{ dbt.type_string() }}), p.reference, coalesce(p.currency_code, o.base_currency),
          coalesce(nullif(p.currency_rate, 0), 1), coalesce(p.total, 0), -1
      from {{ ref('stg_tap_xero__' ~ kind ~ 's') }} as p
      inner join {{ ref('organisations') }} as o on o.tenant_id = p.tenant_id
      where p.status in ('AUTHORISED', 'PAID')
      {%- endfor %}

  ),

  used as (

      select
          d.tenant_id, d.as_at, s.document_id,
          cast(sum(case when s.use_kind = 'payment' then s.amount else 0 end) as {{ money }}) as paid,
          cast(sum(case when s.use_kind = 'allocation' then s.amount else 0 end) as {{ money }}) as credited
      from {{ days }} as d
      inner join {{ ref('ledger_settlements') }} as s on s.tenant_id = d.tenant_id and s.date <= d.as_at
      group by d.tenant_id, d.as_at, s.document_id

  ),

  dated as (

      select
          d.*, n.as_at, coalesce(u.paid, 0) as paid, coalesce(u.credited, 0) as credited,
          cast(d.total - coalesce(u.paid, 0) - coalesce(u.credited, 0) as {{ money }}) as due,
          cast(coalesce(u.paid, 0) + coalesce(u.credited, 0) as {{ money }}) as used
      from documents as d
      inner join {{ days }} as n on n.tenant_id = d.tenant_id and d.date <= n.as_at
      left join used as u on u.tenant_id = d.tenant_id and u.as_at = n.as_at and u.document_id = d.document_id

  )

  select
      tenant_id, as_at, document_id, record_id, kind, is_sale, contact_id, date, due_date, number, reference,
      currency_code, currency_rate, sign,
      cast(sign * total as {{ money }}) as total,
      cast(sign * paid as {{ money }}) as paid,
      cast(sign * credited as {{ money }}) as credited,
      cast(sign * due as {{ money }}) as due,
      cast(sign * ({{ xero_ledger.in_base('total', 'currency_rate') }} - {{ xero_ledger.in_base('used', 'currency_rate') }}) as {{ money }}) as due_in_base
  from dated
  where due <> 0
{% endmacro %}

{#- Aged receivables or payables, split by the tracking of the documents' lines. -#}
{% macro aged(side) %}
  {%- set money = xero_ledger.column_type('money') %}
  with open_ones as (

      select * from (
          {{ xero_ledger.open_documents('(select tenant_id, ' ~ xero_ledger.as_at() ~ ' as as_at from ' ~ ref('organisations') ~ ')') }}
      ) as every
      where {{ 'is_sale' if side == 'receivables' else 'not is_sale' }}

  ),

  parts as (

      select
          r.*, sum(gross) over (partition by tenant_id, record, record_id) as gross_in_all
      from {{ ref('ledger_document_totals') }} as r
      where record in ('invoice', 'credit_note')

  ),

  split as (

      select
          d.*, {{ xero_ledger.tags('p') }},
          p.tags,
          {%- for name in ['total', 'paid', 'credited', 'due', 'due_in_base'] %}
          case
              when p.record_id is null or p.gross_in_all = 0 then case when coalesce(p.from_last, 1) = 1 then d.{{ name }} else 0 end
              else {{ xero_ledger.share('d.' ~ name, 'p.gross_so_far', 'p.gross_in_all') }} - {{ xero_ledger.share('d.' ~ name, '(p.gross_so_far - p.gross)', 'p.gross_in_all') }}
          end as part_{{ name }}{{ ',' if not loop.last }}
          {%- endfor %}
      from open_ones as d
      left join parts as p on p.tenant_id = d.tenant_id and p.record_id = d.record_id

  )

  select
      {{ xero_ledger.key_of(['s.tenant_id', 's.document_id', 's.tags']) }} as aged_id,
      s.tenant_id,
      o.organisation_name,
      s.as_at,
      s.contact_id,
      c.name as contact_name,
      s.document_id,
      s.kind as document_kind,
      s.number as document_number,
      s.reference,
      s.date,
      s.due_date,
      cast(greatest({{ dbt.datediff('coalesce(s.due_date, s.date)', 's.as_at', 'day') }}, 0) as {{ dbt.type_int() }}) as days_overdue,
      case
          when {{ dbt.datediff('coalesce(s.due_date, s.date)', 's.as_at', 'day') }} <= 0 then 'Not due'
          when {{ dbt.datediff('coalesce(s.due_date, s.date)', 's.as_at', 'day') }} <= 30 then '1-30 days'
          when {{ dbt.datediff('coalesce(s.due_date, s.date)', 's.as_at', 'day') }} <= 60 then '31-60 days'
          when {{ dbt.datediff('coalesce(s.due_date, s.date)', 's.as_at', 'day') }} <= 90 then '61-90 days'
          else 'Over 90 days'
      end as age,
      {{ xero_ledger.tags('s') }},
      o.base_currency,
      s.currency_code,
      s.currency_rate,
      {%- for name in ['total', 'paid', 'credited', 'due', 'due_in_base'] %}
      cast(s.part_{{ name }} as {{ money }}) as {{ name }}{{ ',' if not loop.last }}
      {%- endfor %}
  from split as s
  inner join {{ ref('organisations') }} as o on o.tenant_id = s.tenant_id
  left join {{ ref('stg_tap_xero__contacts') }} as c on c.tenant_id = s.tenant_id and c.contact_id = s.contact_id
{% endmacro %}
