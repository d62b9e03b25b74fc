#!/usr/bin/env node
import { findBundle } from './cli/bundle.js'
import { complainOfOpenFiles, readOpenFilesMax } from './cli/open-files.js'

const EXIT_CONFIG = 78

// A reader that has gone (`… | head -1`) is no fault: what it would not read is not written.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

const complaint = complainOfOpenFiles(readOpenFilesMax())
if (complaint === undefined) {
  // Loaded only now: too few open files would fail inside of the loader, in words that say nothing.
  const bundle = findBundle(new URL('.', import.meta.url))
  const loaded = bundle === undefined ? import('./cli/program.js') : import(bundle.href)
  const { createProgram }: typeof import('./cli/program.js') = await loaded
  const args = process.argv.slice(2)
  await (await createProgram(args)).parseAsync(args, { from: 'user' })
} else {
  process.stderr.write(`${complaint}\n`)
  process.exitCode = EXIT_CONFIG
}
