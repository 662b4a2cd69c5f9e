{{ xero_ledger.tap_table('contacts', {
  'contact_id': 'text', 'name': 'text', 'contact_status': 'text',
}, key=['contact_id']) }}
