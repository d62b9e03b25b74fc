import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql as drizzleSql } from 'drizzle-orm'
import type { Sql, Statements } from '../../src/db/client.js'
import { classifyFailure } from '../../src/db/failure.js'
import { createTransact, ormOf, sqlOf } from '../../src/db/transact.js'

/** The tables that the load writes. */
export const LOAD_TABLES = `
  create table written (nonce text primary key);
  create table parts (nonce text, part integer, primary key (nonce, part))`

const PARTS = [1, 2, 3, 4]

export type DatabaseLoad = {
  /** What must not be: another's answer, a statement outside of its transaction, an error that no lost connection gives. */
  readonly wrong: readonly string[]
  /** Statements and transactions that were answered, and those that failed with their connection. */
  readonly answered: () => number
  readonly lost: () => number
  /** No new work; resolves once all that was begun is settled, and says what is not. */
  stop(msMax: number): Promise<readonly string[]>
  /** Compares what was answered with what the database has. Says what is missing, half there, or there against its word. */
  audit(observer: Sql): Promise<readonly string[]>
}

class Abandoned extends Error {}

/** Mixed work on one pool. Every statement carries a nonce of its own, every transaction marks its session. */
export function startDatabaseLoad(pool: Sql, workers: number): DatabaseLoad {
  const wrong: string[] = []
  const [written, committed, abandoned] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const underWay = new Set<string>()
  const transact = createTransact(pool)
  let [running, answered, lost] = [true, 0, 0]
  const expectSame = (what: string, got: unknown, wanted: unknown) => {
    if (got !== wanted) wrong.push(`${what}: ${String(got).slice(0, 60)} instead of ${String(wanted).slice(0, 60)}`)
  }
  const ask = async (through: Statements, mark: string) => {
    const nonce = randomUUID()
    const rows = await through`select ${nonce}::text as nonce, coalesce(current_setting('load.mark', true), '') as mark`
    expectSame('rows', rows.length, 1)
    expectSame('nonce', rows[0]?.['nonce'], nonce)
    expectSame('session', rows[0]?.['mark'], mark)
  }
  const write = async () => {
    const nonce = randomUUID()
    const result = await pool`insert into written (nonce) values (${nonce})`
    expectSame('rows written', result.count, 1)
    written.add(nonce)
  }
  const writeParts = async (tx: Statements, nonce: string, stubborn: boolean) => {
    let failure: unknown
    for (const part of PARTS) {
      await sleep(Math.random() * (stubborn ? 60 : 5))
      try {
        await tx`insert into parts (nonce, part) values (${nonce}, ${part})`
        await ask(tx, nonce)
        if (failure !== undefined) wrong.push('a transaction answers again after a failure')
      } catch (error) {
        failure = error
        if (!stubborn) throw error
      }
    }
    if (failure !== undefined && Math.random() < 0.5) throw failure
  }
  const transaction = async (stubborn: boolean) => {
    const nonce = randomUUID()
    const gaveUp = Math.random() < 0.2
    if (gaveUp) abandoned.add(nonce)
    await pool.begin(async (tx) => {
      await tx`select set_config('load.mark', ${nonce}, true)`
      await writeParts(tx, nonce, stubborn)
      if (gaveUp) throw new Abandoned()
    })
    committed.add(nonce)
  }
  const mixedTransaction = async () => {
    const nonce = randomUUID()
    await transact(async (tx) => {
      await ormOf(tx).execute(drizzleSql`select set_config('load.mark', ${nonce}, true)`)
      await writeParts(sqlOf(tx), nonce, false)
    })
    committed.add(nonce)
  }
  const pipelinedTransaction = async () => {
    const nonce = randomUUID()
    await pool.begin((tx) => PARTS.map((part) => tx`insert into parts (nonce, part) values (${nonce}, ${part})`))
    committed.add(nonce)
  }
  const large = async () => {
    const text = randomUUID() + 'x'.repeat(Math.random() * 300_000)
    const [row] = await pool`select length(${text}::text) as length, left(${text}::text, 36) as head`
    expectSame('length', row?.['length'], text.length)
    expectSame('head', row?.['head'], text.slice(0, 36))
  }
  const kinds: Readonly<Record<string, () => Promise<unknown>>> = {
    ask: () => ask(pool, ''),
    'ask at once': () => Promise.all(Array.from({ length: 10 }, () => ask(pool, ''))),
    write,
    'write, and again at once': () => write().catch(write),
    transaction: () => transaction(false),
    'stubborn transaction': () => transaction(true),
    'mixed transaction': mixedTransaction,
    'pipelined transaction': pipelinedTransaction,
    large,
  }
  const work = async (index: number) => {
    const names = Object.keys(kinds)
    for (let turn = index; running; turn++) {
      const name = names[turn % names.length] ?? ''
      const label = `${name} ${randomUUID()}`
      underWay.add(label)
      try {
        await kinds[name]?.()
        answered++
      } catch (error) {
        if (classifyFailure(error) === 'unavailable') lost++
        else if (!(error instanceof Abandoned)) wrong.push(`${name}: ${error}`)
      }
      underWay.delete(label)
      await sleep(Math.random() * 10)
    }
  }
  const done = Promise.all(Array.from({ length: workers }, (_, index) => work(index)))
  return {
    wrong,
    answered: () => answered,
    lost: () => lost,
    stop: async (msMax) => {
      running = false
      await Promise.race([done, sleep(msMax, undefined, { ref: false })])
      return [...underWay]
    },
    audit: async (observer) => {
      const rows = new Set((await observer`select nonce from written`).map(({ nonce }) => nonce as string))
      const parts = await observer<{ nonce: string; count: number }[]>`
        select nonce, count(*)::integer as count from parts group by nonce`
      const whole = new Set(parts.map(({ nonce }) => nonce))
      return [
        ...[...written].filter((nonce) => !rows.has(nonce)).map(() => 'a write that was answered is not there'),
        ...[...committed].filter((nonce) => !whole.has(nonce)).map(() => 'a commit that was answered is not there'),
        ...[...abandoned].filter((nonce) => whole.has(nonce)).map(() => 'a transaction that was abandoned is there'),
        ...parts.filter(({ count }) => count !== PARTS.length).map(() => 'a transaction is half there'),
      ]
    },
  }
}
