import { deadline } from '../../platform/deadline.js'

type Status = 'ok' | 'warn' | 'fail'
export type Finding = { readonly status: Status; readonly detail: string }
/** One thing that is looked at. What it throws is a `fail`. */
export type Check = { readonly name: string; readonly look: () => Promise<Finding> | Finding }
type CheckResult = Finding & { readonly name: string }
/** `ok`: nothing failed; there may be warnings. */
export type Report = { readonly ok: boolean; readonly checks: readonly CheckResult[] }

export const ok = (detail: string): Finding => ({ status: 'ok', detail })
export const warn = (detail: string): Finding => ({ status: 'warn', detail })
export const fail = (detail: string): Finding => ({ status: 'fail', detail })

/**
 * Runs all checks at once. None waits for another, none takes longer than `msMax` milliseconds, and one that fails
 * stops no other. `hide` goes over every detail last.
 */
export async function runChecks(
  checks: readonly Check[],
  msMax: number,
  hide: (text: string) => string,
): Promise<Report> {
  const results = await Promise.all(
    checks.map(async ({ name, look }) => {
      const looking = Promise.resolve().then(look)
      const { status, detail } = await deadline(looking, msMax).catch((error: unknown) => fail(describeTrouble(error)))
      return { name, status, detail: hide(detail) }
    }),
  )
  return { ok: results.every(({ status }) => status !== 'fail'), checks: results }
}

/** What went wrong in one line; some system errors have nothing but a code. */
export function describeTrouble(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const [line = ''] = error.message.split('\n')
  if (line === '') return code ?? error.name
  return code === undefined || line.includes(code) ? line : `${line} (${code})`
}

/** One aligned line a check. */
export function renderReport({ checks }: Report): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  return checks.map(({ name, status, detail }) => `${status.padEnd(4)}  ${name.padEnd(width)}  ${detail}\n`).join('')
}
