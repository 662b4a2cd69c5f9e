{#- A line that was taken off an invoice stays in its table, where only what comes is written. It has an older time of
    change than its invoice: with this they go. Of no use with `hard_delete: true` and invoices read whole. -#}
{% macro remove_lines_taken_off() %}
  {% for lines in ['invoice_line_items', 'invoice_line_item_tracking'] %}
    delete from {{ var('xero_schema') }}.{{ lines }} as line
    using {{ var('xero_schema') }}.invoices as invoice
    where line.tenant_id = invoice.tenant_id
      and line.invoice_id = invoice.invoice_id
      and line.updated_date_utc < invoice.updated_date_utc;
  {% endfor %}
{% endmacro %}
