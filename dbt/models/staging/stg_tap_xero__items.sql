{{ xero_ledger.tap_table('items', {
  'item_id': 'text', 'code': 'text', 'name': 'text', 'is_tracked_as_inventory': 'flag',
  'inventory_asset_account_code': 'text', 'purchase_details': 'json', 'quantity_on_hand': 'quantity',
  'total_cost_pool': 'money',
}, key=['item_id']) }}
