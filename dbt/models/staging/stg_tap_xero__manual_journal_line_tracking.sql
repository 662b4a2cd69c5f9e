{{ xero_ledger.tap_table('manual_journal_line_tracking', {
  'manual_journal_id': 'text', 'line_number': 'whole', 'tracking_category_id': 'text', 'name': 'text',
  'option': 'text', 'updated_date_utc': 'timestamp',
}, key=['manual_journal_id', 'line_number', 'tracking_category_id'], parent='manual_journals', parent_key=['manual_journal_id']) }}
