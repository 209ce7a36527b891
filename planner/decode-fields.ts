/** The fields that nodes of the plan's JSON have in common; a reader names them with its own, and refuses others. */

export const EXPRESSION_FIELDS = ['expression_class', 'type', 'alias', 'query_location'] as const

/** Of whatever is a function: scalar, aggregate, window. */
export const FUNCTION_FIELDS = [
  ...EXPRESSION_FIELDS, 'return_type', 'children', 'name', 'arguments', 'original_arguments', 'catalog_name',
  'schema_name', 'has_serialize', 'function_data',
] as const

export const OPERATOR_FIELDS = ['type', 'children'] as const
