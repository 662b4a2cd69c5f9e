{{ xero_ledger.tap_table('invoice_line_item_tracking', {
  'invoice_id': 'text', 'line_item_id': 'text', 'tracking_category_id': 'text', 'name': 'text',
  'option': 'text', 'updated_date_utc': 'timestamp',
}, key=['invoice_id', 'line_item_id', 'tracking_category_id'], parent='invoices', parent_key=['invoice_id']) }}
