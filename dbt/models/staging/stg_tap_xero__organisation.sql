{{ xero_ledger.tap_table('organisation', {
  'organisation_id': 'text', 'name': 'text', 'base_currency': 'text', 'country_code': 'text',
  'financial_year_end_day': 'whole', 'financial_year_end_month': 'whole', 'created_date_utc': 'timestamp',
}, key=['organisation_id']) }}
