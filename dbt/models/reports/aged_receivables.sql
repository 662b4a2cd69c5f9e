{{ xero_ledger.aged('receivables') }}
