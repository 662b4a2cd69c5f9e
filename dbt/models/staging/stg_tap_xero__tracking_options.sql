{{ xero_ledger.tap_table('tracking_options', {
  'tracking_category_id': 'text', 'tracking_option_id': 'text', 'name': 'text', 'status': 'text',
}, key=['tracking_category_id', 'tracking_option_id']) }}
