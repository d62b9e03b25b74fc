import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../support/command.js'
import { runProgram, serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'
import { ROOT } from '../support/readme.js'

const EXAMPLE = join(ROOT, 'src', 'features', 'gateway', 'example.yaml')
const KEYS = { OPENAI_API_KEY: 'sk-planted-1', ANTHROPIC_API_KEY: 'sk-planted-2', GROQ_API_KEY: 'sk-planted-3' }
const ECHO = 'providers: [{ name: echo, type: echo, model: parrot }]\n'

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
beforeAll(async () => {
  directory = await temporaryDirectory()
})
afterAll(() => directory.remove())

const file = (name: string, text: string): string => {
  const path = join(directory.path, name)
  writeFileSync(path, text)
  return path
}

describe('router check', () => {
  test('finds the example right, says what serves what, and shows no key', async () => {
    const { code, stdout, stderr } = await runProgram(['router', 'check', EXAMPLE], directory.path, KEYS)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('is valid.')
    expect(stdout).toMatch(/openai:gpt-4o-mini {2}tier 1 {2}priority 1 {2}https:\/\/api\.openai\.com\/v1, with a key/)
    expect(stdout).toMatch(/echo:parrot .* answers here, no key/)
    expect(stdout).not.toContain('sk-planted')
  })

  test('says what is wrong with it, all at once, with exit code 78', async () => {
    const { code, stdout, stderr } = await runCommand(['router', 'check', EXAMPLE])
    expect([code, stdout]).toEqual([78, ''])
    for (const name of Object.keys(KEYS)) expect(stderr).toContain(`the variable ${name} is not set`)
  })

  test('prints the backends of every alias of a lockfile, as JSON if that is asked for', async () => {
    const lockfile = file(
      'llmring.lock',
      'version = "1.0"\n[aliases.default]\nfast = "echo:parrot"\nlost = "openai:gone"\n',
    )
    const config = file('gateway.yaml', ECHO)
    const args = ['router', 'check', config, '--lockfile', lockfile]
    const { code, stdout } = await runCommand(args)
    expect(code).toBe(0)
    expect(stdout).toContain('fast -> echo:parrot')
    expect(stdout).toContain('lost -> nothing  (no backend: openai:gone)')
    const json = JSON.parse((await runCommand([...args, '--json'])).stdout)
    expect(json).toMatchObject({ valid: true, aliases: [{ alias: 'fast', served: ['echo:parrot'] }, {}] })
  })

  test('needs a file', async () => {
    const { code, stderr } = await runCommand(['router', 'check'])
    expect([code, stderr]).toEqual([78, expect.stringContaining('LLMRING_ROUTER_CONFIG')])
    expect((await runCommand(['router', 'check', 'not-there.yaml'])).code).not.toBe(0)
  })
})

describe('serve', () => {
  test('does not open a gateway to others while any key opens a project', async () => {
    const config = file('gateway.yaml', ECHO)
    const args = ['serve', '--config', config, '--addr', '0.0.0.0:0']
    const { code, stderr } = await runProgram(args, directory.path, { LLMRING_DATA_DIR: join(directory.path, 'data') })
    expect([code, stderr]).toEqual([78, expect.stringContaining('LLMRING_ROUTER_OPEN')])
  })

  test('answers calls by its configuration, and tells no credential to its log', async () => {
    const text = ECHO + readFileSync(EXAMPLE, 'utf8').replace(/^providers:[\s\S]*?\n(?=policy)/m, '')
    const program = await serveProgram(directory.path, { ...KEYS, LLMRING_ROUTER_CONFIG: file('whole.yaml', text) })
    const response = await fetch(`${program.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { Authorization: 'Bearer a-team', 'Content-Type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Say it again' }] }),
    })
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'Say it again' } }] })
    const { code, stdout, stderr } = await stopProgram(program)
    expect(code).toBe(0)
    expect(stdout + stderr).not.toContain('sk-planted')
  })
})
