/** The name that PostgreSQL gives a column that nobody named (FigureColname, in its parse_target.c): what is around it may refer to it. */
import type { Node, SelectStmt, XmlExpr } from 'libpg-query'
import { nodeType, stringsOf, type Tree } from './ast.ts'

export const NAMELESS = '?column?'

/** What a sub-select calls its first column. */
export type NameOf = (select: SelectStmt) => string | undefined

export function impliedName(value: Node | undefined, nameOf: NameOf): string {
  return figured(value, nameOf)?.name ?? NAMELESS
}

/** A `weak` name gives way to that of a type. */
interface Figured {
  readonly name: string
  readonly weak?: boolean
}

const named = (name: string | undefined): Figured | undefined => (name === undefined ? undefined : { name })

function figured(value: Node | undefined, nameOf: NameOf): Figured | undefined {
  if (value === undefined) return undefined
  if ('ColumnRef' in value) return named(stringsOf(value.ColumnRef.fields).at(-1))
  if ('A_Indirection' in value) return named(stringsOf(value.A_Indirection.indirection).at(-1)) ?? figured(value.A_Indirection.arg, nameOf)
  if ('FuncCall' in value) return named(stringsOf(value.FuncCall.funcname).at(-1))
  if ('A_Expr' in value) return value.A_Expr.kind === 'AEXPR_NULLIF' ? { name: 'nullif' } : undefined
  if ('CollateClause' in value) return figured(value.CollateClause.arg, nameOf)
  if ('TypeCast' in value) return strong(figured(value.TypeCast.arg, nameOf)) ?? weak(stringsOf(value.TypeCast.typeName?.names).at(-1))
  if ('CaseExpr' in value) return strong(figured(value.CaseExpr.defresult, nameOf)) ?? weak('case')
  if ('SubLink' in value) return ofSubLink(value.SubLink.subLinkType, value.SubLink.subselect, nameOf)
  return named(ofKeyword(value))
}

function strong(name: Figured | undefined): Figured | undefined {
  return name?.weak === true ? undefined : name
}

function weak(name: string | undefined): Figured | undefined {
  return name === undefined ? undefined : { name, weak: true }
}

function ofSubLink(kind: string | undefined, select: Node | undefined, nameOf: NameOf): Figured | undefined {
  if (kind === 'EXISTS_SUBLINK') return { name: 'exists' }
  if (kind === 'ARRAY_SUBLINK') return { name: 'array' }
  return kind === 'EXPR_SUBLINK' && select !== undefined && 'SelectStmt' in select ? named(nameOf(select.SelectStmt)) : undefined
}

const KEYWORDS: Readonly<Record<string, string>> = {
  A_ArrayExpr: 'array', RowExpr: 'row', CoalesceExpr: 'coalesce', GroupingFunc: 'grouping', MergeSupportFunc: 'merge_action', XmlSerialize: 'xmlserialize',
  JsonParseExpr: 'json', JsonScalarExpr: 'json_scalar', JsonSerializeExpr: 'json_serialize', JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array', JsonArrayQueryConstructor: 'json_array', JsonObjectAgg: 'json_objectagg', JsonArrayAgg: 'json_arrayagg',
}

const XML: Readonly<Partial<Record<NonNullable<XmlExpr['op']>, string>>> = {
  IS_XMLCONCAT: 'xmlconcat', IS_XMLELEMENT: 'xmlelement', IS_XMLFOREST: 'xmlforest', IS_XMLPARSE: 'xmlparse', IS_XMLPI: 'xmlpi', IS_XMLROOT: 'xmlroot',
  IS_XMLSERIALIZE: 'xmlserialize',
}

function ofKeyword(value: Node): string | undefined {
  if ('MinMaxExpr' in value) return value.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest'
  if ('XmlExpr' in value) return value.XmlExpr.op === undefined ? undefined : XML[value.XmlExpr.op]
  // SVFOP_CURRENT_TIMESTAMP_N, JSON_QUERY_OP: the names are in there.
  if ('SQLValueFunction' in value) return value.SQLValueFunction.op?.replace(/^SVFOP_|_N$/g, '').toLowerCase()
  if ('JsonFuncExpr' in value) return value.JsonFuncExpr.op?.replace(/_OP$/, '').toLowerCase()
  return KEYWORDS[nodeType(value as unknown as Tree) ?? '']
}
