{%- for slot in [1, 2] %}
select
    g.tenant_id,
    g.ledger_source || ':' || g.journal_id as journal_id,
    g.entry_id as journal_line_id,
    o.tracking_category_id,
    g.tracking_option_id_{{ slot }} as tracking_category_option_id,
    g.tracking_option_{{ slot }} as option
from {{ ref('general_ledger') }} as g
inner join {{ ref('stg_tap_xero__tracking_options') }} as o
    on o.tenant_id = g.tenant_id and o.tracking_option_id = g.tracking_option_id_{{ slot }}
{{ 'union all' if not loop.last }}
{%- endfor %}
