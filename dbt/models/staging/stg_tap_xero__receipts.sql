{{ xero_ledger.tap_table('receipts', {
  'receipt_id': 'text', 'receipt_number': 'text', 'status': 'text', 'date': 'date', 'contact_id': 'text',
  'reference': 'text', 'line_amount_types': 'text', 'total': 'money', 'updated_date_utc': 'timestamp',
}, key=['receipt_id']) }}
