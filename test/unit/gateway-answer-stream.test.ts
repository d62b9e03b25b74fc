import { describe, expect, test } from 'vitest'
import { type Members, passOpenAiStream, watchStream } from '../../src/core/chat/index.js'
import type { CallEnd } from '../../src/features/gateway/account/account.js'
import { openAnswerStream } from '../../src/features/gateway/serve/answer-stream.js'
import type { EventSource } from '../../src/features/gateway/serve/read-events.js'
import { UpstreamTrouble } from '../../src/features/gateway/serve/trouble.js'

const chunk = (content: string, finished: string | null = null): Members => ({
  choices: [{ index: 0, delta: { content }, finish_reason: finished }],
})
const WHOLE = [chunk('word'), chunk(' more'), chunk('', 'stop')]

/** An upstream that says this, and then nothing until it is broken off. */
function silentAfter(events: readonly Members[]): EventSource {
  const left = [...events]
  let breakOff: (error: Error) => void = () => undefined
  return {
    next: () => {
      const event = left.shift()
      if (event !== undefined) return Promise.resolve(event)
      return new Promise((_, reject) => {
        breakOff = reject
      })
    },
    bytes: () => 0,
    abort: () => breakOff(new UpstreamTrouble({ kind: 'cut' })),
  }
}

/** A stream of these events, and the ends that were written down of it. */
async function open(events: readonly Members[], signal = new AbortController().signal, given?: EventSource) {
  const left = [...events]
  const ends: CallEnd[] = []
  const opened = await openAnswerStream({
    source: given ?? { next: async () => left.shift() ?? null, bytes: () => 0, abort: () => undefined },
    watch: watchStream('openai'),
    translator: passOpenAiStream({ wantsUsage: false }),
    ...{ surface: 'openai' as const, signal, drainMsMax: 1_000, saidMsMax: 20, inputTokens: () => 9 },
    settle: async (end) => void ends.push(end),
    explain: ({ message }) => message,
  })
  return { ...opened, ends, left }
}

describe('the stream of an answer', () => {
  test('is passed on to its end, and written down once', async () => {
    const { frames, ended, ends } = await open(WHOLE)
    let text = ''
    for await (const frame of frames) text += frame
    expect(text.match(/^data: /gm)).toHaveLength(4)
    expect(text).toMatch(/data: \[DONE\]\n\n$/)
    expect(ends).toMatchObject([{ outcome: 'answered', isEstimated: true, usage: { input: 9, output: 3 } }])
    expect(await ended).toEqual({ kind: 'answered' })
  })

  test('that says why its answer ended, and then nothing more, is over after a short silence', async () => {
    const said = { choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } }
    for (const [events, usage] of [
      [WHOLE, { input: 9, output: 3 }],
      [[...WHOLE, said], { input: 7, output: 3 }],
    ] as const) {
      const { frames, ended, ends } = await open(events, undefined, silentAfter(events))
      let text = ''
      for await (const frame of frames) text += frame
      expect(text).toMatch(/data: \[DONE\]\n\n$/)
      expect(ends).toMatchObject([{ outcome: 'answered', usage }])
      expect(await ended).toEqual({ kind: 'answered' })
    }
  })

  test('is not over while another choice has not said that it is', async () => {
    const other = { choices: [{ index: 1, delta: { content: 'other' }, finish_reason: null }] }
    const events = [chunk('word'), other, chunk('', 'stop')]
    const source = silentAfter(events)
    const { frames, ends } = await open(events, undefined, source)
    // It is waited for as long as an upstream may be silent: here until that breaks it off.
    setTimeout(source.abort, 100)
    let text = ''
    for await (const frame of frames) text += frame
    expect(text).toContain('"error"')
    expect(ends).toMatchObject([{ outcome: 'cut' }])
  })

  test('whose caller left before it read anything is read on for its usage, and written down', async () => {
    const { frames, ended, ends, left } = await open(WHOLE)
    await frames.return(undefined)
    expect(await ended).toEqual({ kind: 'cancelled' })
    expect(left).toEqual([])
    expect(ends).toMatchObject([{ outcome: 'cancelled', usage: { output: 3 } }])
  })

  test('that fails before its content tells what it used by then, for another backend may answer', async () => {
    const said = { choices: [], usage: { prompt_tokens: 7, completion_tokens: 0 } }
    const failed = open([said, { error: { message: 'busy' } }])
    await expect(failed).rejects.toMatchObject({ outcome: { kind: 'error-in-answer' }, seen: { input: 7, output: 0 } })
    await expect(open([])).rejects.toEqual(new UpstreamTrouble({ kind: 'cut' }))
  })
})
