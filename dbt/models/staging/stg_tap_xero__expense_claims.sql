{{ xero_ledger.tap_table('expense_claims', {
  'expense_claim_id': 'text', 'status': 'text', 'reporting_date': 'date', 'total': 'money',
  'updated_date_utc': 'timestamp',
}, key=['expense_claim_id']) }}
