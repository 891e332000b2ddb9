/** PL/pgSQL as SQL: what a function's body runs, found by the language's own parser. */
import type { Node } from 'libpg-query'
import { isTree, type Tree } from './ast.ts'
import { withoutComments } from './comments.ts'
import { parse } from './load.ts'
import { wasmParsePlpgsql } from './wasm-parser.ts'

export interface PlpgsqlBody {
  /** Every statement, condition and expression in it, each as a statement of its own, in the order of the text. */
  readonly statements: readonly Node[]
  /** The types of its variables, as they are written: what is assigned is made to fit them. */
  readonly types: readonly string[]
  /** Why more may run than that; empty when it is all. */
  readonly opaque: string
  /** Something in it may run again and again: what each time changes chosen rows may change all of them. */
  readonly loops: boolean
  /** Why rows may come from elsewhere; empty when they do not. */
  readonly untraced: string
}

const KNOWN = new Set([
  'PLpgSQL_function', 'PLpgSQL_alias', 'PLpgSQL_var', 'PLpgSQL_rec', 'PLpgSQL_row', 'PLpgSQL_recfield', 'PLpgSQL_type', 'PLpgSQL_expr', 'PLpgSQL_stmt_block',
  'PLpgSQL_exception_block', 'PLpgSQL_exception', 'PLpgSQL_condition', 'PLpgSQL_stmt_assign', 'PLpgSQL_stmt_if', 'PLpgSQL_if_elsif',
  'PLpgSQL_stmt_case', 'PLpgSQL_case_when', 'PLpgSQL_stmt_loop', 'PLpgSQL_stmt_while', 'PLpgSQL_stmt_fori', 'PLpgSQL_stmt_fors', 'PLpgSQL_stmt_forc',
  'PLpgSQL_stmt_foreach_a', 'PLpgSQL_stmt_exit', 'PLpgSQL_stmt_return', 'PLpgSQL_stmt_return_next', 'PLpgSQL_stmt_return_query', 'PLpgSQL_stmt_raise',
  'PLpgSQL_raise_option', 'PLpgSQL_stmt_assert', 'PLpgSQL_stmt_execsql', 'PLpgSQL_stmt_getdiag', 'PLpgSQL_diag_item', 'PLpgSQL_stmt_open',
  'PLpgSQL_stmt_close', 'PLpgSQL_stmt_perform', 'PLpgSQL_stmt_call', 'PLpgSQL_stmt_fetch',
])

const LOOPS = new Set(['PLpgSQL_stmt_loop', 'PLpgSQL_stmt_while', 'PLpgSQL_stmt_fori', 'PLpgSQL_stmt_fors', 'PLpgSQL_stmt_forc', 'PLpgSQL_stmt_foreach_a'])

/** Reads the body of a CREATE FUNCTION, which is the server's own text, or made of a DO; `code` is what stands in its quotes. */
export function plpgsqlBody(definition: string, code: string): PlpgsqlBody {
  const first = wasmParsePlpgsql(definition)
  const plain = definition.replaceAll(ROW_TYPE, '')
  const parsed = first !== undefined && 'error' in first && plain !== definition ? wasmParsePlpgsql(plain) : first
  if (parsed === undefined) return unread('its body broke the parser')
  if ('error' in parsed) return unread(`its body cannot be parsed: ${parsed.error}`)
  const reading = new Reading(code)
  reading.walk(JSON.parse(parsed.json))
  return reading
}

/** `declare o orders%ROWTYPE;`, in which this parser knows no fields. The name alone is the same type, and there it does. */
const ROW_TYPE = /%\s*rowtype(?=\s*(;|:?=|default\b|not\b))/gi

function unread(opaque: string): PlpgsqlBody {
  return { statements: [], types: [], opaque, loops: false, untraced: '' }
}

class Reading implements PlpgsqlBody {
  readonly statements: Node[] = []
  readonly types: string[] = []
  opaque = ''
  loops = false
  untraced = ''
  readonly #code: string

  constructor(code: string) {
    this.#code = code
  }

  /** `judged`: what is in there decides, or is said in a message, and goes nowhere else. */
  walk(value: unknown, judged = false): void {
    if (Array.isArray(value)) for (const part of value) this.walk(part, judged)
    if (!isTree(value)) return
    for (const [key, part] of Object.entries(value)) {
      if (key.startsWith('PLpgSQL_') && isTree(part)) this.#node(key, part, judged)
      else if (key === 'dynquery') this.opaque ||= 'it runs SQL that it puts together'
      this.walk(part, (judged || JUDGES.has(key)) && !isShown(key, part))
    }
  }

