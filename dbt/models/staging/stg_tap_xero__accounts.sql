{{ xero_ledger.tap_table('accounts', {
  'account_id': 'text', 'code': 'text', 'name': 'text', 'type': 'text', 'class': 'text', 'status': 'text',
  'system_account': 'text', 'currency_code': 'text', 'tax_type': 'text', 'reporting_code': 'text',
}, key=['account_id']) }}
