import ts from 'typescript'

export type FunctionLength = {
  readonly name: string
  /** Counted from 1. */
  readonly line: number
  /** The lines it spans, less those of the functions inside it, which are counted on their own. */
  readonly lines: number
}

/** Every function of a source text. A factory is as long as what it does itself, not as long as what it returns. */
export function functionLengths(path: string, text: string): FunctionLength[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line
  const found: FunctionLength[] = []

  const visit = (node: ts.Node): number => {
    let linesInside = 0
    ts.forEachChild(node, (child) => {
      linesInside += visit(child)
    })
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return linesInside
    const first = lineAt(node.getStart(source))
    const span = lineAt(node.getEnd()) - first + 1
    found.push({ name: nameOf(node), line: first + 1, lines: span - linesInside })
    // The first and the last line of a function belong to the one around it: there stands what it is for.
    return Math.max(0, span - 2)
  }
  visit(source)
  return found
}

function nameOf(node: ts.SignatureDeclaration): string {
  if (node.name !== undefined) return node.name.getText()
  const { parent } = node
  const named = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)
  return named ? parent.name.getText() : '(anonymous)'
}
