{{ xero_ledger.tap_table('tax_rates', {
  'tax_type': 'text', 'name': 'text',
}, key=['tax_type']) }}
