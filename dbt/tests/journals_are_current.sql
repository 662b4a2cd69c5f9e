-- Organisations without current journals, whose ledger is built from documents meanwhile.
{{ config(severity='warn') }}
select tenant_id, organisation_name, ledger_from, journals_through, newer_than_journals
from {{ ref('organisations') }}
where newer_than_journals > 0