  #node(type: string, node: Tree, judged: boolean): void {
    if (type === 'PLpgSQL_expr') return this.#expression(String(node['query']), Number(node['parseMode']), judged)
    if (type === 'PLpgSQL_stmt_dynexecute' || type === 'PLpgSQL_stmt_dynfors') this.opaque ||= 'it runs SQL that it puts together'
    else if (type === 'PLpgSQL_stmt_commit' || type === 'PLpgSQL_stmt_rollback') this.opaque ||= 'it ends transactions'
    else if (!KNOWN.has(type)) this.opaque ||= `${type} is not understood`
    this.loops ||= LOOPS.has(type)
    if (type === 'PLpgSQL_type') this.types.push(String(node['typname']))
    // The name in a cursor variable may be that of one the session opened.
    if (type === 'PLpgSQL_stmt_fetch') this.untraced ||= 'it fetches from a cursor'
    if (type === 'PLpgSQL_rec' && isTree(node['datatype']) && mayHaveDefault(String(node['refname']), this.#code)) this.opaque ||= 'a record in it may have a default'
  }

  #expression(query: string, mode: number, judged: boolean): void {
    const parts = mode === 0 ? [query] : mode === 2 ? [judged ? judgement(query) : `SELECT ${query}`] : assignment(query)
    for (const part of parts ?? []) {
      const parsed = parse(part)
      if (parsed.kind === 'parsed') this.statements.push(...parsed.statements.map(({ node }) => node))
      else this.opaque ||= `in its body, "${part.slice(0, 60)}" cannot be parsed`
    }
    if (parts === undefined) this.opaque ||= `in its body, "${query.slice(0, 60)}" is not understood`
  }
}

/** The option of a RAISE whose field is left in an error without its text: ERRCODE, CONSTRAINT, TABLE, SCHEMA. */
function isShown(key: string, part: unknown): boolean {
  return key === 'PLpgSQL_raise_option' && isTree(part) && SHOWN_OPTIONS.has(Number(part['opt_type'] ?? 0))
}

/** By PLpgSQL_raise_option_type. */
const SHOWN_OPTIONS = new Set([0, 5, 7, 8])

const JUDGES = new Set(['cond', 'PLpgSQL_stmt_raise', 'PLpgSQL_stmt_assert'])

/** An expression as a condition, where it can be one: PL/pgSQL takes `count(*) > 0 FROM …` as well. */
function judgement(expression: string): string {
  const condition = `SELECT 1 WHERE (${expression}\n) IS NULL`
  return parse(condition).kind === 'parsed' ? condition : `SELECT ${expression}`
}

/** `target := value` as the expressions that it evaluates: the target's subscripts may call functions. */
function assignment(text: string): string[] | undefined {
  for (const found of text.matchAll(/:?=/g)) {
    const [target, value] = [text.slice(0, found.index), text.slice(found.index + found[0].length)]
    const parts = [target, value].map((side) => `SELECT ${side}`)
    if (!parts.every((part) => parse(part).kind === 'parsed')) continue
    return NAME.test(target) ? [staysInPlace(target, value) ? judgement(value) : `SELECT ${value}`] : parts
  }
  return undefined
}

const NAME = /^\s*\w+(\s*\.\s*\w+)*\s*$/

/** `new.email := lower(new.email)`: what is in a trigger's row comes from the same column, and not from another row. */
function staysInPlace(target: string, value: string): boolean {
  const column = /^\s*new\s*\.\s*(\w+)\s*$/i.exec(target)?.[1]?.toLowerCase()
  const mentioned = value.toLowerCase().match(/\b(new|old)\b(\s*\.\s*\w+)?/g) ?? []
  return column !== undefined && mentioned.every((name) => name.replace(/^\w+\s*\.?\s*/, '') === column) && !readsRows(value)
}

/** It may be `phone FROM people` as well. */
function readsRows(expression: string): boolean {
  const parsed = parse(`SELECT ${expression}`)
  const [node] = parsed.kind === 'parsed' ? parsed.statements.map((each) => each.node) : []
  return node === undefined || !('SelectStmt' in node) || node.SelectStmt.fromClause !== undefined || JSON.stringify(node.SelectStmt).includes('"SelectStmt"')
}

/** The parser leaves out the default of a record variable, so it is looked for in the text: `DECLARE name [CONSTANT] type … :=`. */
function mayHaveDefault(name: string, text: string): boolean {
  const plain = withoutComments(text) ?? text
  if (/U&"|--|\/\*/i.test(plain)) return true
  const declared = new RegExp(String.raw`(?:^|;|>>|\bdeclare\b)\s*"?${name.replace(/\W/g, String.raw`\$&`)}"?\s+(?!in\b)[\w"][^;]*?(=|\bdefault\b)`, 'i')
  return declared.test(plain)
}
