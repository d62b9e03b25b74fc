import { describe, expect, test } from 'vitest'
import { judgeRequest, shapeOf } from '../../src/features/gateway/judge/judge-request.js'

const deps = { tier1Max: 30, tier2Max: 70, threshold: 0.5, sidecarWeight: 0.5 }
const judge = (body: Record<string, unknown>, learned = 0.5, sidecar?: number) =>
  judgeRequest(deps, shapeOf(body), learned, sidecar)
const plain = { prompt: '', system: '', turns: 1, chars: 0, tools: false, json: false }
const user = (content: unknown) => ({ role: 'user', content })

describe('what of a request says how hard it is', () => {
  test('is read from OpenAI’s language', () => {
    const body = {
      messages: [
        { role: 'system', content: 'Be brief.' },
        user('first'),
        { role: 'assistant', content: 'answer' },
        user([
          { type: 'text', text: 'second' },
          { type: 'image_url', image_url: { url: 'data:…' } },
        ]),
      ],
      tools: [{ type: 'function' }],
      response_format: { type: 'json_object' },
    }
    expect(shapeOf(body)).toEqual({
      ...{ prompt: 'second', system: 'Be brief.', turns: 3, chars: 'Be brief.firstanswersecond'.length },
      ...{ tools: true, json: true },
    })
  })

  test('is read from Anthropic’s language', () => {
    const body = { system: [{ type: 'text', text: 'Be brief.' }], messages: [user('first')], tools: [] }
    expect(shapeOf(body)).toEqual({ ...plain, prompt: 'first', system: 'Be brief.', chars: 14 })
  })

  test('is nothing of a request without a text, whatever stands in its place', () => {
    for (const messages of [undefined, null, 7, [], [null], [{}], [{ role: 'system' }]]) {
      expect(shapeOf({ messages })).toMatchObject({ prompt: '', system: '', chars: 0 })
    }
    expect(shapeOf({ messages: [user(null)], response_format: 'json' })).toEqual(plain)
  })

  test('gives a low tier to a greeting and a higher one to tools', () => {
    expect(judge({ messages: [user('hello there')] }).tier).toBe(1)
    const withTools = judge({ messages: [user('hello there')], tools: [{}] })
    expect(withTools.tier).toBe(2)
    expect(withTools.score).toBeGreaterThan(0)
  })

  test('gives other tiers where a project has learned, and where a sidecar knows better', () => {
    const greeting = { messages: [user('hello there')] }
    expect(judge(greeting, 0.2).tier).toBe(2)
    expect(judge(greeting, 0.5, 1)).toMatchObject({ tier: 2, score: expect.any(Number) })
    expect(judge(greeting, 0.5, 1).score).toBeGreaterThan(judge(greeting).score)
    expect(judge({ ...greeting, tools: [{}] }, 0.8, 0).tier).toBe(2)
  })
})
