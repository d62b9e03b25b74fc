import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AuditCase, auditCases } from '../support/audit-cases.js'
import { AuditLog, bytes, chainOf, jsonBytes, keysText, policyText } from '../support/audit-world.js'
import { CHROMIUM, CHROMIUM_MISSING } from '../support/chromium.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type RunningService, startService } from '../support/service.js'
import { statementCases } from '../support/statement-cases.js'

const statementsGiven = await statementCases()
const cases = [...(await auditCases()), ...statementsGiven]
const title = `the page /verify in Chromium${CHROMIUM_MISSING === null ? '' : ` (skipped: ${CHROMIUM_MISSING})`}`

describe.skipIf(CHROMIUM_MISSING !== null)(title, () => {
  let service: RunningService
  let database: TestDatabase
  let browser: Browser
  let folder: string

  beforeAll(async () => {
    database = await cloneDatabase()
    service = await startService({ LLMRING_DATABASE_URL: database.url })
    browser = await chromium.launch({
      executablePath: CHROMIUM ?? '',
      args: ['--no-sandbox', '--disable-gpu', '--disable-software-rasterizer'],
    })
    folder = await mkdtemp(join(tmpdir(), 'llmring-page-'))
  })
  afterAll(async () => {
    await browser.close()
    await service.close()
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })

  test('says of every case what the command line says, and asks no server', async () => {
    const { page, requests, complaints, context } = await open(`${service.url}/verify`)
    expect(await page.locator('#verifier').textContent()).toContain("this browser's own Ed25519")
    const found: Record<string, string | null> = {}
    for (const one of cases) found[one.name] = await judge(page, one)
    expect(found).toEqual(Object.fromEntries(cases.map(({ name, verdict }) => [name, verdict])))
    expect(requests.filter((url) => !url.endsWith('/favicon.ico'))).toEqual([`${service.url}/verify`])
    expect(complaints).toEqual([])
    await context.close()
  }, 120_000)

  test('works from a file on disk, and with its own arithmetic where the browser has no Ed25519', async () => {
    const saved = join(folder, 'verify.html')
    await writeFile(saved, await (await fetch(`${service.url}/verify`)).text())
    const { page, requests, complaints, context } = await open(
      pathToFileURL(saved).href,
      "Object.defineProperty(globalThis, 'crypto', { value: {} })",
    )
    await page.waitForSelector('#verifier:has-text("arithmetic of this page")')
    for (const one of cases.filter((_, at) => at % 5 === 0)) expect(await judge(page, one), one.name).toBe(one.verdict)
    expect(requests).toEqual([pathToFileURL(saved).href])
    expect(complaints).toEqual([])
    await context.close()
  }, 120_000)

  test('can reach nothing and run nothing that it did not bring', async () => {
    const { page, complaints, context } = await open(`${service.url}/verify`)
    const reached = await page.evaluate("fetch('/livez').then(() => 'reached', () => 'refused')")
    expect(reached).toBe('refused')
    const markup = "try { document.body.innerHTML = '<b>x</b>'; 'set' } catch { 'refused' }"
    expect(await page.evaluate(markup)).toBe('refused')
    expect(complaints.length).toBeGreaterThan(0)
    const policy = (await fetch(`${service.url}/verify`)).headers.get('content-security-policy') ?? ''
    for (const part of ["default-src 'none'", "connect-src 'none'", "frame-ancestors 'none'"])
      expect(policy).toContain(part)
    expect(policy).not.toMatch(/unsafe|https?:|data:/)
    await context.close()
  })

  test('takes dropped files for what they are, and shows texts of strangers as texts', async () => {
    const { page, context } = await open(`${service.url}/verify`)
    const chain = chainOf(2)
    const log = new AuditLog(chain)
    const [receipt] = chain
    if (receipt === undefined) throw new Error('no receipt')
    await drop(page, {
      'a.json': jsonBytes(receipt),
      'b.txt': await log.proofBytes(receipt),
      'c.json': bytes(keysText()),
      'd.txt': bytes(policyText()),
      'e.txt': log.noteBytes(),
    })
    await page.waitForSelector('#result[data-verdict=good]')
    const names = ['document', 'proof', 'keys', 'policy', 'checkpoints'].map((id) => `${id}.files[0].name`)
    expect(
      await page.evaluate(`[${names.map((name) => `document.getElementById('${name.split('.')[0]}').files[0].name`)}]`),
    ).toEqual(['a.json', 'b.txt', 'c.json', 'd.txt', 'e.txt'])
    await page.setInputFiles('#document', asFile(jsonBytes({ ...receipt, id: '<img src=x onerror=alert(1)>' })))
    await page.click('button')
    await page.waitForSelector('#result[data-verdict=bad]')
    expect(await page.locator('#result h3').textContent()).toContain('<img src=x onerror=alert(1)>')
    expect(await page.locator('#result img').count()).toBe(0)
    await context.close()
  })

  test('takes a dropped file of key statements for what it is, and says of a broken one that it cannot be relied on', async () => {
    const { page, context } = await open(`${service.url}/verify`)
    const one = statementsGiven.find(({ verdict }) => verdict === 'good')
    if (one?.proof === undefined || one.statements === undefined) throw new Error('no case')
    const files = {
      'a.json': one.document,
      'b.txt': one.proof,
      'c.json': bytes(one.keys ?? ''),
      'd.txt': bytes(policyText()),
    }
    await drop(page, files)
    await page.waitForSelector('#result[data-verdict=undecided]')
    await drop(page, { 'e.ndjson': one.statements })
    await page.waitForSelector('#result[data-verdict=good]')
    expect(await page.evaluate("document.getElementById('statements').files[0].name")).toBe('e.ndjson')
    await page.setInputFiles('#statements', asFile(bytes('{')))
    await page.click('button')
    await page.waitForSelector('#result[data-verdict=none]')
    expect(await page.locator('#result').textContent()).toContain('The statements of new keys cannot be relied on.')
    await context.close()
  })

  test('is usable by keyboard and screen reader, small and in the dark', async () => {
    const { page, context } = await open(`${service.url}/verify`)
    for (const label of [
      'Receipt or audit package',
      'Log proof',
      'Keys of receipts',
      'Policy',
      'Statements of new keys',
      'Kept checkpoints',
      'Project',
    ]) {
      expect(await page.getByLabel(label).count(), label).toBe(1)
    }
    expect(await page.locator('input:not([id])').count()).toBe(0)
    expect(await page.locator('#result').getAttribute('aria-live')).toBe('polite')
    await judge(page, cases[0] as AuditCase)
    expect(await page.evaluate('document.activeElement.id')).toBe('result')
    const background = () => page.evaluate("getComputedStyle(document.querySelector('h2')).color")
    const light = await background()
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await background()).not.toBe(light)
    await page.setViewportSize({ width: 320, height: 640 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
    await context.close()
  })

  type Opened = {
    readonly page: Page
    readonly context: BrowserContext
    readonly requests: string[]
    readonly complaints: string[]
  }

  async function open(url: string, before?: string): Promise<Opened> {
    const context = await browser.newContext()
    const page = await context.newPage()
    const requests: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
        complaints.push(message.text())
    })
    if (before !== undefined) await page.addInitScript(before)
    await page.goto(url)
    await page.waitForSelector('#verifier:has-text("holds every published vector")')
    return { page, context, requests, complaints }
  }
})

