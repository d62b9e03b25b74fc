import { describe, expect, it, test } from 'vitest'
import { finalOutput, readWorkflow, renderPrompt, runWorkflow, WORKFLOW_LIMITS } from '../../src/core/routing/index.js'

type Op = Record<string, unknown>
const op = (members: Op = {}): Op => ({ prompt: 'Think.', tier: 1, ...members })
/** reason -> critique and check at the same time -> refine */
const DIAMOND = {
  start_ops: ['reason'],
  end_ops: ['refine'],
  ops: {
    reason: op({ output_ops: ['critique', 'check'] }),
    critique: op({ tier: 2, input_ops: ['reason'], output_ops: ['refine'] }),
    check: op({ input_ops: ['reason'], output_ops: ['refine'] }),
    refine: op({ tier: 3, prompt: 'Refine {{reason}} for {{input}}.', input_ops: ['critique', 'check'] }),
  },
}
const faultsOf = (value: unknown) => {
  const result = readWorkflow(value)
  return result.ok ? [] : result.faults.map(({ at, message }) => `${at}: ${message}`)
}
/** The diamond with one op changed. */
const withOp = (name: string, members: Op) => ({
  ...DIAMOND,
  ops: { ...DIAMOND.ops, [name]: { ...(DIAMOND.ops as Record<string, Op>)[name], ...members } },
})
function read(value: unknown) {
  const result = readWorkflow(value)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result.workflow
}

