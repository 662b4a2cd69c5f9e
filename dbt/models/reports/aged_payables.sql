{{ xero_ledger.aged('payables') }}
