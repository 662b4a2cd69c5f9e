-- The documents that were open on the day of the aged report.
select * from (
    {{ xero_ledger.open_documents("(select tenant_id, as_at from " ~ ref('aged_report_days') ~ " where side = 'payables')") }}
) as every
where not is_sale