describe('a workflow', () => {
  it('is read with its ops after their inputs', () => {
    expect([...read(DIAMOND).ops.keys()]).toEqual(['reason', 'critique', 'check', 'refine'])
    const turned = { ...DIAMOND, ops: Object.fromEntries(Object.entries(DIAMOND.ops).reverse()) }
    expect([...read(turned).ops.keys()]).toEqual(['reason', 'critique', 'check', 'refine'])
  })

  const FAULTS: readonly (readonly [string, unknown, string])[] = [
    ['no object', [], ': must be an object'],
    ['an unknown member', { ...DIAMOND, edges: [] }, 'edges: is unknown'],
    ['no ops', { ...DIAMOND, ops: {} }, 'ops: must hold an op at least'],
    ['no start', { ...DIAMOND, start_ops: [] }, 'start_ops: must name an op at least'],
    ['a start that is no op', { ...DIAMOND, start_ops: ['x'] }, "start_ops: names 'x', which is no op"],
    ['an end that is no op', { ...DIAMOND, end_ops: ['x'] }, "end_ops: names 'x', which is no op"],
    ['a name twice', { ...DIAMOND, end_ops: ['refine', 'refine'] }, "end_ops: names 'refine' twice"],
    [
      'an op without a prompt',
      withOp('check', { prompt: '' }),
      'ops.check.prompt: must be a text of 1 to 32000 characters',
    ],
    ['an op of no tier', withOp('check', { tier: 4 }), 'ops.check.tier: must be 1, 2 or 3'],
    [
      'a count of no tokens',
      withOp('check', { max_tokens: 0 }),
      'ops.check.max_tokens: must be a whole number of 1 to 1000000',
    ],
    [
      'a model that is no text',
      withOp('check', { model: 7 }),
      'ops.check.model: must be a text of 1 to 256 characters',
    ],
    ['an unknown member of an op', withOp('check', { temperature: 1 }), 'ops.check.temperature: is unknown'],
    [
      'an unknown input',
      withOp('check', { input_ops: ['reason', 'x'] }),
      "ops.check.input_ops: names 'x', which is no op",
    ],
    [
      'one direction only',
      withOp('check', { output_ops: [] }),
      "ops.refine.input_ops: names 'check', whose output_ops do not name 'refine'",
    ],
    [
      'the other direction only',
      withOp('check', { input_ops: [] }),
      "ops.reason.output_ops: names 'check', whose input_ops do not name 'reason'",
    ],
    [
      'an op that leads nowhere',
      {
        ...DIAMOND,
        ops: {
          ...DIAMOND.ops,
          reason: op({ output_ops: ['critique', 'check', 'lost'] }),
          lost: op({ input_ops: ['reason'] }),
        },
      },
      'ops.lost: leads to no end op',
    ],
    [
      'an op that nothing leads to',
      { ...DIAMOND, ops: { ...DIAMOND.ops, lost: op() } },
      'ops.lost: is reached from no start op',
    ],
    [
      'a start with inputs',
      { ...DIAMOND, start_ops: ['reason', 'check'] },
      'ops.check.input_ops: must be empty for a start op',
    ],
    [
      'an op named input',
      { ...DIAMOND, ops: { ...DIAMOND.ops, input: op() } },
      "ops.input: must have a name of letters, digits, _ and -, which begins with a letter or _ and is not 'input'",
    ],
    [
      'a prompt that names no op',
      withOp('refine', { prompt: '{{ nothing }}' }),
      "ops.refine.prompt: names 'nothing', which is no op that always runs before 'refine'",
    ],
    [
      'a prompt that names what runs beside it',
      withOp('check', { prompt: '{{critique}}' }),
      "ops.check.prompt: names 'critique', which is no op that always runs before 'check'",
    ],
  ]
  test.each(FAULTS)('with %s is refused', (_, value, fault) => expect(faultsOf(value)).toContain(fault))

  it('with a cycle is refused with the names that wait for each other', () => {
    const ring = {
      start_ops: ['a'],
      end_ops: ['c'],
      ops: {
        a: op({ output_ops: ['b'] }),
        b: op({ input_ops: ['a', 'c'], output_ops: ['c'] }),
        c: op({ input_ops: ['b'], output_ops: ['b'] }),
      },
    }
    expect(faultsOf(ring)).toEqual(["ops: has a cycle: 'b', 'c' wait for each other"])
    const self = { start_ops: ['a'], end_ops: ['a'], ops: { a: op({ input_ops: ['a'], output_ops: ['a'] }) } }
    expect(faultsOf(self)).toEqual(["ops: has a cycle: 'a' wait for each other"])
  })

  it('tells every fault, and of a hopeless one only so many', () => {
    expect(faultsOf({ ...withOp('check', { tier: 9 }), start_ops: 'reason', more: 1 })).toHaveLength(3)
    const members = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`m${index}`, 1]))
    expect(faultsOf({ ...DIAMOND, ...members })).toHaveLength(WORKFLOW_LIMITS.faultsMax)
  })

  it('of too many ops is refused before any is looked at', () => {
    const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`o${index}`, 7]))
    expect(faultsOf({ ...DIAMOND, ops: many })).toEqual(['ops: may hold 32 ops, not 50000'])
  })

  it('reads names that objects have of themselves as any others', () => {
    const odd = { start_ops: ['constructor'], end_ops: ['toString'], ops: { constructor: op(), toString: op() } }
    expect(faultsOf(odd)).toEqual(['ops.constructor: leads to no end op', 'ops.toString: is reached from no start op'])
    expect(
      faultsOf(JSON.parse('{"start_ops":["a"],"end_ops":["a"],"ops":{"a":{"prompt":"x"},"__proto__":{}}}')),
    ).toHaveLength(1)
  })
})

