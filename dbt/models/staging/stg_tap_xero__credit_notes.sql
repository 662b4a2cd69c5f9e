{{ xero_ledger.tap_table('credit_notes', {
  'credit_note_id': 'text', 'credit_note_number': 'text', 'due_date': 'date', 'remaining_credit': 'money',
  'type': 'text', 'status': 'text', 'contact_id': 'text', 'date': 'date', 'reference': 'text',
  'currency_code': 'text', 'currency_rate': 'rate', 'line_amount_types': 'text', 'sub_total': 'money',
  'total_tax': 'money', 'total': 'money', 'updated_date_utc': 'timestamp',
}, key=['credit_note_id']) }}
