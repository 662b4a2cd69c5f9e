{#- Which organisation a row is of. Account codes repeat across organisations, and the package joins by this. -#}
{% macro default__apply_source_relation(package_name, use_package_prefix) %}
  {%- set there = adapter.get_columns_in_relation(ref(model.name ~ '_tmp')) | map(attribute='name') | list %}
  , {{ 'tenant_id::text' if 'tenant_id' in there else 'null::text' }} as source_relation
{% endmacro %}
