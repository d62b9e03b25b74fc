import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')

/** A fenced block: what stands behind the fence, the heading above it, and its lines without the fence's indentation. */
export type Block = { readonly kind: string; readonly heading: string; readonly text: string; readonly line: number }

/** Commands, and the output that the comment under them promises; undefined where none stands there. */
export type Step = { readonly commands: string; readonly promised: string | undefined }

export type Document = { readonly path: string; readonly text: string }

const document = (path: string): Document => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })

/** What people read, in the order in which they do. */
export const README = document('README.md')
export const OPERATIONS = document('.docs/operations.md')
const DIFFERENCES = document('.docs/differences.md')
const LOCKFILES = document('.docs/lockfiles.md')
const SYNC = document('.docs/sync.md')
export const WEBHOOKS = document('.docs/webhooks.md')
const AUDITORS = document('.docs/auditors.md')
export const DOCUMENTS: readonly Document[] = [README, OPERATIONS, DIFFERENCES, LOCKFILES, SYNC, WEBHOOKS, AUDITORS]

/** Every fenced block of the documents. */
export const allBlocks = (): Block[] => DOCUMENTS.flatMap(({ text }) => readBlocks(text))

const FENCE = /^( *)```(.*)$/

/** Every fenced block of a Markdown text, in order. Throws where one is not closed. */
export function readBlocks(markdown: string): Block[] {
  const blocks: Block[] = []
  let heading = ''
  let open: { kind: string; line: number; indent: number; lines: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = FENCE.exec(line)
    if (open === undefined) {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading
      if (fence !== null) open = { kind: fence[2] ?? '', line: index + 1, indent: fence[1]?.length ?? 0, lines: [] }
    } else if (fence !== null) {
      blocks.push({ kind: open.kind, heading, text: open.lines.join('\n'), line: open.line })
      open = undefined
    } else open.lines.push(line.slice(open.indent))
  }
  if (open !== undefined) throw new Error(`The block in line ${open.line} is not closed.`)
  return blocks
}

/** A shell block as steps: comment lines promise the output of the commands above them. Throws where there are none. */
export function readSteps(block: Block): Step[] {
  const steps: { commands: string[]; promised: string[] }[] = []
  for (const line of block.text.split('\n').filter((text) => text.trim() !== '')) {
    const last = steps.at(-1)
    if (line.startsWith('#')) {
      if (last === undefined) throw new Error(`The block in line ${block.line} begins with a comment.`)
      last.promised.push(line.replace(/^# ?/, ''))
    } else if (last === undefined || last.promised.length > 0) steps.push({ commands: [line], promised: [] })
    else last.commands.push(line)
  }
  return steps.map(({ commands, promised }) => ({
    commands: commands.join('\n'),
    promised: promised.length === 0 ? undefined : promised.join('\n'),
  }))
}

/** Whether an output is the promised one; `…` stands for anything. */
export function keepsPromise(output: string, promised: string): boolean {
  const pattern = promised
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[\\s\\S]*')
  return new RegExp(`^${pattern}$`).test(output.trim())
}

/** What a program in a block prints: its last lines, as comments. */
export function promisedPrint(block: Block): string {
  const lines = block.text.split('\n')
  const first = lines.findLastIndex((line) => !/^(#|\/\/) /.test(line)) + 1
  return lines
    .slice(first)
    .map((line) => line.replace(/^(#|\/\/) /, ''))
    .join('\n')
}
