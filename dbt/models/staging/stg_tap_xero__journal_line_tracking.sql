{{ xero_ledger.tap_table('journal_line_tracking', {
  'journal_id': 'text', 'journal_line_id': 'text', 'tracking_category_id': 'text',
  'tracking_option_id': 'text', 'name': 'text', 'option': 'text',
}, key=['journal_id', 'journal_line_id', 'tracking_category_id']) }}
