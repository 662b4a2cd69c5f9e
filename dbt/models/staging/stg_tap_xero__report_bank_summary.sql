{{ xero_ledger.tap_table('report_bank_summary', {
  'period_from': 'date', 'period_to': 'date', 'number': 'whole', 'row_type': 'text', 'section_path': 'text',
  'section': 'text', 'label': 'text', 'account_id': 'text', 'amount': 'money', 'column_title': 'text',
}, key=['period_from', 'period_to', 'number']) }}
