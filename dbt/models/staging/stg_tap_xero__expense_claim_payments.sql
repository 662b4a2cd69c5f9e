{{ xero_ledger.tap_table('expense_claim_payments', {
  'expense_claim_id': 'text', 'payment_id': 'text', 'date': 'date', 'amount': 'money', 'reference': 'text',
  'updated_date_utc': 'timestamp',
}, key=['expense_claim_id', 'payment_id'], parent='expense_claims', parent_key=['expense_claim_id']) }}
