import { describe, expect, it } from 'vitest'
import { type Asked, classify, DEFAULT_TIER_LIMITS, tierOf } from '../../src/core/routing/index.js'
import { judgeLabels, LABELS } from '../bench/labels.js'

const asked = (prompt: string, more: Partial<Asked> = {}): Asked => ({
  ...{ prompt, system: '', turns: 1, chars: prompt.length, tools: false, json: false },
  ...more,
})
const tier = (prompt: string, more: Partial<Asked> = {}) => classify(asked(prompt, more)).tier

describe('the classifier', () => {
  it('sends a lookup to tier 1, a text to write to tier 2, a proof to tier 3', () => {
    expect(tier('What is the capital of Mongolia?')).toBe(1)
    expect(tier('hi')).toBe(1)
    expect(tier('Write a Python function that merges two sorted lists and explain it.')).toBe(2)
    expect(tier('Prove that there are infinitely many primes.')).toBe(3)
    expect(tier('Demuestra que la raíz de dos es irracional.')).toBe(3)
    expect(tier('このアルゴリズムの計算量を分析し、正しさを証明してください。')).toBeGreaterThan(1)
  })

  it('gives each shape its points, and says which', () => {
    const plain = classify(asked('hello there'))
    expect(plain).toEqual({ score: 5, tier: 1, reasons: ['tokens +5'] })
    const shapes: [Partial<Asked>, string][] = [
      [{ json: true }, 'JSON mode +10'],
      [{ tools: true }, 'tools +15'],
      [{ system: 'Be brief.' }, 'system prompt +2'],
      [{ system: 'x'.repeat(10_000) }, 'system prompt +10'],
      [{ turns: 5 }, 'conversation +6'],
      [{ turns: 500 }, 'conversation +15'],
      [{ chars: 1_000_000 }, 'tokens +35'],
    ]
    for (const [shape, reason] of shapes) expect(classify(asked('hello there', shape)).reasons).toContain(reason)
  })

  it('never answers below tier 2 where tools are offered', () => {
    expect(tier('hi', { tools: true })).toBe(2)
  })

  it('keeps a derivative, a hedgehog and proofreading out of the hard tasks', () => {
    expect(tier('Proofread this: He go home.')).toBe(1)
    expect(tier('What does a hedgehog eat?')).toBe(1)
  })

  it('judges what is asked, and not the text that it is asked of', () => {
    const invoice = 'INVOICE 2024\nHours of analysis, risk and security review ... 95.00\nTOTAL 186.84'
    expect(tier(`Extract the total of this invoice as JSON with keys total and due.\n\n${invoice}`)).toBe(1)
    expect(tier('Fix the spelling: "We proove the theorem wiht rigor and derive the bound."')).toBe(1)
    expect(tier('Which team does this ticket belong to? Reply with one word.\n\n"I was charged twice."')).toBe(1)
    expect(tier('Make this shorter: "In the event that it should rain we will analyze the risk."')).toBe(1)
    // A short opening says too little alone, and what stands last counts.
    expect(tier('Look:\n\nprove that the sum of two even numbers is even')).toBe(3)
    expect(tier('Here is a text.\n\nIt rains.\n\nProve the theorem that it is about.')).toBe(3)
  })

  it('takes a long list of things to deliver for a hard task', () => {
    const plan = 'We assign 240 drivers to 3,900 deliveries with breaks and a weekly rule of hours for each of them.'
    expect(tier(`${plan} Discuss why it is out of reach, propose a method, and work out how to measure its gap.`)).toBe(
      3,
    )
    expect(tier(`${plan} Write a short notice about it.`)).toBe(2)
  })

  it('stays between 0 and 100, whatever is asked', () => {
    const all = { json: true, tools: true, turns: 99, chars: 1_000_000, system: 'x'.repeat(5_000) }
    const { score } = classify(asked('Prove step by step:\n```\nfunction f() {}\n```', all))
    expect(score).toBe(100)
  })

  it('goes by the limits of the configuration', () => {
    expect([0, 30, 31, 70, 71, 100].map((score) => tierOf(score, DEFAULT_TIER_LIMITS))).toEqual([1, 1, 2, 2, 3, 3])
    expect(classify(asked('hello there'), { tier1Max: 4, tier2Max: 4 }).tier).toBe(3)
  })

  it('reads the beginning and the end of a text of megabytes, and no more', () => {
    const filler = 'a'.repeat(1_000_000)
    const started = process.cpuUsage()
    expect(tier(`${filler} prove the theorem`)).toBe(3)
    for (const text of [filler, 'ab '.repeat(300_000), '`'.repeat(1_000_000), 'function '.repeat(100_000)]) {
      tier(text, { chars: text.length })
    }
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(500)
  })
})

