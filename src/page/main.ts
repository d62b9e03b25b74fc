import { createHistory, judgeDocument, readPins } from '../core/proof/index.js'
import { type BrowserVerifier, openVerifier } from './browser-verifier.js'
import { type FileRole, roleOf } from './dropped-files.js'
import { PAGE_LIMITS } from './limits.js'
import { showJudgement, showTrouble } from './show-judgement.js'

const WHAT: Record<'keys' | 'policy' | 'checkpoint' | 'statements', string> = {
  keys: 'The keys of receipts',
  policy: 'The policy',
  statements: 'The statements of new keys',
  checkpoint: 'A kept checkpoint',
}

/** A part of the page, which is there: page and script are one file. */
function part<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`The page has no ${id}.`)
  return found
}

const input = (id: FileRole | 'project' | 'strict' | 'any-time' | 'embedded'): HTMLInputElement =>
  part(id, HTMLInputElement)
const result = part('result', HTMLElement)
const opening = openVerifier()
void opening.then(showVerifier)

function showVerifier(verifier: BrowserVerifier | null): void {
  const place = part('verifier', HTMLElement)
  place.textContent =
    verifier === null
      ? 'This browser does not hold the published vectors: nothing can be verified here.'
      : `Signatures are checked by ${verifier.name}, which holds every published vector that is built in.`
}

async function verify(): Promise<void> {
  const verifier = await opening
  const [file] = input('document').files ?? []
  if (verifier === null || file === undefined) {
    return showTrouble(result, verifier === null ? 'This browser cannot.' : 'Choose a receipt or an audit package.')
  }
  result.setAttribute('aria-busy', 'true')
  try {
    const oversized = tooLarge()
    if (oversized !== null) return showTrouble(result, oversized)
    const [keys, policy, statements, proof, member] = await Promise.all(
      (['keys', 'policy', 'statements', 'proof', 'member'] as const).map(bytesOf),
    )
    const checkpoints = await Promise.all([...(input('checkpoints').files ?? [])].map(readBytes))
    const pins = await readPins(verifier.deps, {
      ...{ keys: keys ?? null, policy: policy ?? null, statements: statements ?? null, checkpoints },
    })
    if (!pins.ok) return showTrouble(result, `${WHAT[pins.what]} cannot be relied on. ${pins.detail}`)
    const terms = {
      ...pins,
      project: input('project').value.trim() || null,
      anyTime: input('any-time').checked,
      strict: input('strict').checked,
      trustEmbedded: input('embedded').checked,
      history: createHistory(),
    }
    const document = chunksOf(file)
    showJudgement(
      result,
      await judgeDocument(verifier.deps, terms, { document, proof: proof ?? null, member: member ?? null }),
    )
  } catch (error) {
    showTrouble(result, `A file could not be read: ${error instanceof Error ? error.message : 'no reason is known'}.`)
  } finally {
    result.setAttribute('aria-busy', 'false')
    result.focus()
  }
}

function tooLarge(): string | null {
  const [file] = input('document').files ?? []
  const pins = (['keys', 'policy', 'statements', 'proof', 'member', 'checkpoints'] as const).flatMap((id) => [
    ...(input(id).files ?? []),
  ])
  const long = pins.find(({ size }) => size > PAGE_LIMITS.pinFileBytesMax)
  if (long !== undefined) return `${long.name} is longer than ${PAGE_LIMITS.pinFileBytesMax} bytes.`
  if ((input('checkpoints').files?.length ?? 0) > PAGE_LIMITS.checkpointFilesMax)
    return 'Those are too many checkpoints.'
  if (file !== undefined && file.size > PAGE_LIMITS.documentBytesMax) {
    return `${file.name} is too large for this page; the command line (llmring-server verify) takes it.`
  }
  return null
}

async function bytesOf(id: FileRole): Promise<Uint8Array | null> {
  const [file] = input(id).files ?? []
  return file === undefined ? null : readBytes(file)
}

async function readBytes(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer())
}

async function* chunksOf(file: File): AsyncGenerator<Uint8Array> {
  const reader = file.stream().getReader()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value
  } finally {
    await reader.cancel()
  }
}

/** Puts each dropped file where it belongs, beside what is there already. */
async function takeDropped(files: readonly File[]): Promise<void> {
  const kept = new DataTransfer()
  for (const file of files) {
    const role = await roleOf(file)
    const held = role === 'checkpoints' ? kept : new DataTransfer()
    held.items.add(file)
    input(role).files = held.files
  }
  await verify()
}

part('form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault()
  void verify()
})
document.addEventListener('dragover', (event) => event.preventDefault())
document.addEventListener('drop', (event) => {
  event.preventDefault()
  void takeDropped([...(event.dataTransfer?.files ?? [])])
})
