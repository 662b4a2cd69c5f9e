{{ xero_ledger.tap_table('manual_journals', {
  'manual_journal_id': 'text', 'narration': 'text', 'status': 'text', 'date': 'date',
  'line_amount_types': 'text', 'updated_date_utc': 'timestamp',
}, key=['manual_journal_id']) }}
