-- Duplicate rows, such as those of a loader that only appends, would count twice. The var `xero_deduplicate` removes
-- them.
{%- set keys = {
    'accounts': ['account_id'], 'organisation': ['organisation_id'], 'invoices': ['invoice_id'],
    'invoice_line_items': ['invoice_id', 'line_item_id'], 'credit_notes': ['credit_note_id'],
    'credit_note_line_items': ['credit_note_id', 'line_item_id'], 'bank_transactions': ['bank_transaction_id'],
    'bank_transaction_line_items': ['bank_transaction_id', 'line_item_id'], 'payments': ['payment_id'],
    'bank_transfers': ['bank_transfer_id'], 'manual_journals': ['manual_journal_id'],
    'manual_journal_lines': ['manual_journal_id', 'line_number'], 'journals': ['journal_id'],
    'journal_lines': ['journal_id', 'journal_line_id'],
} %}
{%- for stream, key in keys.items() %}
select '{{ stream }}' as stream, {{ xero_ledger.key_of(['tenant_id'] + key) }} as row_key, count(*) as times
from {{ ref('stg_tap_xero__' ~ stream) }}
group by {{ xero_ledger.key_of(['tenant_id'] + key) }}
having count(*) > 1
{{ 'union all' if not loop.last }}
{%- endfor %}
