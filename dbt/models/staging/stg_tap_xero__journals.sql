{{ xero_ledger.tap_table('journals', {
  'journal_id': 'text', 'journal_number': 'whole', 'journal_date': 'date', 'source_id': 'text',
  'source_type': 'text', 'reference': 'text', 'created_date_utc': 'timestamp',
}, key=['journal_id']) }}
