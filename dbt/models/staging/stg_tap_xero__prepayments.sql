{{ xero_ledger.tap_table('prepayments', {
  'prepayment_id': 'text', 'remaining_credit': 'money', 'type': 'text', 'status': 'text', 'contact_id': 'text',
  'date': 'date', 'reference': 'text', 'currency_code': 'text', 'currency_rate': 'rate',
  'line_amount_types': 'text', 'sub_total': 'money', 'total_tax': 'money', 'total': 'money',
  'updated_date_utc': 'timestamp',
}, key=['prepayment_id']) }}
