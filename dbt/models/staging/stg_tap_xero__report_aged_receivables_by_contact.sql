{{ xero_ledger.tap_table('report_aged_receivables_by_contact', {
  'period_from': 'date', 'period_to': 'date', 'number': 'whole', 'row_type': 'text', 'section_path': 'text',
  'section': 'text', 'label': 'text', 'account_id': 'text', 'amount': 'money', 'column_title': 'text',
  'contact_id': 'text', 'invoice_id': 'text', 'date': 'date', 'due_date': 'date',
}, key=['contact_id', 'period_from', 'period_to', 'number']) }}
