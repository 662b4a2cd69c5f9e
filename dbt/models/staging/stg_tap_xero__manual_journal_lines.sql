{{ xero_ledger.tap_table('manual_journal_lines', {
  'manual_journal_id': 'text', 'line_number': 'whole', 'description': 'text', 'line_amount': 'money',
  'tax_amount': 'money', 'tax_type': 'text', 'account_code': 'text', 'account_id': 'text',
  'updated_date_utc': 'timestamp',
}, key=['manual_journal_id', 'line_number'], parent='manual_journals', parent_key=['manual_journal_id']) }}
