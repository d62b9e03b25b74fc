import ts from 'typescript'

/** Something that a source text says and perhaps may not say there. */
export type Word = {
  readonly kind: 'environment' | 'statement' | 'impure' | 'default export' | 'driver' | 'session'
  readonly line: number
}

/** What only the shell may name: time, chance, the process, the network, and what a browser does not have. */
const IMPURE_NAMES = new Set([
  ...['process', 'Buffer', 'global', 'globalThis', 'window', 'document', 'require', 'console', 'crypto', 'performance'],
  ...['fetch', 'WebSocket', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'localStorage'],
])
const IMPURE_MEMBERS = new Set(['Date.now', 'Math.random'])

/** Reads of the environment, statements in SQL, impure names, default exports and the driver's package in a source text. */
export function wordsOf(path: string, text: string): Word[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found: Word[] = []
  const visit = (node: ts.Node): void => {
    for (const kind of kindsOf(node)) {
      found.push({ kind, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1 })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function kindsOf(node: ts.Node): Word['kind'][] {
  const kinds: Word['kind'][] = []
  if (readsEnvironment(node)) kinds.push('environment')
  if (isStatement(node)) kinds.push('statement')
  if (isImpure(node)) kinds.push('impure')
  if (loadsDriver(node)) kinds.push('driver')
  if (takesSession(node)) kinds.push('session')
  if (ts.isExportAssignment(node) || isDefaultExport(node)) kinds.push('default export')
  return kinds
}

/** The package `postgres`, by an import that is there at run time, or a `require`. */
function loadsDriver(node: ts.Node): boolean {
  const isDriver = (name: ts.Node | undefined) =>
    name !== undefined && ts.isStringLiteral(name) && name.text === 'postgres'
  if (ts.isImportDeclaration(node)) {
    return isDriver(node.moduleSpecifier) && node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword
  }
  if (ts.isExportDeclaration(node)) return isDriver(node.moduleSpecifier) && !node.isTypeOnly
  if (!ts.isCallExpression(node)) return false
  const loads = node.expression.kind === ts.SyntaxKind.ImportKeyword || isNamed(node.expression, 'require')
  return loads && isDriver(node.arguments[0])
}

/** `process.env`, `process['env']` and `const { env } = process`. */
function readsEnvironment(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) return isNamed(node.expression, 'process') && node.name.text === 'env'
  if (ts.isElementAccessExpression(node)) return isNamed(node.expression, 'process')
  if (!ts.isVariableDeclaration(node) || !ts.isObjectBindingPattern(node.name)) return false
  return node.initializer !== undefined && isNamed(node.initializer, 'process')
}

/** A template that is tagged `sql`, and a statement that is handed over as text. */
function isStatement(node: ts.Node): boolean {
  if (ts.isTaggedTemplateExpression(node)) return /(^|\.)(sql|tx|connection)\b/.test(node.tag.getText())
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    node.expression.name.text === 'unsafe'
  )
}

/** A connection that is reserved, a cursor on one, or a transaction that is begun or ended by hand. */
function takesSession(node: ts.Node): boolean {
  if (ts.isTaggedTemplateExpression(node) || ts.isStringLiteralLike(node)) {
    const text = ts.isStringLiteralLike(node) ? node.text : node.template.getText().slice(1)
    return /^\s*(begin|start transaction|commit|rollback)(\s*;|\s*`?$|\s+(isolation|read|transaction|work)\b)/i.test(
      text,
    )
  }
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    ['reserve', 'cursor'].includes(node.expression.name.text)
  )
}

function isImpure(node: ts.Node): boolean {
  if (ts.isNewExpression(node)) return isNamed(node.expression, 'Date') && (node.arguments ?? []).length === 0
  if (ts.isPropertyAccessExpression(node)) return IMPURE_MEMBERS.has(node.getText())
  return ts.isIdentifier(node) && IMPURE_NAMES.has(node.text) && isFree(node)
}

/** Whether an identifier stands for itself: no member's name, no declared name, no type's name. */
function isFree(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  if (ts.isPropertyAssignment(parent) || ts.isBindingElement(parent)) return parent.name !== node
  return !(ts.isPropertySignature(parent) || ts.isVariableDeclaration(parent) || ts.isParameter(parent))
}

function isDefaultExport(node: ts.Node): boolean {
  return (
    ts.isFunctionDeclaration(node) && node.modifiers?.some((one) => one.kind === ts.SyntaxKind.DefaultKeyword) === true
  )
}

const isNamed = (node: ts.Node, name: string): boolean => ts.isIdentifier(node) && node.text === name
