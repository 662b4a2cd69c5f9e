{{ xero_ledger.tap_table('credit_note_line_items', {
  'credit_note_id': 'text', 'line_item_id': 'text', 'line_number': 'whole', 'description': 'text',
  'quantity': 'quantity', 'unit_amount': 'quantity', 'discount_rate': 'quantity', 'line_amount': 'money',
  'tax_amount': 'money', 'tax_type': 'text', 'account_code': 'text', 'account_id': 'text', 'item_code': 'text',
  'updated_date_utc': 'timestamp',
}, key=['credit_note_id', 'line_item_id'], parent='credit_notes', parent_key=['credit_note_id']) }}
