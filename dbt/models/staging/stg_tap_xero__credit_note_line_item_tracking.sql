{{ xero_ledger.tap_table('credit_note_line_item_tracking', {
  'credit_note_id': 'text', 'line_item_id': 'text', 'tracking_category_id': 'text', 'name': 'text',
  'option': 'text', 'updated_date_utc': 'timestamp',
}, key=['credit_note_id', 'line_item_id', 'tracking_category_id'], parent='credit_notes', parent_key=['credit_note_id']) }}
