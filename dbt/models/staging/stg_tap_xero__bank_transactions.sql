{{ xero_ledger.tap_table('bank_transactions', {
  'bank_transaction_id': 'text', 'bank_account_id': 'text', 'prepayment_id': 'text', 'overpayment_id': 'text',
  'is_reconciled': 'flag', 'type': 'text', 'status': 'text', 'contact_id': 'text', 'date': 'date',
  'reference': 'text', 'currency_code': 'text', 'currency_rate': 'rate', 'line_amount_types': 'text',
  'sub_total': 'money', 'total_tax': 'money', 'total': 'money', 'updated_date_utc': 'timestamp',
}, key=['bank_transaction_id']) }}
