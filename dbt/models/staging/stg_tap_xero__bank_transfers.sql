{{ xero_ledger.tap_table('bank_transfers', {
  'bank_transfer_id': 'text', 'status': 'text', 'date': 'date', 'amount': 'money', 'currency_rate': 'rate',
  'reference': 'text', 'from_bank_account_id': 'text', 'to_bank_account_id': 'text',
  'from_bank_transaction_id': 'text', 'to_bank_transaction_id': 'text', 'created_date_utc': 'timestamp',
}, key=['bank_transfer_id']) }}