describe('a prompt', () => {
  const outputs = new Map([
    ['a', 'A {{b}}'],
    ['b', 'B'],
  ])

  it('holds what it names, whole and once', () => {
    expect(renderPrompt({ prompt: '{{a}} {{ b }} {{input}} {{1}}', inputOps: ['a', 'b'] }, 'IN', outputs)).toBe(
      'A {{b}} B IN {{1}}',
    )
  })

  it('comes after the inputs that it does not name, each labelled', () => {
    expect(renderPrompt({ prompt: 'Use {{a}}.', inputOps: ['a', 'b'] }, 'IN', outputs)).toBe('b:\nB\n\nUse A {{b}}.')
    expect(renderPrompt({ prompt: 'Think.', inputOps: [] }, 'IN', outputs)).toBe('input:\nIN\n\nThink.')
  })

  it('takes a dollar sign as a dollar sign', () => {
    expect(renderPrompt({ prompt: '{{input}}', inputOps: [] }, "$& $1 $'", outputs)).toBe("$& $1 $'")
  })

  it('that would get too long is not made', () => {
    const long = new Map([['a', 'x'.repeat(500_000)]])
    expect(renderPrompt({ prompt: '{{a}}{{a}}', inputOps: ['a'] }, '', long)).toBeUndefined()
    expect(renderPrompt({ prompt: '{{a}}', inputOps: ['a'] }, '', long)).toHaveLength(500_000)
  })

  it('of opening braces and blanks is read in no time to speak of', () => {
    const hostile = '{{ \t'.repeat(8_000)
    expect(renderPrompt({ prompt: hostile, inputOps: ['a'] }, '', outputs)).toHaveLength(
      hostile.length + 'a:\nA {{b}}\n\n'.length,
    )
  })
})

describe('a run', () => {
  const done = (text: string, model = 'm') => ({ ok: true, text, model, detail: 1 }) as const

  it('runs independent ops at the same time, and each after its inputs', async () => {
    const running = new Set<string>()
    let together = 0
    const asked = new Map<string, string>()
    const results = await runWorkflow(read(DIAMOND), 'Q', async ({ name }, prompt) => {
      running.add(name)
      asked.set(name, prompt)
      await new Promise((resolve) => setImmediate(resolve))
      together = Math.max(together, running.size)
      running.delete(name)
      return done(name.toUpperCase())
    })
    expect(together).toBe(2)
    expect([...results.keys()]).toEqual(['reason', 'critique', 'check', 'refine'])
    expect(asked.get('check')).toBe('reason:\nREASON\n\nThink.')
    expect(asked.get('refine')).toBe('critique:\nCRITIQUE\n\ncheck:\nCHECK\n\nRefine REASON for Q.')
    expect(finalOutput(read(DIAMOND), results)).toBe('REFINE')
  })

  it('skips what depends on a failed op and runs the rest', async () => {
    const called: string[] = []
    const results = await runWorkflow(read(DIAMOND), 'Q', async ({ name }) => {
      called.push(name)
      return name === 'check' ? { ok: false, reason: 'no backend' } : done('x')
    })
    expect(called).toEqual(['reason', 'critique', 'check'])
    expect(results.get('check')).toEqual({ status: 'failed', reason: 'no backend' })
    expect(results.get('critique')).toMatchObject({ status: 'done' })
    expect(results.get('refine')).toEqual({ status: 'skipped', because: ['check'] })
    expect(finalOutput(read(DIAMOND), results)).toBeNull()
  })

  it('wishes for the model of an input of the same tier', async () => {
    const wishes = new Map<string, string | undefined>()
    await runWorkflow(read(DIAMOND), 'Q', async ({ name }, _prompt, preferred) => {
      wishes.set(name, preferred)
      return done('x', `model of ${name}`)
    })
    expect([...wishes]).toEqual([
      ['reason', undefined],
      ['critique', undefined],
      ['check', 'model of reason'],
      ['refine', undefined],
    ])
  })

  it('throws what a call throws, after every op has ended', async () => {
    const ended: string[] = []
    const run = runWorkflow(read(DIAMOND), 'Q', async ({ name }) => {
      if (name === 'critique') throw new Error('a fault')
      await new Promise((resolve) => setImmediate(resolve))
      ended.push(name)
      return done('x')
    })
    await expect(run).rejects.toThrow('a fault')
    expect(ended).toEqual(['reason', 'check'])
  })

  it('labels the outputs of several ends', async () => {
    const two = { ...DIAMOND, end_ops: ['refine', 'check'] }
    const results = await runWorkflow(read(two), 'Q', async ({ name }) => done(name))
    expect(finalOutput(read(two), results)).toBe('refine:\nrefine\n\ncheck:\ncheck')
  })
})
