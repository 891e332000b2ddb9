/** Statements at random, most of which a server runs: names are those in reach, and types mostly fit. */

type Type = 'int' | 'text' | 'bool' | 'jsonb' | 'texts'
export interface Column { readonly name: string; readonly type: Type }
interface Item { readonly alias: string; readonly columns: readonly Column[]; readonly relation?: string }
interface Scope { readonly items: readonly Item[]; readonly outer?: Scope }
interface Query { readonly sql: string; readonly columns: readonly Column[]; /** Of each column, how it is computed. */ readonly targets?: readonly string[] }

/** Numbers from 0 up to, but without, 1; the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const CONSTANTS: Readonly<Record<Type, readonly string[]>> = {
  int: ['0', '1', '2', '5', '7', 'null::int'], text: ["'x'", "'abc'", "'zzz'", "''", 'null::text'], bool: ['true', 'false', 'null::bool'],
  jsonb: [`'{"a":"x"}'::jsonb`, "'[]'::jsonb", "'null'::jsonb"], texts: ["'{x}'::text[]", "'{}'::text[]", "array['x', 'y']"],
}
const AGGREGATES: Readonly<Record<Type, readonly string[]>> = {
  int: ['count(?int)::int', 'max(?int)', 'min(?int)', 'count(distinct ?text)::int', 'sum(?int)::int', 'count(*)::int'], text: ['max(?text)', 'min(?text)', "string_agg(?text, ',')", "string_agg(?text, ',' order by ?int)"],
  bool: ['bool_or(?bool)', 'bool_and(?bool)'], jsonb: ['jsonb_agg(?text)', 'jsonb_agg(?jsonb)'], texts: ['array_agg(?text)', 'array_agg(distinct ?text)'],
}
const FORMS: Readonly<Record<Type, readonly string[]>> = {
  int: ['length(?text)', '(?int + 1)', '(?int * ?int)', '(?int / ?int)', '(- ?int)', 'coalesce(?int, ?int)', 'nullif(?int, ?int)', 'greatest(?int, ?int)', 'twice(?int)', 'cardinality(?texts)', 'num_nulls(?text, ?int)', '?text::int', 'ascii(?text)', '?bool::int', 'jsonb_array_length(?jsonb)', 'array_position(?texts, ?text)', 'generate_series(1, ?int)', 'strpos(?text, ?text)'],
  text: ['upper(?text)', '(?text || ?text)', 'loud(?text)', 'coalesce(?text, ?text)', 'nullif(?text, ?text)', '?int::text', '(?jsonb ->> ?text)', '(?jsonb ->> 0)', 'least(?text, ?text)', 'md5(?text)', 'left(?text, ?int)', '(?texts)[1]', '(?texts)[?int]', "array_to_string(?texts, ',')", '?jsonb::text', 'repeat(?text, ?int)', "split_part(?text, 'b', 1)", '(?text collate "C")', "replace(?text, 'a', ?text)", "regexp_replace(?text, 'b+', '')", "concat_ws('-', ?text, ?int)", 'jsonb_typeof(?jsonb)', "format('%s', ?text)", 'quote_literal(?text)', 'unnest(?texts)', 'jsonb_array_elements_text(?jsonb)', 'jsonb_object_keys(?jsonb)', '(?jsonb #>> ?texts)', 'substr(?text, ?int)', "translate(?text, 'abc', 'xyz')", '?bool::text', "json_value(?jsonb, '$.a')"],
  bool: ['(?int = ?int)', '(?int < ?int)', '(?text = ?text)', '(?text > ?text)', '(?text is null)', '(?int is not null)', '(?bool and ?bool)', '(?bool or ?bool)', '(not ?bool)', '(?text like ?text)', "(?text like 'a%')", '(?texts @> ?texts)', '(?text = any (?texts))', '(?jsonb @> ?jsonb)', '(?int in (?int, ?int))', '(?int between ?int and ?int)', '(?text is distinct from ?text)', '(?bool is true)', "(?text ~ '^a')", '(?jsonb ? ?text)', '((?int, ?text) = (?int, ?text))', '((?int, ?text) < (?int, ?text))'],
  jsonb: ['to_jsonb(?text)', 'jsonb_build_object(?text, ?int)', 'jsonb_build_array(?text, ?int)', '(?jsonb -> ?text)', '(?jsonb || ?jsonb)', 'coalesce(?jsonb, ?jsonb)', "jsonb_build_object('a', ?text)"],
  texts: ['array[?text, ?text]', '(?texts || ?text)', "string_to_array(?text, 'b')", 'coalesce(?texts, ?texts)', '(?texts)[1:2]'],
}
const WINDOWS = ['over ()', 'over (order by ?int)', 'over (partition by ?text)', 'over (partition by ?int order by ?int)', 'over (order by ?int rows between 1 preceding and current row)']
const NUMBERING: Readonly<Partial<Record<Type, readonly string[]>>> = { int: ['row_number()', 'rank()', 'lag(?int)', 'first_value(?int)'], text: ['lag(?text)', 'last_value(?text)'] }

/** What the server may call a column that nobody named. */
const impliedName = (target: string): string => /^(case|array|row|exists)\b/.exec(target)?.[1] ?? /^(\w+)\(/.exec(target)?.[1] ?? /::(\w+)$/.exec(target)?.[1] ?? /\.(\w+)$/.exec(target)?.[1] ?? /^\(select (\w+)\(/.exec(target)?.[1] ?? '?column?'
const NAMELESS = ['?column?', 'case', 'coalesce', 'nullif', 'greatest', 'array', 'row', 'exists', 'upper', 'length', 'max', 'min', 'count', 'to_jsonb', 'text', 'm', 'n', 'id', 'k', 'j', 's', 'substr', 'regexp_replace', 'string_agg', 'bool']

export class RandomQueries {
  readonly #random: () => number
  readonly #relations: Readonly<Record<string, readonly Column[]>>
  #names = 0
  /** What is left for one statement. */
  #budget = 0

  constructor(seed: number, relations: Readonly<Record<string, readonly Column[]>>) {
    this.#random = randomNumbers(seed)
    this.#relations = relations
  }

  statement(): string {
    this.#names = 0
    this.#budget = 4 + Math.floor(this.#random() * 24)
    const kind = this.#random()
    if (kind < 0.2) return this.#aroundNameless()
    if (kind < 0.8) return this.#query(3, undefined).sql
    if (kind < 0.84) return `explain (costs off) ${this.#query(2, undefined).sql}`
    return this.#write()
  }

  #one<T>(of: readonly T[]): T {
    return of[Math.floor(this.#random() * of.length)] as T
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }

  #some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: 1 + Math.floor(this.#random() * most) }, make)
  }

  #name(): string {
    return `t${++this.#names}`
  }

  /** Of columns that nobody named, by what the server calls them. */
  #aroundNameless(): string {
    this.#budget = 3
    const { sql, columns, targets = [] } = this.#select(1, undefined, this.#some(2, () => this.#type()))
    const alias = this.#name()
    const item: Item = { alias, columns: columns.map(({ type }, index) => ({ name: `"${impliedName(targets[index] ?? '')}"`, type })) }
    const { name } = this.#one(item.columns)
    const tail = this.#chance(0.5) ? '' : this.#one([` where ${this.#value('bool', { items: [item] }, 1)}`, ` order by ${name}`, ` group by ${name}`])
    return `select ${this.#one([name, name, `${alias}.${name}`, '*', 'count(*)'])} from (${sql.replaceAll(/ as c\d/g, '')}) ${alias}${tail}`
  }

  #write(): string {
    const [target, from] = [this.#base('a'), this.#base()]
    const both: Scope = { items: [target, from] }
    const own: Scope = { items: [target] }
    const { name, type } = this.#one(target.columns.filter((column) => column.name !== 'id'))
    const returning = (scope: Scope): string => (this.#chance(0.7) ? ` returning ${this.#some(2, () => this.#value(this.#type(), scope, 2)).join(', ')}` : '')
    const kind = this.#random()
    if (kind < 0.35) return `update a ${target.alias} set ${name} = ${this.#value(type, own, 2)} where ${this.#value('bool', own, 2)}${returning(own)}`
    if (kind < 0.5) return `update a ${target.alias} set ${name} = ${this.#value(type, both, 2)} from ${from.relation} ${from.alias} where ${this.#value('bool', both, 2)}${returning(both)}`
    if (kind < 0.65) return `delete from a ${target.alias} using ${from.relation} ${from.alias} where ${this.#value('bool', both, 2)}${returning(both)}`
    if (kind < 0.85) return `insert into a as ${target.alias} (id, ${name}) select 90 + ${from.alias}.id, ${this.#value(type, { items: [from] }, 2)} from ${from.relation} ${from.alias} where ${this.#value('bool', { items: [from] }, 2)} on conflict do nothing${returning(own)}`
    return `merge into a ${target.alias} using ${from.relation} ${from.alias} on ${this.#value('bool', both, 2)} when matched and ${this.#value('bool', both, 1)} then update set ${name} = ${this.#value(type, both, 1)} when not matched then do nothing${returning(both)}`
  }

  #query(depth: number, outer: Scope | undefined, want?: readonly Type[]): Query {
    const types = want ?? this.#some(3, () => this.#type())
    const kind = this.#random()
    let made: Query
    if (kind < 0.1 && depth > 1) {
      const [left, right] = [this.#select(depth - 1, outer, types), this.#select(depth - 1, outer, types)]
      made = { sql: `${left.sql} ${this.#one(['union', 'union all', 'union all', 'except', 'intersect'])} ${right.sql}`, columns: left.columns }
    } else if (kind < 0.15) made = this.#values(outer, types)
    else made = this.#select(depth, outer, types)
    const limit = this.#chance(0.15) ? ` limit ${this.#one(['1', '2', '2 offset 1'])}` : ''
    if (limit === '' && this.#chance(0.1)) return { ...made, sql: `select * from (${made.sql}) ${this.#name()} order by ${1 + Math.floor(this.#random() * made.columns.length)}` }
    const order = this.#chance(0.3) || limit !== '' ? ` order by ${1 + Math.floor(this.#random() * made.columns.length)}` : ''
    return { ...made, sql: made.sql + order + limit }
  }

  #values(outer: Scope | undefined, types: readonly Type[]): Query {
    const scope: Scope = { items: [], ...(outer === undefined ? {} : { outer }) }
    const rows = this.#some(2, () => `(${types.map((type) => this.#value(type, scope, 1)).join(', ')})`)
    return { sql: `values ${rows.join(', ')}`, columns: types.map((type, index) => ({ name: `column${index + 1}`, type })) }
  }

  #select(depth: number, outer: Scope | undefined, types: readonly Type[]): Query {
    const ctes: string[] = []
    const from = this.#from(depth, outer, ctes)
    const scope: Scope = { items: from.items, ...(outer === undefined ? {} : { outer }) }
    const where = this.#chance(0.4) ? ` where ${this.#value('bool', scope, 2)}` : ''
    const grouped = this.#chance(0.25)
    const keys = grouped && this.#chance(0.7) ? this.#some(2, () => this.#column(scope)) : []
    const target = (type: Type): string => {
      if (!grouped) return this.#chance(0.1) ? this.#windowed(type, scope) : this.#value(type, scope, depth)
      const key = keys.find((column) => column?.type === type)
      return key !== undefined && this.#chance(0.6) ? key.written : this.#fill(this.#one(AGGREGATES[type]), scope, 1) + (this.#chance(0.2) ? ` filter (where ${this.#value('bool', scope, 1)})` : '')
    }
    const columns = types.map((type, index) => ({ name: `c${index + 1}`, type }))
    const computed = types.map(target)
    const targets = columns.map(({ name }, index) => `${computed[index]} as ${name}`)
    const written = keys.flatMap((key) => (key === undefined ? [] : [key.written]))
    const group = written.length === 0 ? '' : ` group by ${this.#chance(0.15) ? `rollup (${written.join(', ')})` : written.join(', ')}`
    const having = grouped && this.#chance(0.2) ? ` having ${this.#fill(this.#one(AGGREGATES.bool), scope, 1)}` : ''
    const distinct = !grouped && this.#chance(0.1) ? this.#one(['distinct ', `distinct on (${this.#value('int', scope, 1)}) `]) : ''
    return { sql: `${ctes.length > 0 ? `(with ${ctes.join(', ')} ` : ''}select ${distinct}${targets.join(', ')} from ${from.sql}${where}${group}${having}${ctes.length > 0 ? ')' : ''}`, columns, targets: computed }
  }

  #from(depth: number, outer: Scope | undefined, ctes: string[]): { readonly sql: string; readonly items: readonly Item[] } {
    const items: Item[] = []
    const parts = this.#some(this.#chance(0.4) ? 3 : 1, () => {
      const { sql, item } = this.#item(depth, outer, items, ctes)
      const first = items.length === 0
      items.push(item)
      if (first) return sql
      const join = this.#one(['join', 'left join', 'full join', 'cross join', ','])
      if (join === ',' || join === 'cross join') return `${join} ${sql}`
      const on = this.#chance(0.6) ? this.#sameId(items) : undefined
      return `${join} ${sql} on ${on ?? this.#value('bool', { items, ...(outer === undefined ? {} : { outer }) }, 1)}`
    })
    return { sql: parts.join(' ').replaceAll(' , ', ', '), items }
  }

  #sameId(items: readonly Item[]): string | undefined {
    const ids = items.flatMap(({ alias, columns }) => columns.flatMap(({ name }) => (name === 'id' ? [`${alias}.id`] : []))).slice(-2)
    return ids.length === 2 ? ids.join(' = ') : undefined
  }

  #item(depth: number, outer: Scope | undefined, before: readonly Item[], ctes: string[]): { readonly sql: string; readonly item: Item } {
    const kind = this.#random()
    if (kind < 0.25 && depth > 1 && --this.#budget > 0) {
      const lateral = before.length > 0 && this.#chance(0.4)
      const { sql, columns, targets = [] } = this.#query(depth - 1, lateral ? { items: before, ...(outer === undefined ? {} : { outer }) } : outer)
      const alias = this.#name()
      if (this.#chance(0.25)) return { sql: `(${sql.replaceAll(/ as c\d/g, '')}) ${alias}`, item: { alias, columns: columns.map(({ type }, index) => ({ name: `"${this.#chance(0.8) ? impliedName(targets[index] ?? '') : this.#one(NAMELESS)}"`, type })) } }
      if (lateral || this.#chance(0.6)) return { sql: `${lateral ? 'lateral ' : ''}(${sql}) ${alias} (${columns.map((_, index) => `d${index}`).join(', ')})`, item: { alias, columns: columns.map(({ type }, index) => ({ name: `d${index}`, type })) } }
      ctes.push(`${alias} (${columns.map((_, index) => `d${index}`).join(', ')}) as (${sql})`)
      return { sql: alias, item: { alias, columns: columns.map(({ type }, index) => ({ name: `d${index}`, type })) } }
    }
    if (kind < 0.3) {
      const alias = this.#name()
      return { sql: `of_a(${this.#one(['1', '3'])}) ${alias}`, item: { alias, columns: this.#relations['a'] ?? [] } }
    }
    const scope: Scope = { items: before, ...(outer === undefined ? {} : { outer }) }
    if (kind < 0.36) return this.#function(scope)
    const item = this.#base()
    const form = this.#one(['', '', '', '', ' tablesample system (100)'])
    return { sql: `${item.relation} ${item.alias}${/^(a|b)$/.test(item.relation) ? form : ''}`, item }
  }

  /** A function in FROM, which may look at what stands before it. */
  #function(scope: Scope): { readonly sql: string; readonly item: Item } {
    const alias = this.#name()
    const text = (name: string): Column => ({ name, type: 'text' })
    const [form, columns] = this.#one<readonly [string, readonly Column[]]>([
      ['unnest(?texts) ?(e)', [text('e')]], ['unnest(?texts, ?texts) ?(e, f)', [text('e'), text('f')]], ['jsonb_each_text(?jsonb) ?(e, f)', [text('e'), text('f')]],
      ['generate_series(1, ?int) ?(g)', [{ name: 'g', type: 'int' }]], ['unnest(?texts) with ordinality ?(e, o)', [text('e'), { name: 'o', type: 'int' }]], ['jsonb_to_record(?jsonb) ?(a text)', [text('a')]], ['loud(?text) ?(e)', [text('e')]],
    ])
    return { sql: this.#fill(form, scope, 1).replace('?(', `${alias} (`), item: { alias, columns } }
  }

  #base(relation: string = this.#one(Object.keys(this.#relations))): Item & { readonly relation: string } {
    return { alias: this.#name(), columns: this.#relations[relation] ?? [], relation }
  }

  #type(): Type {
    return this.#one(['int', 'text', 'text', 'bool', 'jsonb', 'texts'])
  }

  #column(scope: Scope, type?: Type): { readonly written: string; readonly type: Type } | undefined {
    const found: { written: string; type: Type }[] = []
    for (let level: Scope | undefined = scope; level !== undefined; level = level.outer) {
      for (const { alias, columns } of level.items) for (const column of columns) if (type === undefined || column.type === type) found.push({ written: this.#chance(level.items.length === 1 ? 0.3 : 0.05) ? column.name : `${alias}.${column.name}`, type: column.type })
      if (found.length > 0 && this.#chance(0.8)) break
    }
    return found.length === 0 ? undefined : this.#one(found)
  }

  #value(type: Type, scope: Scope, depth: number): string {
    const column = this.#chance(0.6) || depth <= 0 || --this.#budget <= 0 ? this.#column(scope, type) : undefined
    if (column !== undefined) return column.written
    if (depth <= 0 || this.#budget <= 0 || this.#chance(0.15)) return this.#one(CONSTANTS[type])
    const kind = this.#random()
    if (kind < 0.1) return `case when ${this.#value('bool', scope, depth - 1)} then ${this.#value(type, scope, depth - 1)} else ${this.#value(type, scope, depth - 1)} end`
    if (kind < 0.2) return this.#subquery(type, scope, depth - 1)
    if (kind < 0.23 && type === 'text') return this.#wholeRow(scope) ?? this.#one(CONSTANTS.text)
    return this.#fill(this.#one(FORMS[type]), scope, depth - 1)
  }

  #wholeRow({ items }: Scope): string | undefined {
    const item = items.length === 0 ? undefined : this.#one(items)
    return item === undefined ? undefined : this.#one([`${item.alias}::text`, `to_jsonb(${item.alias})::text`, `row_to_json(${item.alias})::text`, `row(${item.alias}.*)::text`])
  }

  #subquery(type: Type, scope: Scope, depth: number): string {
    if (type === 'bool') {
      const of = this.#type()
      return this.#chance(0.5) ? `exists (${this.#query(depth, scope).sql})` : `(${this.#value(of, scope, depth)} ${this.#one(['in', 'not in', '= any', '> all'])} (${this.#query(depth, scope, [of]).sql}))`
    }
    if (type === 'texts') return `array(${this.#query(depth, scope, ['text']).sql})`
    return this.#chance(0.6) ? `(select ${this.#fill(this.#one(AGGREGATES[type]), scope, 0)} from (${this.#query(depth, scope).sql}) ${this.#name()})` : `(${this.#query(depth, scope, [type]).sql} limit 1)`.replace(/( limit \d+( offset 1)?)? limit 1\)$/, ' limit 1)')
  }

  #windowed(type: Type, scope: Scope): string {
    const forms = [...(NUMBERING[type] ?? []), ...AGGREGATES[type].filter((form) => !form.includes('distinct') && !form.includes('::'))]
    return `${this.#fill(this.#one(forms), scope, 1)}${this.#chance(0.2) ? '' : ' '}${this.#fill(this.#one(WINDOWS), scope, 0)}`
  }

  #fill(form: string, scope: Scope, depth: number): string {
    return form.replaceAll(/\?(int|text|bool|jsonb|texts)\b/g, (_, type: Type) => this.#value(type, scope, depth))
  }
}
