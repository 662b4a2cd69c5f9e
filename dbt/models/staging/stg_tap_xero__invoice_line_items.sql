{{ xero_ledger.tap_table('invoice_line_items', {
  'invoice_id': 'text', 'line_item_id': 'text', 'line_number': 'whole', 'description': 'text',
  'quantity': 'quantity', 'unit_amount': 'quantity', 'discount_rate': 'quantity', 'line_amount': 'money',
  'tax_amount': 'money', 'tax_type': 'text', 'account_code': 'text', 'account_id': 'text', 'item_code': 'text',
  'updated_date_utc': 'timestamp',
}, key=['invoice_id', 'line_item_id'], parent='invoices', parent_key=['invoice_id']) }}
