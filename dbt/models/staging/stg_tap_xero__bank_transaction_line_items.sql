{{ xero_ledger.tap_table('bank_transaction_line_items', {
  'bank_transaction_id': 'text', 'line_item_id': 'text', 'line_number': 'whole', 'description': 'text',
  'quantity': 'quantity', 'unit_amount': 'quantity', 'discount_rate': 'quantity', 'line_amount': 'money',
  'tax_amount': 'money', 'tax_type': 'text', 'account_code': 'text', 'account_id': 'text', 'item_code': 'text',
  'updated_date_utc': 'timestamp',
}, key=['bank_transaction_id', 'line_item_id'], parent='bank_transactions', parent_key=['bank_transaction_id']) }}
