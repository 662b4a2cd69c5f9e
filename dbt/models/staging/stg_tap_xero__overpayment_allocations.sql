{{ xero_ledger.tap_table('overpayment_allocations', {
  'overpayment_id': 'text', 'allocation_id': 'text', 'invoice_id': 'text', 'amount': 'money', 'date': 'date',
  'is_deleted': 'flag', 'updated_date_utc': 'timestamp',
}, key=['overpayment_id', 'allocation_id'], parent='overpayments', parent_key=['overpayment_id']) }}
