import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from '@hono/zod-openapi'
import { PUBLIC } from '../access/principal.js'
import { AppError } from '../platform/errors.js'
import { type App, type Guards, mount } from './endpoint.js'

/** Where `npm run page` puts script and style; the same folder for the built program and for its sources. */
const BUILT = new URL('../../dist/page/', import.meta.url)

type Page = { readonly text: string; readonly headers: Readonly<Record<string, string>> }

/**
 * The page that verifies receipts: one file without a network of its own, so that it is the same when it is saved to
 * disk. Nothing may run in it but the one script that it holds.
 */
export function mountVerifyPage(app: App, guards: Guards): void {
  let page: Page | undefined
  mount(app, guards, {
    method: 'get',
    path: '/verify',
    tag: 'Meta',
    operationId: 'getVerifyPage',
    summary: 'A page to verify receipts',
    description:
      'Verifies receipts, log proofs and audit packages in the browser, by the same code as the command `verify`. It sends nothing anywhere, and works when it is saved to disk.',
    access: PUBLIC,
    problems: ['not-found'],
    responses: { 200: { description: 'The page.', schema: z.string(), contentType: 'text/html' } },
    handle: async () => {
      // Kept only now: a read that failed once (too many open files) must not fail for ever.
      page ??= await openPage()
      return new Response(page.text, { headers: page.headers })
    },
  })
}

async function openPage(): Promise<Page> {
  const [script, style] = await Promise.all(['main.js', 'verify.css'].map((name) => readBuilt(name)))
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script ?? '')}'`,
    `style-src '${hashOf(style ?? '')}'`,
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
  return {
    text: pageOf(policy, script ?? '', style ?? ''),
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `${policy}; frame-ancestors 'none'`,
      'Referrer-Policy': 'no-referrer',
      'Strict-Transport-Security': 'max-age=31536000',
    },
  }
}

async function readBuilt(name: string): Promise<string> {
  try {
    // The page's text is normalised like this when it is parsed, and hashed after that.
    return (await readFile(new URL(name, BUILT), 'utf8')).replaceAll('\r\n', '\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new AppError('not-found', 'This page was not built: `npm run page` builds it.')
  }
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

const fileOf = (id: string, label: string, note: string, more = ''): string =>
  `<label for="${id}"><span>${label}<br><small>${note}</small></span><input type="file" id="${id}"${more}></label>`
const choiceOf = (id: string, label: string): string =>
  `<label class="choice" for="${id}"><input type="checkbox" id="${id}"><span>${label}</span></label>`

/** The policy stands in the page, too: a saved copy has no headers. */
function pageOf(policy: string, script: string, style: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Verify a receipt</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Verify a receipt</h1>
<p>Choose the files, or drop them anywhere on this page. Nothing leaves this browser: the page has no network of its own, and
works from your disk when you save it.</p>
<form id="form">
<fieldset><legend>What to verify</legend>
${fileOf('document', 'Receipt or audit package', 'JSON, or NDJSON of /receipts/export', ' required')}
${fileOf('proof', 'Log proof', '.tlog-proof, if it is not in the receipt&rsquo;s file')}
${fileOf('member', 'Proof of a logged call', 'if a batch receipt has to certify it')}
</fieldset>
<fieldset><legend>Whom you rely on</legend>
${fileOf('keys', 'Keys of receipts', 'a public-keys.json that you saved earlier')}
${fileOf('statements', 'Statements of new keys', 'a key-statements.ndjson: leads from those keys to later ones')}
${fileOf('policy', 'Policy', 'the log and its witnesses')}
${fileOf('checkpoints', 'Kept checkpoints', 'what contradicts them is proven bad', ' multiple')}
<label for="project"><span>Project<br><small>if the receipts have to be of one</small></span><input id="project" autocomplete="off"></label>
</fieldset>
<fieldset><legend>How</legend>
${choiceOf('any-time', 'It does not matter when a receipt was issued')}
${choiceOf('strict', 'The file itself has to be in its one canonical spelling')}
${choiceOf('embedded', 'Rely on keys that come with the file, where I chose none')}
</fieldset>
<button type="submit">Verify</button>
</form>
<p class="quiet" id="verifier">The verifier is being tried on published vectors.</p>
<section id="result" aria-live="polite" aria-label="Result" tabindex="-1"></section>
</main>
<noscript>This page needs scripts: the verifier is one.</noscript>
<script>${script}</script>
</body>
</html>
`
}
