{{ xero_ledger.tap_table('prepayment_allocations', {
  'prepayment_id': 'text', 'allocation_id': 'text', 'invoice_id': 'text', 'amount': 'money', 'date': 'date',
  'is_deleted': 'flag', 'updated_date_utc': 'timestamp',
}, key=['prepayment_id', 'allocation_id'], parent='prepayments', parent_key=['prepayment_id']) }}
