{{ xero_ledger.tap_table('invoices', {
  'invoice_id': 'text', 'invoice_number': 'text', 'due_date': 'date', 'fully_paid_on_date': 'date',
  'amount_due': 'money', 'amount_paid': 'money', 'amount_credited': 'money', 'type': 'text', 'status': 'text',
  'contact_id': 'text', 'date': 'date', 'reference': 'text', 'currency_code': 'text', 'currency_rate': 'rate',
  'line_amount_types': 'text', 'sub_total': 'money', 'total_tax': 'money', 'total': 'money',
  'updated_date_utc': 'timestamp',
}, key=['invoice_id']) }}
