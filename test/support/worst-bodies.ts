/**
 * JSON texts of at most `bytes` bytes, by name, each made to cost its reader as much as it can. Lists and objects have at
 * most `entriesMax` entries.
 */
export function worstValues(bytes: number, entriesMax = Number.POSITIVE_INFINITY): ReadonlyMap<string, string> {
  const size = `${bytes} ${entriesMax}`
  const values = known.get(size) ?? makeValues(bytes, entriesMax)
  known.set(size, values)
  return values
}

const known = new Map<string, ReadonlyMap<string, string>>()

function makeValues(bytes: number, entriesMax: number): ReadonlyMap<string, string> {
  const fill = (open: string, item: (index: number) => string, close: string): string => {
    const items: string[] = []
    for (let size = open.length + close.length; ; ) {
      const next = item(items.length)
      size += next.length + 1
      if (size > bytes || items.length >= entriesMax) return open + items.join(',') + close
      items.push(next)
    }
  }
  const names = 'abcdefghijklmnopqrstuvwxyz'
  return new Map([
    ['many members', fill('{', (index) => `"k${index.toString(36)}":0`, '}')],
    ['many members with numbers as names', fill('{', (index) => `"${index * 7}":""`, '}')],
    ['one name again and again', fill('{', () => '"a":0', '}')],
    ['many items', fill('[', () => '0', ']')],
    ['many empty objects', fill('[', () => '{}', ']')],
    ['many small objects', fill('[', (index) => `{"${names[index % 26]}${index % 997}":null}`, ']')],
    ['many nests', fill('[', () => `${'['.repeat(30)}${']'.repeat(30)}`, ']')],
    ['objects in objects', fill('[', () => `${'{"a":'.repeat(30)}0${'}'.repeat(30)}`, ']')],
    ['numbers of 199 digits', fill('[', () => '7'.repeat(199), ']')],
    ['numbers with exponents', fill('[', (index) => `${index % 10}e${index % 300}`, ']')],
    ['infinity, then many items', fill('[1e400,', () => '0', ']')],
    ['many infinities', fill('[', () => '1e999', ']')],
    ['many lone surrogates', fill('[', () => String.raw`"\ud800"`, ']')],
    ['a long text', `"${'x'.repeat(bytes - 2)}"`],
    ['a text beyond Latin', `"${'€'.repeat(Math.floor((bytes - 2) / 3))}"`],
    ['a text of escapes', `"${String.raw`\u00e9`.repeat(Math.floor((bytes - 2) / 6))}"`],
    ['a text of quotes', `"${String.raw`\"`.repeat(Math.floor((bytes - 2) / 2))}"`],
    ['a long name', `{"${'n'.repeat(bytes - 6)}":0}`],
    ['long names', fill('{', (index) => `"${String(index).padEnd(1_000, 'n')}":0`, '}')],
    ['spaces', `${' '.repeat(bytes - 2)}[]`],
    ['no end', `[${'['.repeat(20)}${'0,'.repeat(Math.floor(bytes / 2) - 20)}`],
  ])
}

/**
 * A body with one value of it replaced by `value`, or with `value` as one more member: each member of each object, the
 * whole, and a stranger. `value` is JSON text.
 */
export function withValueAnywhere(
  body: unknown,
  value: string,
): readonly { readonly place: string; readonly text: string }[] {
  const mark = '\u2603 here'
  const found: { place: string; copy: unknown }[] = [{ place: '', copy: mark }]
  const walk = (node: unknown, place: string, rebuild: (copy: unknown) => unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if (!Array.isArray(node)) found.push({ place: `${place}/+`, copy: rebuild({ ...node, stranger: mark }) })
    for (const [name, member] of Object.entries(node)) {
      const here = (copy: unknown): unknown =>
        rebuild(Array.isArray(node) ? node.with(Number(name), copy) : { ...node, [name]: copy })
      found.push({ place: `${place}/${name}`, copy: here(mark) })
      walk(member, `${place}/${name}`, here)
    }
  }
  walk(body, '', (copy) => copy)
  return found.map(({ place, copy }) => ({
    place,
    // Made only if it is asked for: a text of 4 MB at every place of every body took longer than reading those that are sent.
    get text() {
      return JSON.stringify(copy).replace(JSON.stringify(mark), () => value)
    },
  }))
}
