-- The tracking of each line in two groups of columns: Xero allows two options on a line. The first two categories of an
-- organisation by name have fixed columns. An archived category takes the columns that are free on its line.
with options as (

    select
        c.tenant_id,
        c.tracking_category_id,
        c.name as category,
        o.tracking_option_id,
        o.name as option_name
    from {{ ref('stg_tap_xero__tracking_categories') }} as c
    left join {{ ref('stg_tap_xero__tracking_options') }} as o
        on o.tenant_id = c.tenant_id and o.tracking_category_id = c.tracking_category_id

),

categories as (

    select
        tenant_id,
        tracking_category_id,
        name as category,
        row_number() over (
            partition by tenant_id
            order by case when status = 'ACTIVE' then 0 else 1 end, name, tracking_category_id
        ) as place
    from {{ ref('stg_tap_xero__tracking_categories') }}

),

tags as (

    {%- for one in ['invoice', 'credit_note', 'bank_transaction', 'receipt'] %}
    select
        tenant_id, {{ one }}_id as record_id, line_item_id as line_id, tracking_category_id, name,
        cast(null as {{ dbt.type_string() }}) as tracking_option_id, option
    from {{ ref('stg_tap_xero__' ~ one ~ '_line_item_tracking') }}
    union all
    {%- endfor %}
    select
        tenant_id, manual_journal_id, cast(line_number as {{ dbt.type_string() }}), tracking_category_id, name,
        cast(null as {{ dbt.type_string() }}), option
    from {{ ref('stg_tap_xero__manual_journal_line_tracking') }}
    union all
    select t.tenant_id, t.journal_id, t.journal_line_id, t.tracking_category_id, t.name, t.tracking_option_id, t.option
    from {{ ref('stg_tap_xero__journal_line_tracking') }} as t
    inner join {{ ref('organisations') }} as o on o.tenant_id = t.tenant_id and o.ledger_from = 'journals'

),

-- Options are matched by id if Xero returns one, so that renamed options have their new name, else by name. Archived
-- options are included.
named as (

    select
        t.tenant_id,
        t.record_id,
        t.line_id,
        t.tracking_category_id,
        coalesce(c.category, t.name) as category,
        coalesce(by_id.tracking_option_id, by_name.tracking_option_id, t.tracking_option_id) as option_id,
        coalesce(by_id.option_name, by_name.option_name, t.option) as option_name,
        coalesce(c.place, 99) as place
    from tags as t
    left join categories as c
        on c.tenant_id = t.tenant_id and c.tracking_category_id = t.tracking_category_id
    left join options as by_id
        on by_id.tenant_id = t.tenant_id and by_id.tracking_option_id = t.tracking_option_id
    left join options as by_name
        on by_name.tenant_id = t.tenant_id and by_name.tracking_category_id = t.tracking_category_id
        and by_name.option_name = t.option and t.tracking_option_id is null

),

-- The few lines with a category that has no fixed columns.
with_others as (

    select distinct tenant_id, record_id, line_id from named where place > 2

),

counted as (

    select
        n.*,
        max(case when n.place = 1 then 1 else 0 end) over (partition by n.tenant_id, n.record_id, n.line_id) as has_first,
        row_number() over (
            partition by n.tenant_id, n.record_id, n.line_id, case when n.place > 2 then 1 else 0 end
            order by n.place, n.category, n.tracking_category_id
        ) as place_among_others
    from named as n
    inner join with_others as w
        on w.tenant_id = n.tenant_id and w.record_id = n.record_id and w.line_id = n.line_id

),

placed as (

    select n.tenant_id, n.record_id, n.line_id, n.category, n.option_name, n.option_id, n.place as slot
    from named as n
    left join with_others as w
        on w.tenant_id = n.tenant_id and w.record_id = n.record_id and w.line_id = n.line_id
    where w.line_id is null
    union all
    select
        tenant_id, record_id, line_id, category, option_name, option_id,
        case
            when place <= 2 then place
            when place_among_others = 1 and has_first = 0 then 1
            else 2
        end
    from counted

)

select
    tenant_id,
    record_id,
    line_id,
    {%- for slot in [1, 2] %}
    max(case when slot = {{ slot }} then category end) as tracking_category_{{ slot }},
    max(case when slot = {{ slot }} then option_name end) as tracking_option_{{ slot }},
    max(case when slot = {{ slot }} then option_id end) as tracking_option_id_{{ slot }},
    {%- endfor %}
    count(*) as tags
from placed
group by tenant_id, record_id, line_id
