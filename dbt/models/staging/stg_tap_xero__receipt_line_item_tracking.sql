{{ xero_ledger.tap_table('receipt_line_item_tracking', {
  'receipt_id': 'text', 'line_item_id': 'text', 'tracking_category_id': 'text', 'name': 'text',
  'option': 'text', 'updated_date_utc': 'timestamp',
}, key=['receipt_id', 'line_item_id', 'tracking_category_id'], parent='receipts', parent_key=['receipt_id']) }}
