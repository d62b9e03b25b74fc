import { type Agent, request } from 'node:http'
import { CLI_LIMITS } from '../../limits.js'

/** A call as it is sent: the same for each way. */
export type BenchCall = { readonly body: string; readonly expect: string; readonly agent: Agent }
/** Milliseconds from the first byte that was sent to the first and to the last of the answer. */
export type Taken = { readonly firstMs: number; readonly wholeMs: number }
export type CallResult = ({ readonly ok: true } & Taken) | { readonly ok: false; readonly why: string }

const PATH = '/v1/chat/completions'
const HEADERS = { 'Content-Type': 'application/json', 'X-Project-Key': 'router-bench' }

/** What a call asks for, and what stands at the end of a right answer. */
export const callFor = (isStream: boolean, agent: Agent): BenchCall => ({
  body: JSON.stringify({
    model: 'local:bench',
    stream: isStream,
    messages: [{ role: 'user', content: 'Twenty words, please.' }],
  }),
  expect: isStream ? 'data: [DONE]' : '"usage"',
  agent,
})

/** Makes one call. Never rejects: a call that failed is a result, too. */
export function callOnce(url: string, { body, expect, agent }: BenchCall): Promise<CallResult> {
  const begun = performance.now()
  return new Promise((resolve) => {
    const fail = (why: string) => resolve({ ok: false, why })
    const sent = request(url + PATH, { method: 'POST', headers: HEADERS, agent }, (answer) => {
      let firstMs = 0
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (piece: string) => {
        firstMs ||= performance.now() - begun
        text += piece
      })
      answer.once('error', (error) => fail(error.message))
      answer.once('end', () => {
        const wholeMs = performance.now() - begun
        if (answer.statusCode !== 200) return fail(`status ${answer.statusCode}: ${text}`)
        return text.includes(expect) ? resolve({ ok: true, firstMs, wholeMs }) : fail('not a whole answer')
      })
    })
    sent.setTimeout(CLI_LIMITS.benchCallMsMax, () => sent.destroy(new Error('no answer in time')))
    sent.once('error', (error) => fail(error.message))
    sent.end(body)
  })
}
