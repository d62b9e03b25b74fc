import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { classify, jaccard, questionForm } from '../../src/core/routing/index.js'
import type { Result } from './experiments.js'

type LabelledPrompt = {
  readonly prompt: string
  readonly system?: string
  readonly tools?: boolean
  readonly tier: number
}
type LabelledPair = { readonly a: string; readonly b: string; readonly hit: boolean }

export const LABELS = fileURLToPath(new URL('labels/', import.meta.url))
const GOALS = { accuracyMin: 0.85, hardInTier1Max: 0, falseHitsMax: 0.01, hitsMin: 0.6 } as const
const SIMILARITY_MIN = 0.85

/** How often the classifier is right, and the semantic cache wrong, on the labelled prompts and pairs of a folder. */
export async function judgeLabels(folder: string): Promise<Result[]> {
  const prompts = await readLines<LabelledPrompt>(folder, 'prompts.jsonl')
  const pairs = await readLines<LabelledPair>(folder, 'pairs.jsonl')
  return [...judgePrompts(prompts), ...judgePairs(pairs)]
}

async function readLines<T>(folder: string, file: string): Promise<T[]> {
  const text = await readFile(`${folder}/${file}`, 'utf8')
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as T)
}

function judgePrompts(prompts: readonly LabelledPrompt[]): Result[] {
  const judged = prompts.map((labelled) => {
    const { prompt, system = '', tools = false } = labelled
    const chars = prompt.length + system.length
    return { ...labelled, ...classify({ prompt, system, turns: 1, chars, tools, json: false }), wanted: labelled.tier }
  })
  const wrong = judged.filter(({ tier, wanted }) => tier !== wanted)
  const hard = wrong.filter(({ tier, wanted }) => tier === 1 && wanted === 3)
  const right = 1 - wrong.length / prompts.length
  return [
    {
      name: `classifier, right tier of ${prompts.length} prompts`,
      goal: `>= ${percent(GOALS.accuracyMin)}`,
      holds: right >= GOALS.accuracyMin,
      measured: percent(right),
      detail: { wrong: wrong.map(({ prompt, wanted, score, reasons }) => ({ prompt, wanted, score, reasons })) },
    },
    {
      name: 'classifier, hard prompts in tier 1',
      goal: String(GOALS.hardInTier1Max),
      holds: hard.length <= GOALS.hardInTier1Max,
      measured: String(hard.length),
      detail: { hard: hard.map(({ prompt }) => prompt) },
    },
  ]
}

function judgePairs(pairs: readonly LabelledPair[]): Result[] {
  const judged = pairs.map((pair) => ({ ...pair, found: isSame(pair.a, pair.b) }))
  const apart = judged.filter(({ hit }) => !hit)
  const alike = judged.filter(({ hit }) => hit)
  const falseHits = apart.filter(({ found }) => found)
  const missed = alike.filter(({ found }) => !found)
  const share = falseHits.length / apart.length
  const hits = 1 - missed.length / alike.length
  return [
    {
      name: `semantic cache, false hits of ${apart.length} pairs`,
      goal: `<= ${percent(GOALS.falseHitsMax)}`,
      holds: share <= GOALS.falseHitsMax,
      measured: percent(share),
      detail: { falseHits: falseHits.map(({ a, b }) => ({ a, b })) },
    },
    {
      name: `semantic cache, hits of ${alike.length} pairs`,
      goal: `>= ${percent(GOALS.hitsMin)}`,
      holds: hits >= GOALS.hitsMin,
      measured: percent(hits),
      detail: { missed: missed.map(({ a, b }) => ({ a, b })) },
    },
  ]
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [questionForm(a), questionForm(b)]
  if (one === undefined || other === undefined) return false
  return one.key === other.key && jaccard(one.words, other.words) >= SIMILARITY_MIN
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