/** Prompts outside of the labelled set, with the tiers that they may go to. */
const JUDGED: readonly (readonly [string, ...number[]])[] = [
  ['What is the boiling point of nitrogen?', 1],
  ['good morning!', 1],
  ['Translate "I am hungry" to Dutch', 1],
  ['How many days does June have?', 1],
  ['Is this text spam: "Claim your prize now"', 1],
  ['Who directed Alien?', 1],
  ['Sort these: 5, 3, 9', 1],
  ['What is the plural of goose?', 1],
  ['Extract the date: the fair opens on 3 May 2024', 1],
  ['Uppercase this: abc', 1],
  ['Wer hat Faust geschrieben?', 1],
  ['¿Cómo se dice gato en inglés?', 1],
  ['What does CPU stand for?', 1],
  ['Name two primary colours', 1],
  ['Which is larger, 3/4 or 2/3?', 1],
  ['Write a Python function that reverses the words of a sentence and handles punctuation.', 2],
  ['Explain how a refrigerator works to a ten-year-old.', 2],
  ['Draft an email to a landlord about a broken heater, polite but firm, under 120 words.', 2],
  ['Write a SQL query that lists customers without an order in the last year.', 2],
  ['Summarize the plot of Moby Dick in five sentences.', 2],
  ['Compare electric and hybrid cars for a family in the countryside.', 2],
  ['Create a packing list for a two-week hiking trip in Norway.', 2],
  ['Write a short blog post about learning to bake bread.', 2],
  ['Explain the difference between REST and GraphQL with examples.', 2],
  ['Write a regex for Dutch postal codes and explain it.', 2],
  ['Outline a lesson about volcanoes for a fifth grade class.', 2],
  ['Schreibe eine höfliche Absage an einen Bewerber mit kurzer Begründung.', 2, 3],
  ["Explique la différence entre le passé composé et l'imparfait.", 2],
  ['Refactor this loop into a list comprehension and explain why it is clearer.', 2],
  ['Prove that the sum of two even integers is even, then generalise to n integers.', 3],
  ['Derive the gradient of the softmax cross-entropy loss.', 3],
  ['Find the deadlock in this locking scheme and argue why your fix is free of livelock.', 3],
  ['Design a globally consistent inventory system that survives a partition; discuss trade-offs and failure modes.', 3],
  ['Give a counterexample to the claim that every bounded sequence converges.', 3],
  ['Prove the correctness of Dijkstra and analyse its complexity with a Fibonacci heap.', 3],
  ['Work through the differential diagnosis of sudden unilateral vision loss, step by step.', 3],
  ['Assess whether the indemnity clause is enforceable under English law and the liability that follows.', 3],
  ['Formulate the nurse rostering problem as an integer program and propose a heuristic.', 3],
  ['Critically evaluate the methodology of this trial and the confounders it leaves open.', 3],
  ['Zeige mit einem Beweis durch Widerspruch, dass es unendlich viele Primzahlen gibt.', 2, 3],
  ['Analyse the linearizability of this register under clock drift and propose a safe lease protocol.', 3],
  ['Plan a migration from a monolith to services without downtime, with rollback and data ownership.', 3],
  ['Why does a cache line shared by two threads slow both down, and how would you prove it experimentally?', 2, 3],
]

describe('a prompt that is not in the labelled set', () => {
  it.each(JUDGED.map(([prompt, ...tiers]) => ({ prompt, tiers })))(
    '"$prompt" goes where it should',
    ({ prompt, tiers }) => {
      expect(tiers).toContain(tier(prompt))
    },
  )
})

describe('the labelled set', async () => {
  it('holds at least 200 prompts of three tiers, 670 pairs that must not hit and 200 that must', async () => {
    const names = (await judgeLabels(LABELS)).map(({ name }) => Number(/\d+(?= (prompts|pairs))/.exec(name)?.[0] ?? 0))
    expect(names[0]).toBeGreaterThanOrEqual(200)
    expect(names[2]).toBeGreaterThanOrEqual(670)
    expect(names[3]).toBeGreaterThanOrEqual(200)
  })

  it.each(await judgeLabels(LABELS))('$name: $measured, goal $goal', ({ holds }) => {
    expect(holds).toBe(true)
  })
})
