{{ xero_ledger.tap_table('payments', {
  'payment_id': 'text', 'payment_type': 'text', 'status': 'text', 'date': 'date', 'amount': 'money',
  'bank_amount': 'money', 'currency_rate': 'rate', 'reference': 'text', 'account_id': 'text',
  'invoice_id': 'text', 'credit_note_id': 'text', 'prepayment_id': 'text', 'overpayment_id': 'text',
  'batch_payment_id': 'text', 'updated_date_utc': 'timestamp',
}, key=['payment_id']) }}
