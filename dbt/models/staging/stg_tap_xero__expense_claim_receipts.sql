{{ xero_ledger.tap_table('expense_claim_receipts', {
  'expense_claim_id': 'text', 'receipt_id': 'text', 'date': 'date', 'total': 'money',
  'updated_date_utc': 'timestamp',
}, key=['expense_claim_id', 'receipt_id'], parent='expense_claims', parent_key=['expense_claim_id']) }}
