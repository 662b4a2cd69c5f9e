{{ xero_ledger.tap_table('credit_note_allocations', {
  'credit_note_id': 'text', 'allocation_id': 'text', 'invoice_id': 'text', 'amount': 'money', 'date': 'date',
  'is_deleted': 'flag', 'updated_date_utc': 'timestamp',
}, key=['credit_note_id', 'allocation_id'], parent='credit_notes', parent_key=['credit_note_id']) }}
