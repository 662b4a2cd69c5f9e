{{ xero_ledger.tap_table('tracking_categories', {
  'tracking_category_id': 'text', 'name': 'text', 'status': 'text',
}, key=['tracking_category_id']) }}
