{{ xero_ledger.tap_table('bank_transaction_line_item_tracking', {
  'bank_transaction_id': 'text', 'line_item_id': 'text', 'tracking_category_id': 'text', 'name': 'text',
  'option': 'text', 'updated_date_utc': 'timestamp',
}, key=['bank_transaction_id', 'line_item_id', 'tracking_category_id'], parent='bank_transactions', parent_key=['bank_transaction_id']) }}
