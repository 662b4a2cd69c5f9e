{{ xero_ledger.tap_table('report_balance_sheet', {
  'period_from': 'date', 'period_to': 'date', 'number': 'whole', 'row_type': 'text', 'section_path': 'text',
  'section': 'text', 'label': 'text', 'account_id': 'text', 'amount': 'money', 'column_title': 'text',
  'tracking_option_id': 'text', 'tracking_option': 'text', 'payments_only': 'flag',
}, key=['period_from', 'period_to', 'number']) }}
