-- The journals that Fivetran's package reads, from the ledger of each organisation, whatever its source.
select
    tenant_id,
    ledger_source || ':' || journal_id as journal_id,
    min(date) as journal_date,
    min(journal_number) as journal_number,
    max(source_id) as source_id,
    max(source_type) as source_type,
    max(reference) as reference,
    max(updated_date_utc) as created_date_utc
from {{ ref('general_ledger') }}
group by tenant_id, ledger_source || ':' || journal_id