const asFile = (buffer: Uint8Array, name = 'file') => ({ name, mimeType: '', buffer: Buffer.from(buffer) })

/** Fills the form as an auditor would, and reads the verdict. */
async function judge(page: Page, one: AuditCase): Promise<string | null> {
  await page.evaluate(
    "document.getElementById('form').reset(); document.getElementById('result').removeAttribute('data-verdict')",
  )
  const { keys = keysText(), policy = policyText(), checkpoints = [], project = '', proof, statements } = one
  const files: Readonly<Record<string, readonly Uint8Array[]>> = {
    document: [one.document],
    proof: proof === undefined ? [] : [proof],
    keys: keys === null ? [] : [bytes(keys)],
    policy: policy === null ? [] : [bytes(policy)],
    statements: statements === undefined ? [] : [statements],
    checkpoints,
  }
  for (const [id, given] of Object.entries(files)) {
    if (given.length > 0)
      await page.setInputFiles(
        `#${id}`,
        given.map((file, at) => asFile(file, `${id}-${at}`)),
      )
  }
  if (project !== '') await page.fill('#project', project)
  if (one.strict) await page.check('#strict')
  if (one.anyTime) await page.check('#any-time')
  if (one.trustEmbedded) await page.check('#embedded')
  await page.click('button')
  await page.waitForSelector('#result[data-verdict][aria-busy=false]')
  return page.locator('#result').getAttribute('data-verdict')
}

async function drop(page: Page, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const given = Object.entries(files).map(([name, file]) => [name, Buffer.from(file).toString('base64')])
  const transfer = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer()
    for (const [name, base64] of ${JSON.stringify(given)}) {
      transfer.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name))
    }
    return transfer
  })()`)
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer })
}
