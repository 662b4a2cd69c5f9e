{{ xero_ledger.tap_table('journal_lines', {
  'journal_id': 'text', 'journal_line_id': 'text', 'account_id': 'text', 'account_code': 'text',
  'account_name': 'text', 'account_type': 'text', 'description': 'text', 'net_amount': 'money',
  'gross_amount': 'money', 'tax_amount': 'money', 'tax_type': 'text', 'tax_name': 'text',
  'journal_number': 'whole',
}, key=['journal_id', 'journal_line_id']) }}
