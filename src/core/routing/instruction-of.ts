/** Longer than this, a first paragraph is no instruction for what follows it. */
const instructionWordsMax = 60
/** A shorter one says too little to be judged alone. */
const instructionWordsMin = 2
const closingWordsMax = 30

/**
 * What a prompt asks for, without the text that it is asked of: a quoted passage, what stands behind "this text:", and
 * the paragraphs below a short first one, but for a short last one. A long invoice makes it no harder to find its total.
 */
export function instructionOf(prompt: string): string {
  const paragraphs = prompt.trim().split(/\n[^\S\n]*\n/)
  const [first = '', ...given] = paragraphs
  const last = given.at(-1) ?? ''
  const isLed = given.length > 0 && wordsIn(first) <= instructionWordsMax
  const asked = isLed ? [first, ...(wordsIn(last) <= closingWordsMax && given.length > 1 ? [last] : [])] : paragraphs
  const instruction = asked.join('\n').replace(QUOTED, ' ').replace(GIVEN, '$1')
  return wordsIn(instruction) < instructionWordsMin ? prompt : instruction
}

const QUOTED = /(?<=[\s(])["“«]\s?[^\s"”»]+\s[^\s"”»]+\s[^"“”«»]+["”»]/gu
const GIVEN =
  /((?:this|the|following|my|a) (?:text|sentence|message|review|paragraph|email|comment|tweet|note|passage|ticket|headline)[^.:?!\n]{0,30}:)\s[\s\S]+/u

const wordsIn = (text: string): number => text.match(/\p{L}[\p{L}-]*/gu)?.length ?? 0
